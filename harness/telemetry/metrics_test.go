package telemetry

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gathered returns the registry's families by name.
func gathered(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := m.registry.Gather()
	require.NoError(t, err)
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

// histogramOf returns the histogram of a family, of one state where there are several.
func histogramOf(t *testing.T, m *Metrics, name, state string) *dto.Histogram {
	t.Helper()
	family := gathered(t, m)[name]
	require.NotNil(t, family, name)
	for _, metric := range family.GetMetric() {
		if state == "" || metric.GetLabel()[0].GetValue() == state {
			return metric.GetHistogram()
		}
	}
	require.Fail(t, "no such state", "%s %s", name, state)
	return nil
}

func TestTheFifteenMetricsAndTheirTypes(t *testing.T) {
	want := map[string]dto.MetricType{
		"fleetproof_records_total":                 dto.MetricType_COUNTER,
		"fleetproof_bytes_total":                   dto.MetricType_COUNTER,
		"fleetproof_batches_total":                 dto.MetricType_COUNTER,
		"fleetproof_send_latency_seconds":          dto.MetricType_HISTOGRAM,
		"fleetproof_serialization_latency_seconds": dto.MetricType_HISTOGRAM,
		"fleetproof_compression_latency_seconds":   dto.MetricType_HISTOGRAM,
		"fleetproof_errors_total":                  dto.MetricType_COUNTER,
		"fleetproof_retries_total":                 dto.MetricType_COUNTER,
		"fleetproof_dropped_total":                 dto.MetricType_COUNTER,
		"fleetproof_goroutines":                    dto.MetricType_GAUGE,
		"fleetproof_memory_bytes":                  dto.MetricType_GAUGE,
		"fleetproof_cpu_cores":                     dto.MetricType_GAUGE,
		"fleetproof_devices":                       dto.MetricType_GAUGE,
		"fleetproof_connections":                   dto.MetricType_GAUGE,
		"fleetproof_queued_records":                dto.MetricType_GAUGE,
	}
	got := map[string]dto.MetricType{}
	for name, family := range gathered(t, New()) {
		got[name] = family.GetType()
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				assert.Equal(t, "state", label.GetName(), "%s: a label multiplies series", name)
			}
		}
	}
	assert.Equal(t, want, got, "all of them are there before the first record")
}

