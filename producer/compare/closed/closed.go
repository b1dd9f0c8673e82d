// Package closed puts a client into a closed loop.
package closed

import (
	"context"
	"fmt"
	"sync"

	"github.com/fleetproof/fleetproof/producer"
)

// Window is how many records a closed loop has without an outcome, at most: the same for every client, so that none is
// measured by the size of its buffers.
const Window = 20_000

// Kind is a client in a closed loop: Send waits until one of so many records has its outcome. A scenario that asks for far
// more than can be done then shows how much is done, also of a client that would take everything into its memory.
func Kind(kind producer.Kind, window int) producer.Kind {
	connect := kind.New
	kind.Name = "closed-" + kind.Name
	kind.New = func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		l := &loop{places: make(chan struct{}, window), closing: make(chan struct{})}
		l.close = sync.OnceFunc(func() { close(l.closing) })
		inner, err := connect(ctx, config, func(o producer.Outcome) {
			outcome(o)
			l.leave()
		})
		if err != nil {
			return nil, err
		}
		l.Producer = inner
		return l, nil
	}
	return kind
}

type loop struct {
	producer.Producer
	places  chan struct{} // one for each record without an outcome
	closing chan struct{}
	close   func()
}

func (l *loop) Send(ctx context.Context, record *producer.Record) error {
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	case <-l.closing:
		return producer.ErrClosed
	}
	err := l.Producer.Send(ctx, record)
	if err != nil {
		l.leave()
	}
	return err
}

// leave gives a record's place to another. Where there is none left it does not wait for one: a client that gives a record
// two outcomes breaks its contract, which the harness notes, and must not be held up here for it.
func (l *loop) leave() {
	select {
	case <-l.places:
	default:
	}
}

func (l *loop) Close(ctx context.Context) error {
	l.close()
	return l.Producer.Close(ctx)
}
