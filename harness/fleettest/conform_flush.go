package fleettest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fleetproof/fleetproof/producer"
)

func flushClauses() []clause {
	return []clause{
		{"waits for every outcome", flushWaits},
		{"waits until each outcome has been taken", flushWaitsForCallback},
		{"ends with its context and gives nothing up", flushEnds},
	}
}

// missing are the accepted records without an outcome.
func (c *client) missing() []string {
	var missing []string
	for _, e := range c.book.all() {
		if e.accepted && len(e.outcomes) == 0 {
			missing = append(missing, e.String()+" has none")
		}
	}
	return missing
}

func flushWaits(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(some); err != nil {
		return err
	}
	return breaches("every accepted record has its outcome when Flush has returned without an error", s.missing())
}

func flushWaitsForCallback(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	taken := make(chan struct{})
	take := sync.OnceFunc(func() { close(taken) })
	defer take()
	s.book.told = func(*entry, producer.Outcome) { <-taken }
	if err := s.send(1); err != nil {
		return err
	}
	if err := await(patience, func() (bool, error) { return s.book.count(0) > 0, nil }, "a record has its outcome"); err != nil {
		return err
	}
	err = s.flush(short)
	take()
	if err == nil {
		return errors.New("Flush waits until outcome has returned for each record, and here one has not")
	}
	return nil
}

func flushEnds(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	err = s.flush(short)
	var hung *hang
	switch {
	case errors.As(err, &hung):
		return err
	case err == nil:
		return errors.New("Flush returned nil with records in flight: no broker has answered")
	}
	if n := s.book.count(producer.Failed) + s.book.count(producer.Unknown); n > 0 {
		return fmt.Errorf("nothing is abandoned by Flush, and %d records were: %s", n, s.firstReason())
	}
	s.gate.let()
	if err := s.flush(patience); err != nil {
		return fmt.Errorf("with a cluster that is well again: %w", err)
	}
	return nil
}
