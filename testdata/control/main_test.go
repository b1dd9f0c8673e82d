package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/generator"
)

func TestAwaitEndsWhenAllThatWasAcknowledgedIsRead(t *testing.T) {
	var r reader
	r.consumed.Store(3)
	require.NoError(t, r.await(t.Context(), 3, time.Minute))
	require.NoError(t, r.await(t.Context(), 2, time.Minute), "a record that failed is in the log nevertheless")
}

func TestAwaitSaysWhatIsMissing(t *testing.T) {
	var r reader
	r.consumed.Store(3)
	require.EqualError(t, r.await(t.Context(), 5, time.Millisecond),
		"3 of 5 acknowledged records were read back, and none more for 1ms (oracle.read_timeout)")
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r reader
	require.ErrorIs(t, r.await(ctx, 1, time.Minute), context.Canceled)
}

func TestShrunkKeepsProportions(t *testing.T) {
	devices := func(fleets []generator.Fleet) (all []int) {
		for _, fleet := range fleets {
			all = append(all, fleet.Devices)
		}
		return all
	}
	large := []generator.Fleet{{Devices: 750_000}, {Devices: 250_000}, {Devices: 1}}
	assert.Equal(t, []int{29_999, 9_999, 1}, devices(shrunk(large, 40_000)))
	assert.Equal(t, []int{750_000, 250_000, 1}, devices(large), "those of the scenario")
	assert.Equal(t, []int{750_000, 250_000, 1}, devices(shrunk(large, 2_000_000)), "few enough")
}

func TestMergeCountsBoth(t *testing.T) {
	var all, some, others times
	for range 3 {
		some.record(10 * time.Millisecond)
		others.record(time.Second)
	}
	all.merge(&some)
	assert.InDelta(t, 0.01, all.quantile(0.9), 1e-9)
	all.merge(&others)
	assert.InDelta(t, 0.01, all.quantile(0.4), 1e-9)
	assert.InDelta(t, 1, all.quantile(0.9), 1e-9)
}
