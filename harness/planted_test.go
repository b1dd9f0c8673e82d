package harness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
)

// The bugs planted here stand between the log and the ledger, or between the client and the harness. Each must be found
// through the whole path, as exactly the findings of the table and as nothing else.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, bug := range []struct {
		name     string
		tamper   func() func(*kgo.Record) []*kgo.Record
		producer func(producer.New) producer.New
		found    map[string]int64
	}{
		{name: "none", found: map[string]int64{}},
		{name: "drop", tamper: drop, found: map[string]int64{"acked_lost": 1}},
		{name: "duplicate", tamper: duplicate, found: map[string]int64{"duplicates": 1}},
		{name: "swap", tamper: swap, found: map[string]int64{"reordered": 1}},
		{name: "flip a byte of the payload", tamper: flipPayload, found: map[string]int64{"corrupt": 1}},
		{name: "flip a byte of the identity", tamper: flipIdentity, found: map[string]int64{"corrupt": 1, "acked_lost": 1}},
		{name: "move to another partition", tamper: move, found: map[string]int64{"wrong_partition": 1, "affinity_splits": 1, "offset_mismatches": 1}},
		{name: "shift an offset", tamper: shift, found: map[string]int64{"offset_mismatches": 1}},
		{name: "strip the identity", tamper: strip, found: map[string]int64{"phantoms": 1, "acked_lost": 1}},
		{name: "acknowledge and discard", producer: discarding, found: map[string]int64{"acked_lost": 1}},
		{name: "fail and store", producer: lying, found: map[string]int64{"failed_but_stored": 1}},
		{name: "send memory that is in use again", producer: premature, found: map[string]int64{"corrupt": 1, "reordered": 1}},
	} {
		t.Run(bug.name, func(t *testing.T) {
			options := Options{Producers: only(connectSecond)}
			if bug.producer != nil {
				options.Producers = only(bug.producer(connectSecond))
			}
			if bug.tamper != nil {
				options.tamper = bug.tamper()
			}
			result := runText(t, strings.Replace(plainScenario, "1000/s", "4000/s", 1), options)
			for metric, got := range result.Counts {
				if _, isFinding := findings[metric]; isFinding {
					assert.Equal(t, bug.found[metric], got, metric)
				}
			}
			want := assertions.Pass
			if len(bug.found) > 0 {
				want = assertions.Fail
			}
			assert.Equal(t, want, result.Verdict, "%+v", result.Expectations)
		})
	}
}

// findings are the metrics that a planted bug may raise; all others are counts of what was sent.
var findings = map[string]struct{}{
	"acked_lost": {}, "duplicates": {}, "reordered": {}, "affinity_splits": {}, "wrong_partition": {},
	"phantoms": {}, "corrupt": {}, "offset_mismatches": {}, "failed_but_stored": {}, "truncated": {},
}

// victim is the offset of the record that is tampered with, in the partition that reaches it first.
const victim = 5

// once applies a change to one record of the run.
func once(change func(*kgo.Record) []*kgo.Record) func() func(*kgo.Record) []*kgo.Record {
	return func() func(*kgo.Record) []*kgo.Record {
		done := false
		return func(record *kgo.Record) []*kgo.Record {
			if done || record.Offset != victim {
				return []*kgo.Record{record}
			}
			done = true
			return change(record)
		}
	}
}

var (
	drop      = once(func(*kgo.Record) []*kgo.Record { return nil })
	duplicate = once(func(record *kgo.Record) []*kgo.Record { return []*kgo.Record{record, record} })
	shift     = once(func(record *kgo.Record) []*kgo.Record {
		record.Offset += 1_000_000
		return []*kgo.Record{record}
	})
	move = once(func(record *kgo.Record) []*kgo.Record {
		record.Partition = (record.Partition + 1) % 4
		return []*kgo.Record{record}
	})
	flipPayload = once(func(record *kgo.Record) []*kgo.Record {
		record.Value = slices.Clone(record.Value)
		record.Value[len(record.Value)/2] ^= 1
		return []*kgo.Record{record}
	})
	flipIdentity = once(func(record *kgo.Record) []*kgo.Record {
		header := slices.Clone(record.Headers[0].Value)
		header[20] ^= 1
		record.Headers = []kgo.RecordHeader{{Key: identityHeader, Value: header}}
		return []*kgo.Record{record}
	})
	strip = once(func(record *kgo.Record) []*kgo.Record {
		record.Headers = nil
		return []*kgo.Record{record}
	})
)

