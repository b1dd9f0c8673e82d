package sarama

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
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
			assert.Positive(t, stats.Retries)
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
			if err != nil { // Sarama ends a little later on a busy machine
				require.EqualError(t, err, "sarama still waits for a broker that does not answer")
				<-p.drained
			}
			y.once(t, 100+lost)
			for ctx := within(t, 20*time.Second); p.Stats().Connections > 0; {
				require.NoError(t, ctx.Err())
			}
			require.NoError(t, p.Flush(context.Background()))
			require.NoError(t, p.Close(context.Background()), "a second time")
		})
	}
}

// TestCloseWithSilentBroker: the connection stays open, and nothing ever comes back. A second request then waits for its
// turn with Sarama's lock on the broker in its hands, so that not even a closed client can end it before the read timeout.
func TestCloseWithSilentBroker(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Timeout.Read = time.Minute
	var y tally
	p := connect(t, config, y.outcome)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, nil, true
	})
	first := record(0)
	second := record(1)
	for i := 2; partitionOf(second) == partitionOf(first); i++ {
		second.Key = record(i).Key
	}
	for i, r := range []*producer.Record{first, second} {
		send(t, p, r)
		for ctx := within(t, 20*time.Second); p.Stats().Batches == int64(i); {
			require.NoError(t, ctx.Err())
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("aborted"))
	began := time.Now()
	require.EqualError(t, p.Close(ctx), "sarama still waits for a broker that does not answer")
	assert.Less(t, time.Since(began), 30*time.Second)
	assert.Equal(t, map[producer.State]int{producer.Unknown: 2}, y.once(t, 2))
	for sequence := range uint64(2) {
		require.EqualError(t, y.of(sequence).Err, "closed without an outcome: aborted")
		assert.EqualValues(t, -1, y.of(sequence).Partition)
	}

	c.cut()
	select {
	case <-p.drained:
	case <-within(t, 30*time.Second).Done():
		t.Fatal("sarama did not end")
	}
	y.once(t, 2) // what Sarama returned late is no second outcome
}

func partitionOf(r *producer.Record) int32 {
	return producer.PartitionerHash.Partition(r.Key, partitions)
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
	ctx := within(t, 500*time.Millisecond)
	var accepted int
	for ; ; accepted++ {
		r := record(0) // batches of one partition end at 1 MiB, so that large values fill the buffers soon
		r.Token.Sequence, r.Value = uint64(accepted), make([]byte, 16<<10)
		if err := p.Send(ctx, r); err != nil {
			assert.EqualError(t, err, "send record: context deadline exceeded")
			break
		}
	}
	assert.Positive(t, accepted)
	assert.Less(t, accepted, 5000, "64 MiB and more in the buffers")
	assert.EqualValues(t, accepted, p.Stats().Queued)
	require.EqualError(t, p.Send(ctx, record(0)), "send record: context deadline exceeded")
	close(held)
	require.NoError(t, p.Close(within(t, 60*time.Second)))
	assert.Equal(t, map[producer.State]int{producer.Acked: accepted}, y.once(t, accepted))
}

// TestBlockedSend: what ends a Send that waits for room.
func TestBlockedSend(t *testing.T) {
	for want, end := range map[string]func(p *asyncProducer, cancel context.CancelCauseFunc){
		"send record: interrupted": func(_ *asyncProducer, cancel context.CancelCauseFunc) { cancel(errors.New("interrupted")) },
		"producer is closed": func(p *asyncProducer, _ context.CancelCauseFunc) {
			p.pending.Close()
		},
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var y tally
				p := &asyncProducer{input: make(chan *sarama.ProducerMessage), pending: inflight.New(y.outcome)}
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				blocked := make(chan error)
				go func() { blocked <- p.Send(ctx, record(0)) }()
				synctest.Wait()
				assert.EqualValues(t, 1, p.pending.Count())
				end(p, cancel)
				require.EqualError(t, <-blocked, want)
				p.pending.Close()
				assert.Zero(t, p.pending.Count())
				p.pending.GiveUp(errors.New("nothing is left to be given up"))
				y.once(t, 0)
			})
		})
	}
}

// untouched is a Sarama that says when it is told to close.
type untouched struct {
	sarama.AsyncProducer
	closed chan struct{}
}

func (u untouched) AsyncClose() { close(u.closed) }

