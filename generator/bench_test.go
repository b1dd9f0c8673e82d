package generator

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forever is a load that does not end during a test, with all anomalies on all the time.
func forever(spec Spec, rate float64) Spec {
	spec.Stages = []Stage{{Name: "hold", For: 1000 * time.Hour, Rate: Rate{PerSecond: rate}, Judged: true}}
	for i := range spec.Anomalies {
		spec.Anomalies[i].At, spec.Anomalies[i].For = 0, nil
	}
	return spec
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(string(encoding), func(t *testing.T) {
			g := New(forever(busySpec(5000), 100_000).as(encoding))
			due := make([]Due, 0, 1000)
			payload := make([]byte, 0, 1000)
			records := 0
			thousand := func() {
				due = g.Next(math.MaxInt64, due[:0])
				for _, d := range due {
					payload, _ = g.Append(payload[:0], d)
					records++
				}
			}
			for range 100 { // several laps of both fleets, in which the buckets find their size
				thousand()
			}
			records = 0
			// The count is rounded down: a bucket that outgrows its memory once more is no steady state yet.
			assert.Zero(t, testing.AllocsPerRun(50, thousand))
			require.Equal(t, 51*1000, records)
		})
	}
}

// BenchmarkAppend makes payloads of three sensors with trends and every kind of anomaly on.
func BenchmarkAppend(b *testing.B) {
	for _, encoding := range encodings {
		b.Run(string(encoding), func(b *testing.B) {
			g := New(forever(busySpec(10_000), 100_000).as(encoding))
			due := g.Next(math.MaxInt64, make([]Due, 0, 1<<17))[1<<16:]
			var payload []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				payload, _ = g.Append(payload[:0], due[i%len(due)])
			}
			b.SetBytes(int64(len(payload)))
		})
	}
}

// BenchmarkEncode is the part of it that differs: the bytes of readings that have been measured.
func BenchmarkEncode(b *testing.B) {
	for _, encoding := range encodings {
		b.Run(string(encoding), func(b *testing.B) {
			g := New(forever(busySpec(10_000), 100_000).as(encoding))
			var readings []measured
			for _, d := range g.Next(math.MaxInt64, make([]Due, 0, 10_000)) {
				g.measure(d)
				m := g.measured
				m.values = slices.Clone(m.values)
				readings = append(readings, m)
			}
			var payload []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				payload = g.writer.append(payload[:0], &readings[i%len(readings)])
			}
			b.SetBytes(int64(len(payload)))
		})
	}
}

// BenchmarkRecord is all that the generator does for a record of three sensors: handing out what is due, and making its
// payload, with jitter, trends, every kind of anomaly and faults of delivery on. ns/op is the time for a record.
func BenchmarkRecord(b *testing.B) {
	for _, devices := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			g := New(forever(busySpec(devices/2), 100_000))
			due := make([]Due, 0, 512)
			var payload []byte
			for n := 0; n < devices; n += len(due) { // a lap, in which the buckets find their size
				due = g.Next(math.MaxInt64, due[:0])
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(due) {
				due = g.Next(math.MaxInt64, due[:0])
				for _, d := range due {
					payload, _ = g.Append(payload[:0], d)
				}
			}
		})
	}
}

// BenchmarkNext hands out what is due of two fleets with jitter and faults of delivery.
func BenchmarkNext(b *testing.B) {
	for _, devices := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			g := New(forever(busySpec(devices/2), 100_000))
			due := make([]Due, 0, 1024)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(due) {
				due = g.Next(math.MaxInt64, due[:0])
			}
		})
	}
}

// BenchmarkDecode reads payloads of three sensors back, each of another device.
func BenchmarkDecode(b *testing.B) {
	for _, encoding := range encodings {
		b.Run(string(encoding), func(b *testing.B) {
			g := New(forever(busySpec(10_000), 100_000).as(encoding))
			var payloads [][]byte
			for _, d := range g.Next(math.MaxInt64, make([]Due, 0, 10_000)) {
				payload, _ := g.Append(nil, d)
				payloads = append(payloads, payload)
			}
			var reading Reading
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := encoding.Decode(payloads[i%len(payloads)], &reading); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNew makes the generator of a million devices and lets them all send once; what is kept is stated per device.
func BenchmarkNew(b *testing.B) {
	const devices = 1_000_000
	spec := forever(busySpec(devices/2), 100_000)
	heap := func() float64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc)
	}
	due := make([]Due, 0, 1024)
	for b.Loop() {
		b.StopTimer()
		before := heap()
		b.StartTimer()
		g := New(spec)
		b.StopTimer()
		for n := 0; n < devices; n += len(due) {
			due = g.Next(math.MaxInt64, due[:0])
		}
		b.ReportMetric((heap()-before)/devices, "B/device")
		runtime.KeepAlive(g)
		b.StartTimer()
	}
}

// BenchmarkPacing follows a load of 100,000 records a second by the real clock, as a run does: it makes every record that
// is due, and sleeps until the next one, but at least a millisecond. achieved/target is to be within 1 % of 1.
func BenchmarkPacing(b *testing.B) {
	const rate = 100_000
	spec := forever(busySpec(5000), rate)
	spec.Delivery = Delivery{}
	g := New(spec)
	due := make([]Due, 0, 1024)
	var payload []byte
	var worst time.Duration
	done := 0
	b.ResetTimer()
	began := time.Now()
	for done < b.N {
		now := time.Since(began)
		due = g.Next(now, due[:0])
		for _, d := range due {
			payload, _ = g.Append(payload[:0], d)
			worst = max(worst, time.Since(began)-d.At)
		}
		done += len(due)
		if at, _ := g.NextAt(); len(due) < cap(due) {
			<-time.After(max(at-time.Since(began), time.Millisecond))
		}
	}
	elapsed := time.Since(began).Seconds()
	b.ReportMetric(float64(done)/elapsed/rate, "achieved/target")
	b.ReportMetric(worst.Seconds()*1e3, "worst-lag-ms")
}
