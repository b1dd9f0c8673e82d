package harness

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
)

// unanswered is a client that accepts records, whose outcomes are told later.
type unanswered struct {
	idle
	send func(*producer.Record)
}

func (u *unanswered) Send(_ context.Context, record *producer.Record) error {
	u.send(record)
	return nil
}

// TestLoadEndedByMemoryIsSaidToBe, also when the ledger needs little of it again by the time somebody asks.
func TestLoadEndedByMemoryIsSaidToBe(t *testing.T) {
	r := unplayed(t, Options{}, "oracle.ledger_memory=1MiB", "load.stages.hold.for=1m", "load.stages.hold.rate=20000/s")
	var sent []producer.Token
	r.guest.producer = &unanswered{send: func(record *producer.Record) {
		token, offset := record.Token, int64(2*len(sent))
		sent = append(sent, token)
		for copied := range int64(2) { // which of them is meant is not known before the acknowledgement, so both are kept
			r.readings.Seen(assertions.Sighting{
				Device: token.Device, Sequence: token.Sequence, Due: token.Due, At: r.clock(), Offset: offset + copied,
			})
		}
	}}
	r.epoch = time.Now()
	(&load{run: r}).play(t.Context(), t.Context())
	require.Less(t, r.loadEnded, time.Minute)
	for i, token := range sent {
		require.True(t, r.readings.Acked(token.Device, token.Sequence, 0, int64(2*i)))
	}
	require.False(t, r.exceeded())
	assert.Equal(t, "the ledger would have needed more than its 1MiB", r.cutShort)
}
