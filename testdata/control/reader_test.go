package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
