package fleettest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
)

// stored is the log of a scene: what another client than the one under test finds in it, in the order of each partition.
type stored struct {
	records    []*kgo.Record
	bySequence map[int][]*kgo.Record
}

// read reads the log to its present end, around the links and whatever has happened to the brokers.
func (s *scene) read(ctx context.Context) (stored, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all := stored{bySequence: map[int][]*kgo.Record{}}
	starts := map[int32]kgo.Offset{}
	for partition := range int32(partitions) {
		starts[partition] = kgo.NewOffset().At(0)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(s.cluster.Bootstrap()...),
		kgo.Dialer(s.cluster.Dial),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.topic: starts}),
		kgo.FetchMaxWait(moment),
	)
	if err != nil {
		return all, fmt.Errorf("read the log back: %w", err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, s.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return all, fmt.Errorf("read the log back: %w", err)
	}
	left := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return all, fmt.Errorf("read the log back: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			all.records = append(all.records, r)
			if i, ok := sequenceOf(r); ok {
				all.bySequence[i] = append(all.bySequence[i], r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all, nil
}

// sequenceOf says which record of the book a stored one is.
func sequenceOf(r *kgo.Record) (sequence int, ok bool) {
	i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == identity })
	if i < 0 {
		return 0, false
	}
	sequence, err := strconv.Atoi(string(r.Headers[i].Value))
	return sequence, err == nil
}

// differs says in what a stored record is not the one that was sent; empty: it is.
func differs(r *kgo.Record, sent producer.Record) string {
	switch {
	case !bytes.Equal(r.Key, sent.Key):
		return fmt.Sprintf("the key is %q, sent was %q", r.Key, sent.Key)
	case !bytes.Equal(r.Value, sent.Value):
		return fmt.Sprintf("the value is %q, sent was %q", cut(r.Value), cut(sent.Value))
	case !r.Timestamp.Equal(sent.Timestamp.Truncate(time.Millisecond)):
		return fmt.Sprintf("the timestamp is %s, sent was %s", r.Timestamp.UTC(), sent.Timestamp)
	case !slices.EqualFunc(r.Headers, sent.Headers, func(a kgo.RecordHeader, b producer.Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	}):
		return fmt.Sprintf("the headers are %q, sent were %q", r.Headers, sent.Headers)
	}
	return ""
}

// cut is the beginning of a value, for a message.
func cut(value []byte) []byte {
	const shown = 64
	return value[:min(shown, len(value))]
}
