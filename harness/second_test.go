package harness

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
)

// second is a second producer behind the contract: a thin cover over franz-go, with none of the settings but where a
// record goes. It shows that the harness knows nothing of the client under test.
type second struct {
	client   *kgo.Client
	config   producer.Config
	outcome  func(producer.Outcome)
	inFlight sync.WaitGroup
	queued   atomic.Int64
	closed   atomic.Bool
}

// only is a client at hand under the name that scenarios give by default.
func only(connect producer.New) []producer.Kind {
	return []producer.Kind{{Name: "sarama", Version: "v0.0.0", New: connect}}
}

func connectSecond(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(config.Bootstrap...),
		kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
			return func(record *kgo.Record, partitions int) int {
				return int(config.Partitioner.Partition(record.Key, int32(partitions)))
			}
		})),
	)
	if err != nil {
		return nil, err
	}
	return &second{client: client, config: config, outcome: outcome}, client.Ping(ctx)
}

func (p *second) Send(ctx context.Context, record *producer.Record) error {
	if p.closed.Load() {
		return producer.ErrClosed
	}
	headers := make([]kgo.RecordHeader, 0, len(record.Headers))
	for _, header := range record.Headers {
		headers = append(headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	p.inFlight.Add(1)
	p.queued.Add(1)
	sending := &kgo.Record{
		Topic: record.Topic, Key: record.Key, Value: record.Value, Headers: headers, Timestamp: record.Timestamp,
	}
	p.client.Produce(context.WithoutCancel(ctx), sending, func(stored *kgo.Record, err error) {
		defer p.inFlight.Done()
		p.queued.Add(-1)
		if err != nil {
			p.outcome(producer.Outcome{Record: record, State: producer.Unknown, Offset: producer.OffsetUnset, Err: err})
			return
		}
		p.outcome(producer.Outcome{Record: record, State: producer.Acked, Partition: stored.Partition, Offset: stored.Offset})
	})
	return nil
}

func (p *second) Flush(ctx context.Context) error { return p.client.Flush(ctx) }

func (p *second) Close(context.Context) error {
	p.closed.Store(true)
	p.client.Close()
	p.inFlight.Wait()
	return nil
}

func (p *second) Stats() producer.Stats { return producer.Stats{Queued: p.queued.Load()} }