// swap holds one record back until the next one of the same device.
func swap() func(*kgo.Record) []*kgo.Record {
	var held *kgo.Record
	done := false
	return func(record *kgo.Record) []*kgo.Record {
		switch {
		case held != nil && string(held.Key) == string(record.Key):
			pair := []*kgo.Record{record, held}
			held, done = nil, true
			return pair
		case held == nil && !done && record.Offset == victim:
			held = record
			return nil
		default:
			return []*kgo.Record{record}
		}
	}
}

// discarding is a client that acknowledges one record without sending it.
func discarding(connect producer.New) producer.New {
	return func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connect(ctx, config, outcome)
		return &discarder{Producer: inner, outcome: outcome}, err
	}
}

type discarder struct {
	producer.Producer
	outcome func(producer.Outcome)
	sent    atomic.Int64
}

func (d *discarder) Send(ctx context.Context, record *producer.Record) error {
	if d.sent.Add(1) == 100 {
		d.outcome(producer.Outcome{Record: record, State: producer.Acked, Offset: producer.OffsetUnset})
		return nil
	}
	return d.Producer.Send(ctx, record)
}

// lying is a client that stores a record and calls it failed.
func lying(connect producer.New) producer.New {
	return func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		var count atomic.Int64
		return connect(ctx, config, func(o producer.Outcome) {
			if count.Add(1) == 100 {
				o.State, o.Err = producer.Failed, context.Canceled
			}
			outcome(o)
		})
	}
}

// premature is a client that acknowledges a record while it still needs its payload, of which it has made no copy: by the time
// it sends the record, the payload's memory belongs to another one.
func premature(connect producer.New) producer.New {
	return func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		h := &early{outcome: outcome}
		inner, err := connect(ctx, config, func(o producer.Outcome) {
			if o.Record != h.held {
				outcome(o)
			}
		})
		h.Producer = inner
		return h, err
	}
}

type early struct {
	producer.Producer
	outcome func(producer.Outcome)
	sent    int
	held    *producer.Record
}

func (h *early) Send(ctx context.Context, record *producer.Record) error {
	if h.sent++; h.sent != 100 {
		return h.Producer.Send(ctx, record)
	}
	held := *record
	held.Key = slices.Clone(record.Key)
	held.Headers = []producer.Header{{Key: identityHeader, Value: slices.Clone(record.Headers[0].Value)}}
	h.held = &held
	h.outcome(producer.Outcome{Record: record, State: producer.Acked, Offset: producer.OffsetUnset})
	return nil
}

func (h *early) Flush(ctx context.Context) error {
	return errors.Join(h.Producer.Send(ctx, h.held), h.Producer.Flush(ctx))
}

const plainScenario = `
version: 1
name: plain
description: A small fleet for tests.
broker: {brokers: 1}
topic: {name: device-data, partitions: 4}
fleets: [{name: climate, devices: 20, interval: 1s, sensors: [temperature]}]
load: {stages: [{name: hold, for: 1s, rate: 1000/s}]}
expect: [promised]
`

// runText plays a scenario given as text.
func runText(t *testing.T, text string, options Options) *assertions.Result {
	t.Helper()
	scenario, err := Parse(t.Name()+".yaml", []byte(text), Overrides{})
	require.NoError(t, err)
	result, err := Run(t.Context(), scenario, options)
	require.NoError(t, err)
	return result
}
