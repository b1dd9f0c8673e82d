package harness

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// echo is a client, a broker and a reader's client in one: it acknowledges records and gives them back to read when so many
// others have been sent after them, and costs next to nothing itself.
type echo struct {
	run     *run
	flight  []*producer.Record
	ends    [24]int64
	read    [readAtOnce]kgo.Record
	headers [readAtOnce]kgo.RecordHeader
	batch   []*kgo.Record // of read
}

func (e *echo) Send(_ context.Context, record *producer.Record) error {
	const inFlight = 16 * readAtOnce
	e.flight = append(e.flight, record)
	if len(e.flight) < 2*inFlight {
		return nil
	}
	for batch := range slices.Chunk(e.flight[:inFlight], readAtOnce) {
		e.answer(batch)
	}
	e.flight = append(e.flight[:0], e.flight[inFlight:]...)
	return nil
}

func (e *echo) answer(records []*producer.Record) {
	e.batch = e.batch[:0]
	scenario := e.run.scenario
	for i, record := range records {
		partition, header := scenario.Producer.Partitioner.Partition(record.Key, int32(scenario.Topic.Partitions)), record.Headers[0]
		e.headers[i] = kgo.RecordHeader{Key: header.Key, Value: header.Value}
		e.read[i] = kgo.Record{
			Topic: record.Topic, Key: record.Key, Value: record.Value, Partition: partition, Offset: e.ends[partition],
			Headers: e.headers[i : i+1],
		}
		e.ends[partition]++
		e.batch = append(e.batch, &e.read[i])
	}
	e.run.see(e.run.clock(), e.batch...)
	for i, record := range records {
		e.run.guest.take(producer.Outcome{
			Record: record, State: producer.Acked, Partition: e.read[i].Partition, Offset: e.read[i].Offset,
		})
	}
}

func (e *echo) Flush(context.Context) error { return nil }
func (e *echo) Close(context.Context) error { return nil }
func (e *echo) Stats() producer.Stats       { return producer.Stats{} }

// echoed is a load whose records come back by the client, which is an echo or has one. Each call of next plays one record;
// so many are taken from the schedule at once.
func echoed(tb testing.TB, client producer.Producer, echo *echo, taken int, set ...string) (next func()) {
	scenario, err := Load("../testdata/throughput/throughput.yaml", Overrides{Set: append(set, "load.stages.hold.for=100h")})
	require.NoError(tb, err)
	r := newRun(scenario, producer.Kind{Name: "echo"}, Options{})
	echo.run, r.guest.producer = r, client
	r.faults = fault.NewRunner(nil, fault.Field{})
	r.epoch = time.Now()
	l := &load{run: r, room: make([]generator.Due, 0, taken)}
	return func() {
		if l.first == l.last {
			if len(l.due) == 0 {
				l.tell()
				l.due = l.take(r.generator.Pace().End())
			}
			n := min(len(l.due), preparedAtOnce)
			l.prepare(l.due[:n])
			l.due = l.due[n:]
		}
		l.hand(tb.Context())
	}
}

// holdsOne is in how many records there is one that a slowForSome holds: so few that most slabs have none of them.
const holdsOne = 997

// slowForSome is a client that has no answer yet for some records.
type slowForSome struct {
	echo
	sent int
	held []*producer.Record
}

func (s *slowForSome) Send(ctx context.Context, record *producer.Record) error {
	if s.sent++; s.sent%holdsOne == 0 {
		s.held = append(s.held, record)
		return nil
	}
	return s.echo.Send(ctx, record)
}

// A record in flight keeps its memory, however many others come and go meanwhile, and wherever in its slab it lies.
func TestRecordsInFlightKeepTheirMemory(t *testing.T) {
	for _, taken := range []int{1, 37, turn} { // no turn, and every kind of turn within what is prepared at once
		client := new(slowForSome)
		next := echoed(t, client, &client.echo, taken, "fleets.climate.devices=1000")
		for range 2 * slabRecords * holdsOne { // they lie in every place of a slab
			next()
		}
		require.GreaterOrEqual(t, len(client.held), 2*slabRecords)
		for n, record := range client.held {
			id, intact, err := parseIdentity(record.Headers[0].Value, record.Key, record.Value)
			require.NoError(t, err, "%d taken at once, record %d", taken, n)
			require.True(t, intact)
			require.Equal(t, record.Token.Device, id.Device)
			require.Equal(t, record.Token.Sequence, id.Sequence)
		}
	}
}

// BenchmarkRecord is what a record costs the harness: made, handed over, acknowledged, read back and accounted for, with
// three sensors, trends, jitter and an anomaly. Client, broker and reading client cost nothing. It also reports what a
// device takes in memory, with the generator, the ledger and the schedule, when each has sent a record.
func BenchmarkRecord(b *testing.B) {
	for _, devices := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			before := heap()
			client := new(echo)
			next := echoed(b, client, client, turn, fmt.Sprintf("fleets.climate.devices=%d", devices))
			for range devices {
				next()
			}
			memory := heap() - before
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				next()
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(memory)/float64(devices), "bytes/device")
		})
	}
}

// A record itself costs none. What is left are the names of the devices that an anomaly may befall, one in a hundred, as their
// readings are decoded, and now and then the ledger's tables and the timeline's histograms.
func TestRecordsAreNotAllocated(t *testing.T) {
	for _, sensors := range []string{"[temperature]", "[temperature,humidity,pressure,switch,current]"} {
		client := new(echo)
		next := echoed(t, client, client, 50, "fleets.climate.devices=1000", "fleets.climate.sensors="+sensors)
		thousand := func() {
			for range 1000 {
				next()
			}
		}
		for range 10 {
			thousand()
		}
		assert.Less(t, testing.AllocsPerRun(20, thousand), 20., "allocations per thousand records of %s", sensors)
	}
}

// BenchmarkStart is what a million devices take until the load could begin: the scenario is loaded, planned, and the run made
// ready.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		scenario, err := Load("../testdata/throughput/throughput.yaml", Overrides{Set: []string{"fleets.climate.devices=1000000"}})
		require.NoError(b, err)
		require.NoError(b, scenario.WritePlan(io.Discard))
		newRun(scenario, producer.Kind{Name: "none"}, Options{})
	}
}

// heap is how many bytes are alive.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
