package franz

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/fleetproof/fleetproof/producer"
)

// BenchmarkSend shows what a record costs with a broker that throws it away. One allocation is the message.
func BenchmarkSend(b *testing.B) {
	c := start(b, 1, kfake.BlackholeProduce())
	config := settings(c.ListenAddrs())
	config.Batch = producer.Batch{Bytes: 1 << 20, Linger: 5 * time.Millisecond}
	p := connect(b, config, func(producer.Outcome) {})
	records := make([]*producer.Record, 50) // one for each key; they are sent again and again, but never changed
	for i := range records {
		records[i] = record(i)
		records[i].Value = make([]byte, 200)
	}
	ctx := context.Background()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		require.NoError(b, p.Send(ctx, records[i]))
		i = (i + 1) % len(records)
	}
	require.NoError(b, p.Flush(ctx))
}
