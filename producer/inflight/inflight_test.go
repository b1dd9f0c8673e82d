package inflight

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

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
	s.Settle(entries[2], acked) // from the middle
	s.Settle(entries[2], acked) // only once
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

func TestSet(t *testing.T) {
	s := New(nil)
	entries := make([]*Entry, 5)
	for i := range entries {
		entries[i] = entry(uint64(i))
		require.True(t, s.Enter(entries[i]))
		s.Left()
	}
	assert.EqualValues(t, 5, s.Count())

	assert.True(t, s.claim(entries[2]), "from the middle")
	assert.False(t, s.claim(entries[2]), "only once")
	assert.True(t, s.claim(entries[4]), "the latest")
	assert.True(t, s.claim(entries[0]), "the oldest")
	s.Refused(entries[3])
	assert.EqualValues(t, 4, s.Count(), "claimed is not done")

	assert.True(t, s.Close())
	assert.False(t, s.Close(), "only the first")
	assert.False(t, s.Enter(entry(9)))
	assert.Same(t, entries[1], s.take())
	assert.Nil(t, s.take())
	assert.False(t, s.claim(entries[1]), "taken")
	for range 4 {
		require.ErrorIs(t, s.wait(canceled()), context.Canceled)
		s.done()
	}
	require.NoError(t, s.wait(canceled()), "nothing to wait for")
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(nil)
		e := entry(0)
		require.True(t, s.Enter(e))
		ended, end := context.WithCancelCause(context.Background())
		patient, hasty := make(chan error, 1), make(chan error, 1)
		go func() { patient <- s.wait(context.Background()) }()
		go func() { hasty <- s.wait(ended) }()
		synctest.Wait()
		end(errors.New("no more time"))
		require.EqualError(t, <-hasty, "no more time")

		require.True(t, s.claim(e))
		synctest.Wait()
		require.Empty(t, patient, "the outcome is not delivered yet")
		s.done()
		require.NoError(t, <-patient)
	})
}
