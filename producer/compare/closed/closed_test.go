package closed

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fleettest"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestClosedLoopConforms(t *testing.T) {
	kind := Kind(sarama.Kind(), 1000)
	assert.Equal(t, "closed-sarama", kind.Name)
	fleettest.Conform(t, kind.New)
}

// scripted is a client that does in Send what it was told to.
type scripted struct {
	producer.Producer
	send func(*producer.Record) error
}

func (s scripted) Send(_ context.Context, record *producer.Record) error { return s.send(record) }

// TestTooManyOutcomes is a client that breaks its contract: the harness notes that, if the loop does not stand still.
func TestTooManyOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails where everything waits
		var got []producer.Outcome
		refusal := errors.New("too large")
		kind := Kind(producer.Kind{New: func(_ context.Context, _ producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
			return scripted{send: func(record *producer.Record) error {
				outcome(producer.Outcome{Record: record})
				outcome(producer.Outcome{Record: record})
				return refusal
			}}, nil
		}}, 1)
		loop, err := kind.New(t.Context(), producer.Config{}, func(o producer.Outcome) { got = append(got, o) })
		require.NoError(t, err)
		require.ErrorIs(t, loop.Send(t.Context(), new(producer.Record)), refusal)
		require.ErrorIs(t, loop.Send(t.Context(), new(producer.Record)), refusal)
		assert.Len(t, got, 4)
	})
}

// TestPlaces is a client that gives its outcomes later.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var settle func()
		sent := 0
		kind := Kind(producer.Kind{New: func(_ context.Context, _ producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
			settle = func() { outcome(producer.Outcome{}) }
			return scripted{send: func(*producer.Record) error { sent++; return nil }}, nil
		}}, 2)
		loop, err := kind.New(t.Context(), producer.Config{}, func(producer.Outcome) {})
		require.NoError(t, err)
		go func() {
			for range 4 {
				assert.NoError(t, loop.Send(t.Context(), new(producer.Record)))
			}
		}()
		synctest.Wait()
		assert.Equal(t, 2, sent, "no more than there are places")
		settle()
		synctest.Wait()
		assert.Equal(t, 3, sent)
		settle()
		synctest.Wait()
		assert.Equal(t, 4, sent)
	})
}
