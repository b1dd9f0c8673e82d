package sarama

import (
	"context"
	"maps"
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

func TestMessagesAreDistinct(t *testing.T) {
	var all messages
	taken := make([]map[*message]bool, 4)
	var taking sync.WaitGroup
	for n := range taken {
		taken[n] = map[*message]bool{}
		taking.Go(func() {
			for range 1000 {
				taken[n][all.take()] = true
			}
		})
	}
	taking.Wait()
	together := map[*message]bool{}
	for _, some := range taken {
		maps.Copy(together, some)
	}
	assert.Len(t, together, 4000)
}
