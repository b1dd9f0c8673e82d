package sarama

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

func TestInFlight(t *testing.T) {
	var f inFlight
	messages := make([]*message, 5)
	for i := range messages {
		messages[i] = newMessage(record(i))
		require.True(t, f.enter(messages[i]))
		f.handed()
	}
	assert.EqualValues(t, 5, f.count.Load())

	assert.True(t, f.settle(messages[2]), "from the middle")
	assert.False(t, f.settle(messages[2]), "only once")
	assert.True(t, f.settle(messages[4]), "the latest")
	assert.True(t, f.settle(messages[0]), "the oldest")
	f.withdraw(messages[3])
	assert.EqualValues(t, 4, f.count.Load(), "claimed is not done")

	assert.True(t, f.close())
	assert.False(t, f.close(), "only the first")
	assert.False(t, f.enter(newMessage(record(9))))
	assert.Same(t, messages[1], f.take())
	assert.Nil(t, f.take())
	assert.False(t, f.settle(messages[1]), "taken")
	for range 4 {
		require.ErrorIs(t, f.wait(canceled()), context.Canceled)
		f.done()
	}
	require.NoError(t, f.wait(canceled()), "nothing to wait for")
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestInFlightWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f inFlight
		m := newMessage(record(0))
		require.True(t, f.enter(m))
		ended, end := context.WithCancelCause(context.Background())
		patient, hasty := make(chan error, 1), make(chan error, 1)
		go func() { patient <- f.wait(context.Background()) }()
		go func() { hasty <- f.wait(ended) }()
		synctest.Wait()
		end(errors.New("no more time"))
		require.EqualError(t, <-hasty, "no more time")

		require.True(t, f.settle(m))
		synctest.Wait()
		require.Empty(t, patient, "the outcome is not delivered yet")
		f.done()
		require.NoError(t, <-patient)
	})
}

func TestMessage(t *testing.T) {
	r := record(7)
	m := newMessage(r)
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
	m = newMessage(r)
	require.Len(t, m.Headers, 3)
	for i, want := range []string{"fleetproof", "b", "c"} {
		assert.Equal(t, want, string(m.Headers[i].Key))
		assert.Equal(t, r.Headers[i].Value, m.Headers[i].Value)
	}
}
