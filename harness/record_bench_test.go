package harness

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// echo is a client, a broker and a reader's client in one: it acknowledges a record and gives it back to read when so many
// others have been sent after it, and costs next to nothing itself.
type echo struct {
	run    *run
	flight []*producer.Record
	ends   [24]int64
	read   kgo.Record
}

func (e *echo) Send(_ context.Context, record *producer.Record) error {
	const inFlight = 1000
	e.flight = append(e.flight, record)
	if len(e.flight) < 2*inFlight {
		return nil
	}
	for _, record := range e.flight[:inFlight] {
		e.answer(record)
	}
	e.flight = append(e.flight[:0], e.flight[inFlight:]...)
	return nil
}

func (e *echo) answer(record *producer.Record) {
	partition := e.run.expected(record.Key)
	header := record.Headers[0]
	e.read = kgo.Record{
		Topic: record.Topic, Key: record.Key, Value: record.Value, Partition: partition, Offset: e.ends[partition],
		Headers: []kgo.RecordHeader{{Key: header.Key, Value: header.Value}},
	}
	e.ends[partition]++
	at := e.run.clock()
	due, _ := e.run.see(&e.read, at)
	e.run.timeline.Consumed(at, due)
	e.run.guest.take(producer.Outcome{Record: record, State: producer.Acked, Partition: partition, Offset: e.read.Offset})
}

func (e *echo) Flush(context.Context) error { return nil }
func (e *echo) Close(context.Context) error { return nil }
func (e *echo) Stats() producer.Stats       { return producer.Stats{} }

// BenchmarkRecord is what a record costs the harness: made, handed over, acknowledged, read back and accounted for, with
// ten thousand devices of three sensors, trends, jitter and an anomaly. Client, broker and reading client cost nothing.
func BenchmarkRecord(b *testing.B) {
	scenario, err := Load("../testdata/throughput/throughput.yaml", Overrides{Set: []string{"load.stages.hold.for=100h"}})
	require.NoError(b, err)
	client := new(echo)
	r := newRun(scenario, producer.Kind{Name: "echo"}, Options{})
	client.run, r.guest.producer = r, client
	r.faults = fault.NewRunner(nil, fault.Field{})
	r.epoch = time.Now()
	l := &load{run: r}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if len(l.due) == 0 {
			l.tell()
			l.due = l.take(r.generator.Pace().End())
		}
		l.hand(b.Context(), l.due[0])
		l.due = l.due[1:]
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
