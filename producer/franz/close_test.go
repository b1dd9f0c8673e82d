package franz

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

// TestBrokenConnections cuts every connection again and again, under several senders.
func TestBrokenConnections(t *testing.T) {
	const senders, each, every, first = 4, 1500, 300, 50
	const records = first + senders*each
	for name, idempotent := range map[string]bool{"idempotent": true, "at least once": false} {
		t.Run(name, func(t *testing.T) {
			c := start(t, 3)
			config := settings(c.ListenAddrs())
			config.Idempotent = idempotent
			var y tally
			p := connect(t, config, y.outcome)
			for i := range first {
				send(t, p, record(i))
			}
			require.NoError(t, p.Flush(within(t, 20*time.Second)), "so that there are connections to cut")
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := range each {
						if err := p.Send(context.Background(), record(first+i*senders+sender)); err != nil {
							t.Error(err)
						}
						if sender == 0 && i%every == every-1 {
							c.cut()
						}
					}
				})
			}
			group.Wait()
			// Close with records in flight, and time enough: it drains first, so nothing is given up.
			require.NoError(t, p.Close(within(t, 60*time.Second)))
			assert.Equal(t, map[producer.State]int{producer.Acked: records}, y.once(t, records))
			if idempotent {
				assert.EqualValues(t, records, c.stored())
			} else {
				assert.GreaterOrEqual(t, c.stored(), int64(records))
			}
			stats := p.Stats()
			assert.Zero(t, stats.Queued)
			assert.Positive(t, stats.Batches)
		})
	}
}

// TestCloseInTheMiddle closes at once, under senders that go on: every record that was accepted has its one outcome, and
// no Send panics.
func TestCloseInTheMiddle(t *testing.T) {
	const senders = 4
	for name, limit := range map[string]time.Duration{"with time to drain": 60 * time.Second, "without": 0} {
		t.Run(name, func(t *testing.T) {
			c := start(t, 3)
			var y tally
			p := connect(t, settings(c.ListenAddrs()), y.outcome)
			var accepted atomic.Int64
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := 0; ; i++ {
						err := p.Send(context.Background(), record(i*senders+sender))
						if err != nil {
							assert.ErrorIs(t, err, producer.ErrClosed)
							return
						}
						accepted.Add(1)
					}
				})
			}
			for p.Stats().Queued < 100 && accepted.Load() < 10_000 {
				c.cut()
			}
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			require.NoError(t, p.Close(ctx))
			states := y.once(t, len(y.outcomes))
			group.Wait()
			assert.Len(t, y.outcomes, int(accepted.Load()), "when Close returns, every outcome is there")
			if limit > 0 {
				assert.Equal(t, int(accepted.Load()), states[producer.Acked])
			}
			assert.Zero(t, states[producer.Failed])
			assert.ErrorIs(t, p.Send(context.Background(), record(0)), producer.ErrClosed)
		})
	}
}

// TestCloseWithoutBrokers: they are gone and do not come back.
func TestCloseWithoutBrokers(t *testing.T) {
	for name, idempotent := range map[string]bool{"idempotent": true, "at least once": false} {
		t.Run(name, func(t *testing.T) {
			c := start(t, 3)
			config := settings(c.ListenAddrs())
			config.Idempotent = idempotent
			config.Retry = producer.Retry{Max: 600, Backoff: 100 * time.Millisecond} // a minute
			var y tally
			p := connect(t, config, y.outcome)
			for i := range 100 {
				send(t, p, record(i))
			}
			require.NoError(t, p.Flush(within(t, 20*time.Second)))
			c.Close()
			const lost = 200
			for i := range lost {
				send(t, p, record(100+i))
			}
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			err := p.Flush(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "flush: 200 records without an outcome: ")
			assert.EqualValues(t, lost, p.Stats().Queued)

			began := time.Now()
			err = p.Close(ctx)
			assert.Less(t, time.Since(began), 30*time.Second)
			assert.Equal(t, map[producer.State]int{producer.Acked: 100, producer.Unknown: lost}, y.once(t, 100+lost))
			require.NoError(t, err)
			y.once(t, 100+lost)
			for ctx := within(t, 20*time.Second); p.Stats().Connections > 0; {
				require.NoError(t, ctx.Err())
			}
			require.NoError(t, p.Flush(context.Background()))
			require.NoError(t, p.Close(context.Background()), "a second time")
		})
	}
}

// TestCloseWithSilentBroker: the connection stays open, and nothing ever comes back.
func TestCloseWithSilentBroker(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Timeout.Read = time.Minute
	var y tally
	p := connect(t, config, y.outcome)
	asked := make(chan struct{}, 1)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked <- struct{}{}
		return nil, nil, true
	})
	send(t, p, record(0))
	<-asked
	send(t, p, record(1))
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("aborted"))
	began := time.Now()
	require.NoError(t, p.Close(ctx))
	assert.Less(t, time.Since(began), 30*time.Second)
	assert.Equal(t, map[producer.State]int{producer.Unknown: 2}, y.once(t, 2))
}

// TestSendBlocks: the broker takes nothing, until the buffers are full.
func TestSendBlocks(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Timeout.Read = time.Minute
	var y tally
	p := connect(t, config, y.outcome)
	held := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-held })
		return nil, nil, false
	})
	ctx := within(t, 3*time.Second)
	var accepted int
	for ; ; accepted++ {
		r := record(0)
		r.Token.Sequence = uint64(accepted)
		if err := p.Send(ctx, r); err != nil {
			assert.EqualError(t, err, "send record: context deadline exceeded")
			break
		}
	}
	assert.Positive(t, accepted)
	assert.Equal(t, 50_000, accepted, "franz-go's own limit")
	assert.EqualValues(t, accepted, p.Stats().Queued)
	require.EqualError(t, p.Send(ctx, record(0)), "send record: context deadline exceeded")
	close(held)
	require.NoError(t, p.Close(within(t, 60*time.Second)))
	assert.Equal(t, map[producer.State]int{producer.Acked: accepted}, y.once(t, accepted))
}

// TestNewWithSilentBroker: connections are accepted, and nothing is said.
func TestNewWithSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(conns)
				return
			}
			conns <- conn
		}
	}()
	config := settings([]string{l.Addr().String()})
	config.Timeout.Read = time.Minute
	began := time.Now()
	p, err := New(within(t, 50*time.Millisecond), config, nil)
	assert.Less(t, time.Since(began), 30*time.Second)
	require.Nil(t, p)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualError(t, err, "connect to "+l.Addr().String()+": context deadline exceeded: no answer in time")
	require.NoError(t, l.Close())
	for conn := range conns {
		require.NoError(t, conn.Close())
	}
}

// TestNewTooLate: the cluster answers, after all, when New has stopped waiting.
func TestNewTooLate(t *testing.T) {
	c := start(t, 1)
	ctx, cancel := context.WithCancelCause(context.Background())
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel(errors.New("interrupted"))
		return nil, nil, false
	})
	p, err := New(ctx, settings(c.ListenAddrs()), func(producer.Outcome) { t.Error("an outcome without a record") })
	if err == nil { // connected before it saw the end of ctx, which is as good
		require.NoError(t, p.Close(within(t, 20*time.Second)))
		return
	}
	require.Nil(t, p)
	assert.ErrorContains(t, err, "interrupted")
}
