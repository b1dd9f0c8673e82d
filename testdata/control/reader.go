package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// reader reads everything back as the harness does, and trims the log behind it.
type reader struct {
	client   *kgo.Client
	admin    *kadm.Client
	topic    string
	consumed atomic.Int64
}

// newReader has the options of the harness's own reader (harness/readback.go) but for its name and for those that only matter under faults.
func newReader(cluster *broker.Cluster, topic string) (*reader, error) {
	var direct []string
	for _, node := range cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(direct...),
		kgo.Dialer(cluster.Dial),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.FetchMaxBytes(16 << 20),
		kgo.FetchMaxPartitionBytes(2 << 20),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Second),
		kgo.KeepControlRecords(),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}
	made, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &reader{client: made, admin: kadm.NewClient(made), topic: topic}, nil
}

// read reads until ctx ends or the client is closed. Once a second it deletes what was read.
func (r *reader) read(ctx context.Context) {
	next := map[int32]int64{}
	trimmed := time.Now()
	for {
		fetches := r.client.PollRecords(ctx, 10_000)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
			if n := len(fetched.Records); n > 0 {
				next[fetched.Partition] = fetched.Records[n-1].Offset + 1
				r.consumed.Add(int64(n))
			}
		})
		if time.Since(trimmed) < time.Second {
			continue
		}
		trimmed = time.Now()
		read := kadm.Offsets{}
		for partition, offset := range next {
			read.AddOffset(r.topic, partition, offset, -1)
		}
		go func() { _, _ = r.admin.DeleteRecords(ctx, read) }()
	}
}

// await waits until so many records were read as were acknowledged, at most that long without any progress. Records that
// failed are not waited for: none may be in the log, and one that is only lets the wait end earlier.
func (r *reader) await(ctx context.Context, acked int64, limit time.Duration) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	var last int64
	progressed := time.Now()
	for {
		consumed := r.consumed.Load()
		if consumed >= acked {
			return nil
		}
		if consumed != last {
			last, progressed = consumed, time.Now()
		}
		if time.Since(progressed) > limit {
			return fmt.Errorf("%d of %d acknowledged records were read back, and none more for %s (oracle.read_timeout)",
				consumed, acked, limit)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
}

func (r *reader) close() { r.client.Close() }