func TestPrometheusLinterFindsNothing(t *testing.T) {
	problems, err := testutil.GatherAndLint(New().registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestCountersAndGauges(t *testing.T) {
	m := New()
	m.Sent([]byte("twelve bytes"))
	m.Sent([]byte("four"))
	m.Outcome(acked, time.Millisecond)
	m.Outcome(failed, time.Millisecond)
	m.Outcome(unknown, time.Millisecond)
	m.Outcome(unknown, time.Millisecond)
	m.Outcome("invalid state", time.Millisecond)
	m.Dropped(5)
	m.Stats(7, 2, 3, 4)
	m.Process(new(1.5), new(int64(1<<20)), 42)
	m.Process(nil, nil, 42) // what is not told stays
	m.Devices(1000)
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP fleetproof_batches_total Record batches sent by the producer under test, per partition and attempt.
# TYPE fleetproof_batches_total counter
fleetproof_batches_total 7
# HELP fleetproof_bytes_total Payload bytes of the records of devices handed over to the producer under test, before compression.
# TYPE fleetproof_bytes_total counter
fleetproof_bytes_total 16
# HELP fleetproof_connections Open connections from the producer under test to brokers.
# TYPE fleetproof_connections gauge
fleetproof_connections 3
# HELP fleetproof_cpu_cores Processor cores in use by the harness process, producer and embedded broker included.
# TYPE fleetproof_cpu_cores gauge
fleetproof_cpu_cores 1.5
# HELP fleetproof_devices Simulated devices.
# TYPE fleetproof_devices gauge
fleetproof_devices 1000
# HELP fleetproof_dropped_total Records that fell due and were never handed over: shed on purpose, or unsent when the load ended.
# TYPE fleetproof_dropped_total counter
fleetproof_dropped_total 5
# HELP fleetproof_errors_total Records that came back as an error: failed is certainly not in the log, unknown may be.
# TYPE fleetproof_errors_total counter
fleetproof_errors_total{state="failed"} 1
fleetproof_errors_total{state="unknown"} 2
# HELP fleetproof_goroutines Goroutines of the harness process, producer and embedded broker included.
# TYPE fleetproof_goroutines gauge
fleetproof_goroutines 42
# HELP fleetproof_memory_bytes Resident memory of the harness process, producer and embedded broker included.
# TYPE fleetproof_memory_bytes gauge
fleetproof_memory_bytes 1.048576e+06
# HELP fleetproof_queued_records Records, alerts included, handed over to the producer under test and still without an outcome.
# TYPE fleetproof_queued_records gauge
fleetproof_queued_records 4
# HELP fleetproof_records_total Records of devices handed over to the producer under test, those it refused included. Alerts are not counted.
# TYPE fleetproof_records_total counter
fleetproof_records_total 2
# HELP fleetproof_retries_total Attempts beyond the first, as the producer under test counts them.
# TYPE fleetproof_retries_total counter
fleetproof_retries_total 2
`),
		"fleetproof_batches_total", "fleetproof_bytes_total", "fleetproof_connections", "fleetproof_cpu_cores",
		"fleetproof_devices", "fleetproof_dropped_total", "fleetproof_errors_total", "fleetproof_goroutines",
		"fleetproof_memory_bytes", "fleetproof_queued_records", "fleetproof_records_total", "fleetproof_retries_total"))
}

func TestLatencies(t *testing.T) {
	m := New()
	m.Outcome(acked, 3*time.Millisecond)
	m.Outcome(acked, 5*time.Millisecond)
	m.Outcome(unknown, 30*time.Second)
	m.Serialized(2 * time.Microsecond)

	for _, c := range []struct {
		name, state string
		count       uint64
		sum         float64 // seconds
	}{
		{"fleetproof_send_latency_seconds", "acked", 2, 0.008},
		{"fleetproof_send_latency_seconds", "failed", 0, 0},
		{"fleetproof_send_latency_seconds", "unknown", 1, 30},
		{"fleetproof_serialization_latency_seconds", "", 1, 2e-6},
		{"fleetproof_compression_latency_seconds", "", 0, 0},
	} {
		h := histogramOf(t, m, c.name, c.state)
		assert.Equal(t, c.count, h.GetSampleCount(), "%s %s", c.name, c.state)
		assert.InDelta(t, c.sum, h.GetSampleSum(), 1e-12, "%s %s", c.name, c.state)
		assert.NotEmpty(t, h.GetBucket(), "classic buckets of %s", c.name)
		assert.NotZero(t, h.GetSchema(), "native buckets of %s", c.name)
	}
}

func TestClassicBucketsSpanWhatIsMeasured(t *testing.T) {
	for name, span := range map[string][2]time.Duration{
		"fleetproof_send_latency_seconds":          {time.Millisecond, 30 * time.Second},
		"fleetproof_serialization_latency_seconds": {time.Microsecond, time.Millisecond},
		"fleetproof_compression_latency_seconds":   {10 * time.Microsecond, 10 * time.Millisecond},
	} {
		buckets := histogramOf(t, New(), name, "").GetBucket()
		assert.Less(t, buckets[0].GetUpperBound(), span[0].Seconds(), name)
		assert.Greater(t, buckets[len(buckets)-1].GetUpperBound(), span[1].Seconds(), name)
	}
}

func TestStatsAreRunningTotals(t *testing.T) {
	m := New()
	for _, batches := range []int64{10, 10, 25, 4, 6} { // 4: a new producer, which counts from zero
		m.Stats(batches, batches/2, 0, 0)
	}
	assert.InDelta(t, 25+6, testutil.ToFloat64(m.batches), 0)
	assert.InDelta(t, 12+3, testutil.ToFloat64(m.retries), 0)
}

func TestNilMetricsDoNothing(t *testing.T) {
	var m *Metrics
	m.Serialized(time.Second)
	m.Sent([]byte("payload"))
	m.Outcome(acked, time.Second)
	m.Dropped(1)
	m.Stats(1, 1, 1, 1)
	m.Process(new(1.), new(int64(1)), 1)
	m.Devices(1)
	require.NoError(t, m.Probe(context.Background(), "lz4", 1<<10), "and returns at once")
}

func TestManyGoroutinesAtOnce(t *testing.T) {
	m := New()
	m.sample.ask(1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.Sent([]byte("0123456789"))
				m.Outcome(acked, time.Microsecond)
				m.Stats(3, 0, 0, 0)
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, 800, testutil.ToFloat64(m.records), 0)
	assert.InDelta(t, 3, testutil.ToFloat64(m.batches), 0)
	assert.Len(t, m.sample.take(), 1000)
	assert.Equal(t, uint64(800), histogramOf(t, m, "fleetproof_send_latency_seconds", "acked").GetSampleCount())
}

func BenchmarkRecord(b *testing.B) {
	m, payload := New(), make([]byte, 250)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Serialized(time.Microsecond)
			m.Sent(payload)
			m.Outcome(acked, 3*time.Millisecond)
		}
	})
}
