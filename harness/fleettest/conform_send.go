package fleettest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

func sendClauses() []clause {
	return []clause{
		{"waits no longer than its context", sendEnds},
		{"is refused with ErrClosed after Close", sendRefused},
		{"that waits is freed by Close", sendFreed},
	}
}

// What fills the buffers of a client: until it blocks, or so many records of such a size, since a client may have more room
// than anybody wants to fill.
const (
	fillers    = 25_000
	fillerSize = 4 << 10
)

// fill sends until Send refuses or the client has shown that it has very much room, and says what Send returned.
func (s *scene) fill(ctx context.Context, hand func(context.Context, *entry) error) error {
	const slab = 100
	for range fillers / slab {
		for _, e := range s.book.addSized(slab, fillerSize) {
			if err := hand(ctx, e); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
	}
	return nil
}

func sendEnds(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	filling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Each Send has a limit of its own: how long it takes to fill the client is the machine's business.
	err = s.fill(filling, func(ctx context.Context, e *entry) error {
		full, cancel := context.WithTimeout(ctx, short)
		defer cancel()
		return bounded(full, "Send", func(ctx context.Context) error { return s.hand(ctx, e) })
	})
	var hung *hang
	switch {
	case errors.As(err, &hung):
		return fmt.Errorf("Send blocks at most until its context ends: %w", err)
	case errors.Is(err, producer.ErrClosed):
		return errors.New("Send returned ErrClosed, and nobody has called Close")
	}
	return s.refusedAlone()
}

// refusedAlone wants no outcome for what Send refused.
func (c *client) refusedAlone() error {
	var found []string
	for _, e := range c.book.all() {
		if e.refused != nil && len(e.outcomes) > 0 {
			found = append(found, fmt.Sprintf("%s has %s, and Send had refused it: %v", &e, outcomes(e.outcomes), e.refused))
		}
	}
	return breaches("a record that Send refused has no outcome", found)
}

func sendRefused(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(some); err != nil {
		return err
	}
	_ = s.end(patience)
	e := s.book.add(1)[0]
	late, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = bounded(late, "Send", func(ctx context.Context) error { return s.hand(ctx, e) })
	if !errors.Is(err, producer.ErrClosed) {
		return fmt.Errorf("Send after Close returns ErrClosed, not: %w", orNil(err))
	}
	return s.refusedAlone()
}

// orNil is an error that can be shown where there is none.
func orNil(err error) error {
	if err == nil {
		return errors.New("nil")
	}
	return err
}

// sendFreed closes under a Send that waits for room, or goes on and on where there is much room.
func sendFreed(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	filling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.fill(filling, s.hand) }()
	select {
	case err := <-ended: // it had room for everything, or refused by itself
		if err != nil {
			return fmt.Errorf("Send refused a record of an open producer: %w", err)
		}
		return nil
	case <-time.After(time.Second):
	}
	_ = s.end(0)
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, producer.ErrClosed) {
			return fmt.Errorf("Send returns ErrClosed when Close is called while it waits, not: %w", err)
		}
		return s.refusedAlone()
	case <-time.After(grace):
		return errors.New("Send still waits, although Close was called")
	}
}
