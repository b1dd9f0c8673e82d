package fleettest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	flushed := make(chan error, 1)
	go func() { flushed <- s.flush(patience) }()
	select {
	case err := <-flushed:
		if err != nil {
			return fmt.Errorf("Flush ends before its context, with an error: %w", err)
		}
	case <-time.After(moment):
		s.gate.let()
		if err := <-flushed; err != nil {
			return fmt.Errorf("with a cluster that is well again: %w", err)
		}
	}
	return breaches("every accepted record has its outcome when Flush has returned without an error", s.missing())
}

// flushWaitsForCallback looks at a record that Send has accepted. An outcome may also come before Send has returned; then
// there is nothing to see here.
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
	sent := make(chan error, 1)
	go func() { sent <- s.send(1) }()
	if err := await(patience, func() (bool, error) { return s.book.count(0) > 0, nil }, "a record has its outcome"); err != nil {
		return err
	}
	select {
	case err := <-sent:
		if err != nil {
			return err
		}
	case <-time.After(moment):
		take()
		return <-sent
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
