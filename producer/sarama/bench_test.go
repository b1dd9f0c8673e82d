package sarama

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// BenchmarkSend shows what a record costs: in all, with a broker that throws it away, and of that the part that is ours.
func BenchmarkSend(b *testing.B) {
	payload := make([]byte, 200)
	r := record(42)
	r.Value = payload
	ctx := context.Background()

	b.Run("sarama", func(b *testing.B) {
		c := start(b, 1, kfake.BlackholeProduce())
		config := settings(c.ListenAddrs())
		config.Batch = producer.Batch{Bytes: 1 << 20, Linger: 5 * time.Millisecond}
		p := connect(b, config, func(producer.Outcome) {})
		records := make([]*producer.Record, 50) // one for each key; they are sent again and again, but never changed
		for i := range records {
			records[i] = record(i)
			records[i].Value = payload
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			require.NoError(b, p.Send(ctx, records[i]))
			i = (i + 1) % len(records)
		}
		require.NoError(b, p.Flush(ctx))
	})

	b.Run("ours", func(b *testing.B) {
		input := make(chan *sarama.ProducerMessage)
		p := &asyncProducer{input: input, pending: inflight.New(func(producer.Outcome) {})}
		go func() {
			for m := range input {
				if p.settle(m, producer.Acked, nil) {
					p.messages.give(m.Metadata.(*message))
				}
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Send(ctx, r); err != nil {
				b.Fatal(err)
			}
		}
		close(input)
		require.NoError(b, p.Flush(ctx))
	})
}
