package inflight

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

// collected are the outcomes by the record's sequence number.
type collected struct {
	mu       sync.Mutex
	outcomes map[uint64][]producer.State
}

func (c *collected) outcome(o producer.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outcomes == nil {
		c.outcomes = map[uint64][]producer.State{}
	}
	c.outcomes[o.Record.Token.Sequence] = append(c.outcomes[o.Record.Token.Sequence], o.State)
}

func entry(sequence uint64) *Entry {
	return &Entry{Record: &producer.Record{Token: producer.Token{Sequence: sequence}}}
}

// entered lists n records whose hand-over is over.
func entered(t *testing.T, s *Set, n int) []*Entry {
	entries := make([]*Entry, n)
	for i := range entries {
		entries[i] = entry(uint64(i))
		require.True(t, s.Enter(entries[i]))
		s.Left()
	}
	return entries
}

func TestOneOutcomeEach(t *testing.T) {
	var c collected
	s := New(c.outcome)
	entries := entered(t, s, 6)
	assert.EqualValues(t, 6, s.Count())

	acked := producer.Outcome{State: producer.Acked}
	assert.True(t, s.Settle(entries[2], acked), "from the middle")
	assert.False(t, s.Settle(entries[2], acked), "only once")
	s.Settle(entries[5], acked) // the latest
	s.Settle(entries[0], acked) // the oldest
	s.Refused(entries[3])
	s.Refused(entries[3])
	assert.EqualValues(t, 2, s.Count())
	require.EqualError(t, s.Flush(canceled()), "flush: 2 records without an outcome: context canceled")

	assert.True(t, s.Close())
	assert.False(t, s.Close(), "only the first")
	assert.False(t, s.Enter(entry(9)))
	s.GiveUp(errors.New("the end"))
	for _, e := range entries { // late, and nobody's business any more
		s.Settle(e, acked)
	}
	require.NoError(t, s.Flush(canceled()), "nothing to wait for")
	assert.Equal(t, map[uint64][]producer.State{
		0: {producer.Acked}, 1: {producer.Unknown}, 2: {producer.Acked}, 4: {producer.Unknown}, 5: {producer.Acked},
	}, c.outcomes)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestFlushWaitsForTheCallback: a record counts until its outcome has been taken in.
func TestFlushWaitsForTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		s := New(func(producer.Outcome) { <-slow })
		e := entered(t, s, 1)[0]
		ended, end := context.WithCancelCause(context.Background())
		patient, hasty := make(chan error, 1), make(chan error, 1)
		go func() { patient <- s.Flush(context.Background()) }()
		go func() { hasty <- s.Flush(ended) }()
		go s.Settle(e, producer.Outcome{State: producer.Acked})
		synctest.Wait()
		end(errors.New("no more time"))
		require.EqualError(t, <-hasty, "flush: 1 records without an outcome: no more time")

		over := make(chan struct{})
		go func() {
			s.GiveUp(errors.New("the end"))
			close(over)
		}()
		synctest.Wait()
		require.Empty(t, patient, "the outcome is not taken in yet")
		select {
		case <-over:
			t.Fatal("given up on a record whose outcome is under way")
		default:
		}
		close(slow)
		require.NoError(t, <-patient)
		<-over
	})
}

// TestCloseWaitsForHandOvers: the client must not be closed under one.
func TestCloseWaitsForHandOvers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(nil)
		e := entry(0)
		require.True(t, s.Enter(e))
		closed := make(chan bool)
		go func() { closed <- s.Close() }()
		<-s.Closing()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("closed under a hand-over")
		default:
		}
		s.Refused(e)
		s.Left()
		assert.True(t, <-closed)
	})
}

// TestPages has records of many pages settled in any order, and wants the pages to go with their last record.
func TestPages(t *testing.T) {
	var c collected
	s := New(c.outcome)
	const records = 10*pageEntries + 7
	entries := entered(t, s, records)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(records) {
		if i%(2*pageEntries) != 5 { // one of every second page is left
			s.Settle(entries[i], producer.Outcome{State: producer.Acked})
		}
	}
	assert.EqualValues(t, 6, s.Count())
	pages := 0
	for p := s.current; p != nil; p = p.next {
		pages++
	}
	assert.Equal(t, 6, pages)
	assert.LessOrEqual(t, len(s.entries()), 5*pageEntries/16+7, "what has its outcome is not held")

	s.Close()
	s.GiveUp(errors.New("the end"))
	assert.Zero(t, s.Count())
	require.Len(t, c.outcomes, records)
	for sequence, states := range c.outcomes {
		want := producer.Acked
		if sequence%(2*pageEntries) == 5 {
			want = producer.Unknown
		}
		require.Equal(t, []producer.State{want}, states, sequence)
	}
}

func TestEntryThatHasNotEntered(t *testing.T) {
	s := New(func(producer.Outcome) { t.Error("an outcome") })
	assert.False(t, s.Settle(entry(0), producer.Outcome{State: producer.Acked}))
	assert.False(t, s.Refused(entry(0)))
	assert.Zero(t, s.Count())
}

// TestEverythingAtOnce has several goroutines hand over, settle and flush, and one close and give up in the middle.
func TestEverythingAtOnce(t *testing.T) {
	var outcomes, entered atomic.Int64
	s := New(func(producer.Outcome) { outcomes.Add(1) })
	client := make(chan *Entry, 3*pageEntries)
	var senders, others sync.WaitGroup
	for range 3 {
		senders.Go(func() {
			for n := range uint64(20_000) {
				e := entry(n)
				if !s.Enter(e) {
					return
				}
				if n%100 == 99 {
					s.Refused(e)
				} else {
					entered.Add(1)
					client <- e
				}
				s.Left()
			}
		})
		others.Go(func() {
			for e := range client {
				if e.Record.Token.Sequence%50 != 7 { // which the client never returns
					s.Settle(e, producer.Outcome{State: producer.Acked})
				}
			}
		})
	}
	others.Go(func() {
		for outcomes.Load() < 30_000 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			_ = s.Flush(ctx)
			cancel()
			assert.GreaterOrEqual(t, s.Count(), int64(0))
		}
		s.Close()
		s.GiveUp(errors.New("the end"))
	})
	senders.Wait()
	close(client)
	others.Wait()
	assert.Equal(t, entered.Load(), outcomes.Load())
	assert.Zero(t, s.Count())
}