// TestCloseWaitsForSends: Sarama closes its input, and a Send that is still about to write to it would panic.
func TestCloseWaitsForSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		async := untouched{closed: make(chan struct{})}
		drained := make(chan struct{})
		p := &asyncProducer{async: async, pending: inflight.New(nil), drained: drained, closeClient: func() {}}
		m := messageOf(record(0))
		require.True(t, p.pending.Enter(&m.Entry))
		closed := make(chan error, 1)
		go func() { closed <- p.Close(canceled()) }()
		synctest.Wait()
		select {
		case <-async.closed:
			t.Fatal("closed under a Send")
		default:
		}
		p.pending.Refused(&m.Entry)
		p.pending.Left()
		<-async.closed
		close(drained)
		require.NoError(t, <-closed)
	})
}

// TestCloseGivesUp: Sarama returns nothing, whatever is done to it.
func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y tally
		cut := make(chan struct{})
		drained := make(chan struct{})
		p := &asyncProducer{
			async: untouched{closed: make(chan struct{})}, pending: inflight.New(y.outcome), drained: drained,
			closeClient: sync.OnceFunc(func() { close(cut) }),
		}
		require.True(t, p.pending.Enter(&messageOf(record(0)).Entry))
		p.pending.Left()
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errors.New("time is up"))
		defer cancel()
		began := time.Now()
		require.EqualError(t, p.Close(ctx), "sarama still waits for a broker that does not answer")
		assert.Equal(t, time.Minute+grace, time.Since(began))
		<-cut
		assert.True(t, p.trouble.hurry.Load())
		assert.Equal(t, map[producer.State]int{producer.Unknown: 1}, y.once(t, 1))
		require.EqualError(t, y.of(0).Err, "closed without an outcome: time is up")
		assert.Zero(t, p.pending.Count())
		close(drained)
	})
}

// TestCloseWaitsForOutcomes: after Close no outcome is handed over any more, also not by a goroutine that had begun to.
func TestCloseWaitsForOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		var y tally
		p := &asyncProducer{pending: inflight.New(func(o producer.Outcome) {
			if o.State == producer.Acked {
				<-slow
			}
			y.outcome(o)
		})}
		returned, lost := messageOf(record(0)), messageOf(record(1))
		for _, m := range []*message{returned, lost} {
			require.True(t, p.pending.Enter(&m.Entry))
			p.pending.Left()
		}
		go p.settle(&returned.ProducerMessage, producer.Acked, nil)
		synctest.Wait()
		over := make(chan struct{})
		go func() {
			p.pending.GiveUp(errors.New("the end"))
			close(over)
		}()
		synctest.Wait()
		select {
		case <-over:
			t.Fatal("over, with an outcome under way")
		default:
		}
		close(slow)
		<-over
		assert.Equal(t, map[producer.State]int{producer.Acked: 1, producer.Unknown: 1}, y.once(t, 2))
		p.settle(&lost.ProducerMessage, producer.Acked, nil)
		y.once(t, 2) // what Sarama returns afterwards is no second outcome
	})
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
	require.EqualError(t, err, "connect to "+l.Addr().String()+": no answer in time: context deadline exceeded")
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

// returning is a Sarama that returns what it is told to.
type returning struct {
	sarama.AsyncProducer
	successes chan *sarama.ProducerMessage
	errors    chan *sarama.ProducerError
}

func (r returning) Successes() <-chan *sarama.ProducerMessage { return r.successes }
func (r returning) Errors() <-chan *sarama.ProducerError      { return r.errors }

// TestReturnedTwice: a message that Sarama returns a second time must not make that of another one free to be used again.
func TestReturnedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y tally
		input := make(chan *sarama.ProducerMessage, 1)
		async := returning{successes: make(chan *sarama.ProducerMessage), errors: make(chan *sarama.ProducerError)}
		p := &asyncProducer{async: async, input: input, pending: inflight.New(y.outcome), drained: make(chan struct{})}
		go p.drain()
		send := func(n int) *sarama.ProducerMessage {
			require.NoError(t, p.Send(t.Context(), record(n)))
			return <-input
		}
		first := send(0)
		for n := 1; n < blockMessages; n++ {
			m := send(n)
			async.successes <- m
			async.successes <- m
		}
		for n := blockMessages; n < 5*blockMessages; n++ {
			m := send(n)
			require.NotSame(t, first, m)
			async.successes <- m
			synctest.Wait() // until it is given back
		}
		assert.EqualValues(t, 1, p.pending.Count())
		async.successes <- first
		close(async.successes)
		close(async.errors)
		<-p.drained
		assert.Equal(t, map[producer.State]int{producer.Acked: 5 * blockMessages}, y.once(t, 5*blockMessages))
	})
}
