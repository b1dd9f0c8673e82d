package sarama

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestMessage(t *testing.T) {
	r := record(7)
	m := messageOf(r)
	key, err := m.Key.Encode()
	require.NoError(t, err)
	assert.Equal(t, r.Key, key)
	assert.Equal(t, len(r.Key), m.Key.Length())
	value, err := m.Value.Encode()
	require.NoError(t, err)
	assert.Equal(t, r.Value, value)
	assert.Equal(t, len(r.Value), m.Value.Length())
	assert.Same(t, m, m.Metadata)
	assert.Equal(t, producer.OffsetUnset, m.Offset)

	r.Headers = append(r.Headers, producer.Header{Key: "b", Value: []byte("2")}, producer.Header{Key: "c"})
	m = messageOf(r)
	require.Len(t, m.Headers, 3)
	for i, want := range []string{"fleetproof", "b", "c"} {
		assert.Equal(t, want, string(m.Headers[i].Key))
		assert.Equal(t, r.Headers[i].Value, m.Headers[i].Value)
	}
}

// messageOf is a message as Send makes it.
func messageOf(record *producer.Record) *message {
	m := new(messages).take()
	m.fill(record)
	return m
}

// TestMessagesAreDistinct has several goroutines take and give: nobody gets a message that another has.
func TestMessagesAreDistinct(t *testing.T) {
	var all messages
	var taking sync.WaitGroup
	for range 4 {
		taking.Go(func() {
			held := make([]*message, 0, 3*blockMessages)
			for range 200 {
				for len(held) < cap(held) {
					m := all.take()
					if m.Record != nil {
						t.Error("somebody has it")
						return
					}
					m.Record = new(producer.Record)
					held = append(held, m)
				}
				for _, m := range held {
					m.Record = nil
					all.give(m)
				}
				held = held[:0]
			}
		})
	}
	taking.Wait()
}

// TestMessagesAreUsedAgain wants the same memory after as many others as blocks have to rest, with nothing left of its past.
func TestMessagesAreUsedAgain(t *testing.T) {
	var all messages
	first := all.take()
	first.fill(record(1))
	first.Partition, first.Offset = 7, 8
	all.give(first)
	others := 0
	for ; ; others++ {
		require.Less(t, others, 10*blockMessages)
		m := all.take()
		if m == first {
			break
		}
		all.give(m)
	}
	assert.Equal(t, (1+blocksRest)*blockMessages-1, others)
	first.fill(record(2))
	assert.Equal(t, record(2).Timestamp, first.Timestamp)
	assert.Equal(t, noPartition, first.Partition)
	assert.Equal(t, producer.OffsetUnset, first.Offset)
}

func TestMessagesNotGivenBackAreNotUsedAgain(t *testing.T) {
	var all messages
	held := all.take()
	for range 20 * blockMessages {
		m := all.take()
		require.NotSame(t, held, m)
		all.give(m)
	}
}

func TestMessagesKeepNoMoreThanTheyNeed(t *testing.T) {
	var all messages
	var taken []*message
	for range 2 * blocksMost * blockMessages {
		taken = append(taken, all.take())
	}
	for _, m := range taken {
		all.give(m)
	}
	assert.Len(t, all.rested, blocksMost)
}

func TestMessagesCostNothing(t *testing.T) {
	var all messages
	r := record(1)
	round := func() {
		m := all.take()
		m.fill(r)
		all.give(m)
	}
	for range 10 * blockMessages {
		round()
	}
	assert.Zero(t, testing.AllocsPerRun(100*blockMessages, round), "allocations per record")
}
