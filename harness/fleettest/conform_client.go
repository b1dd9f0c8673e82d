package fleettest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

// hang is the error of a call that did not come back in time.
type hang struct {
	call  string
	limit time.Duration
}

func (h *hang) Error() string {
	return fmt.Sprintf("%s has not come back %s after the end of its context", h.call, h.limit)
}

// bounded calls and waits for what comes back, until grace after the end of the call's ctx.
func bounded(ctx context.Context, name string, call func(context.Context) error) error {
	result := make(chan error, 1)
	go func() { result <- call(ctx) }()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-result:
		return err
	case <-time.After(grace):
		return &hang{name, grace}
	}
}

// client is a producer under test with its book. No call through it waits for longer than its limit and the grace.
type client struct {
	producer producer.Producer
	book     *book
	ended    bool // Close was called
}

// start connects a producer, to send to a topic.
func (k kit) start(ctx context.Context, config producer.Config, topic string) (*client, error) {
	c := &client{book: &book{topic: topic, of: map[*producer.Record]*entry{}}}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := bounded(ctx, "New", func(ctx context.Context) (err error) {
		c.producer, err = k.connect(ctx, config, c.book.outcome)
		if err == nil && c.producer == nil {
			return errors.New("no producer and no error from New")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// senders is how many goroutines send at the same time. Each has keys of its own.
const senders = 4

// send sends so many records, and wants each to be accepted.
func (c *client) send(n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return bounded(ctx, "Send", func(ctx context.Context) error {
		entries := c.book.add(n)
		errs := make([]error, senders)
		var sending sync.WaitGroup
		for sender := range senders {
			sending.Go(func() {
				for _, e := range entries {
					if e.sequence%senders == sender && errs[sender] == nil {
						errs[sender] = c.hand(ctx, e)
					}
				}
			})
		}
		sending.Wait()
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("Send refused a record of an open producer: %w", err)
		}
		return nil
	})
}

// hand hands one record over and notes what became of that.
func (c *client) hand(ctx context.Context, e *entry) error {
	err := c.producer.Send(ctx, e.record)
	c.book.handed(e, err)
	return err
}

// flush calls Flush.
func (c *client) flush(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return bounded(ctx, "Flush", c.producer.Flush)
}

// end calls Close. With a limit of zero its ctx has ended before.
func (c *client) end(limit time.Duration) error {
	c.ended = true
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return bounded(ctx, "Close", c.producer.Close)
}

// sendAndFlush is how most clauses begin: so many records that a broker has acknowledged, or should have.
func (c *client) sendAndFlush(n int) error {
	if err := c.send(n); err != nil {
		return err
	}
	if err := c.flush(patience); err != nil {
		return fmt.Errorf("with a cluster that is well: %w", err)
	}
	return nil
}
