package fleettest

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetproof/fleetproof/producer"
)

func statsClauses() []clause {
	return []clause{
		{"count what is in flight, and never backwards", statsCount},
		{"count retries, if they say so", statsRetries},
		{"answer at once, also when nothing else does and after Close", statsAnswer},
	}
}

// stats calls Stats, which has no context that could end it.
func (c *client) stats() (producer.Stats, error) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	answered := make(chan producer.Stats, 1)
	err := bounded(over, "Stats", func(context.Context) error {
		answered <- c.producer.Stats()
		return nil
	})
	if err != nil {
		return producer.Stats{}, errors.New("Stats does not block, and has not answered")
	}
	return <-answered, nil
}

func statsCount(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	held, err := s.stats()
	if err != nil {
		return err
	}
	if held.Queued != some && held.Queued != 0 { // what a client cannot know stays zero
		return fmt.Errorf("%d records are without an outcome, and Stats says Queued: %d", some, held.Queued)
	}
	s.gate.let()
	if err := s.flush(patience); err != nil {
		return err
	}
	flushed, err := s.stats()
	if err != nil {
		return err
	}
	_ = s.end(patience)
	closed, err := s.stats()
	if err != nil {
		return err
	}
	if flushed.Queued != 0 || closed.Queued != 0 {
		return fmt.Errorf("nothing is in flight any more, and Stats says Queued: %d after Flush and %d after Close", flushed.Queued, closed.Queued)
	}
	before := producer.Stats{}
	for _, now := range []producer.Stats{held, flushed, closed} {
		if now.Batches < before.Batches || now.Retries < before.Retries || now.Connections < 0 {
			return fmt.Errorf("totals do not go back, and nothing is below zero: first %+v, then %+v", before, now)
		}
		before = now
	}
	return nil
}

func statsAnswer(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.stats(); err != nil {
		return err
	}
	_ = s.end(0)
	_, err = s.stats()
	return err
}

// statsRetries loses responses. Where every record was acknowledged all the same, some were sent again.
func statsRetries(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendLossy(ctx); err != nil {
		return err
	}
	stats, err := s.stats()
	if err != nil {
		return err
	}
	if stats.RetriesKnown && stats.Retries == 0 && s.lost() > 0 && s.book.count(producer.Acked) == len(s.book.all()) {
		return fmt.Errorf("%d responses were lost, all records are acked, and Stats says that it knows of no retry: %+v", s.lost(), stats)
	}
	return nil
}
