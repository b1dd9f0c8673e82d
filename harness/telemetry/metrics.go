// Package telemetry shows a run to Prometheus while it goes on.
//
// It takes what the harness tells it, record by record and second by second, and gives a page in Prometheus' format with
// fifteen metrics on a registry of its own. It decides nothing and knows no scenario, no verdict and no Kafka: the
// verdict rests on the evidence, never on what was scraped.
//
//	harness ── Sent, Outcome, Stats, Process, … ──▶ Metrics ──▶ GET /metrics ◀── Prometheus
//
// A nil *Metrics is a run without telemetry: every method may be called on it and does nothing.
//
// No metric carries a device, a room or a fleet as a label. A fleet of 10,000 devices would make 10,000 series of each,
// and Prometheus would be the first thing the load test breaks. The only label is a record's state, of which there
// are three.
//
// Records are those of the devices, as in the report: alerts, which are published a second time, are counted only by the
// producer itself, in its batches, retries and queued records.
//
// Histograms have native buckets (about 10 % wide) for a Prometheus that scrapes them, and classic buckets for any other.
package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What can become of a record that was handed over.
const (
	acked   = "acked"
	failed  = "failed"
	unknown = "unknown"
)

// Metrics holds the fifteen metrics. Its methods may be called from any goroutine.
type Metrics struct {
	registry *prometheus.Registry

	records, bytes, batches, retries, dropped prometheus.Counter
	errors                                    map[string]prometheus.Counter
	sendLatency                               map[string]prometheus.Observer
	serialization, compression                prometheus.Histogram
	goroutines, memory, cpu                   prometheus.Gauge
	devices, connections, queued              prometheus.Gauge

	sample sample

	mu                       sync.Mutex
	lastBatches, lastRetries int64 // what Stats was told before
}

// New returns metrics at zero.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),

		records: counter("records_total", "Records of devices handed over to the producer under test, those it refused included. Alerts are not counted."),
		bytes:   counter("bytes_total", "Payload bytes of the records of devices handed over to the producer under test, before compression."),
		batches: counter("batches_total", "Record batches sent by the producer under test, per partition and attempt."),
		retries: counter("retries_total", "Attempts beyond the first, as the producer under test counts them."),
		dropped: counter("dropped_total", "Records that fell due and were never handed over: shed on purpose, or unsent when the load ended."),

		serialization: histogram("serialization_latency_seconds", "Time to make the payload of one record.",
			prometheus.ExponentialBuckets(250e-9, 2, 14)),
		compression: histogram("compression_latency_seconds",
			"Time to compress one batch, probed: a producer does not tell its own, so once a second the harness fills a batch "+
				"with payloads just sent and compresses it with the codec of the run. No observations without compression.",
			prometheus.ExponentialBuckets(5e-6, 2, 14)),

		goroutines:  gauge("goroutines", "Goroutines of the harness process, producer and embedded broker included."),
		memory:      gauge("memory_bytes", "Resident memory of the harness process, producer and embedded broker included."),
		cpu:         gauge("cpu_cores", "Processor cores in use by the harness process, producer and embedded broker included."),
		devices:     gauge("devices", "Simulated devices."),
		connections: gauge("connections", "Open connections from the producer under test to brokers."),
		queued:      gauge("queued_records", "Records, alerts included, handed over to the producer under test and still without an outcome."),
	}
	errorsByState := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "errors_total",
		Help: "Records that came back as an error: failed is certainly not in the log, unknown may be.",
	}, []string{"state"})
	latencyByState := prometheus.NewHistogramVec(
		histogramOpts("send_latency_seconds", "Time from handing a record over to the producer under test until its outcome.",
			prometheus.ExponentialBuckets(250e-6, 2, 18)),
		[]string{"state"})
	m.errors, m.sendLatency = map[string]prometheus.Counter{}, map[string]prometheus.Observer{}
	for _, state := range []string{acked, failed, unknown} {
		m.sendLatency[state] = latencyByState.WithLabelValues(state)
	}
	for _, state := range []string{failed, unknown} {
		m.errors[state] = errorsByState.WithLabelValues(state)
	}
	m.registry.MustRegister(m.records, m.bytes, m.batches, m.retries, m.dropped, errorsByState,
		latencyByState, m.serialization, m.compression,
		m.goroutines, m.memory, m.cpu, m.devices, m.connections, m.queued)
	return m
}

const namespace = "fleetproof"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(histogramOpts(name, help, buckets))
}

// histogramOpts bounds the native buckets, so that a run of hours on a hurt cluster does not grow a series without end.
func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// Serialized says how long the payload of one record took to make.
func (m *Metrics) Serialized(took time.Duration) {
	if m == nil {
		return
	}
	m.serialization.Observe(took.Seconds())
}

// Sent counts a record that was handed over. The payload is only read, and not kept beyond the call.
func (m *Metrics) Sent(payload []byte) {
	if m == nil {
		return
	}
	m.records.Inc()
	m.bytes.Add(float64(len(payload)))
	m.sample.offer(payload)
}

// Outcome counts what became of a record, acked, failed or unknown, latency after it was handed over. Any other state
// counts for nothing.
func (m *Metrics) Outcome(state string, latency time.Duration) {
	if m == nil {
		return
	}
	if observer, known := m.sendLatency[state]; known {
		observer.Observe(latency.Seconds())
	}
	if counter, known := m.errors[state]; known {
		counter.Inc()
	}
}

// Dropped counts records that fell due and were never handed over.
func (m *Metrics) Dropped(records int64) {
	if m == nil {
		return
	}
	m.dropped.Add(float64(records))
}

// Stats takes a producer's running totals of batches and retries, and its connections and queued records as they are
// now. Totals that shrink are those of a new producer, which counts from zero.
func (m *Metrics) Stats(batches, retries, connections, queued int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches.Add(grown(m.lastBatches, batches))
	m.retries.Add(grown(m.lastRetries, retries))
	m.connections.Set(float64(connections))
	m.queued.Set(float64(queued))
	m.lastBatches, m.lastRetries = batches, retries
}

func grown(last, now int64) float64 {
	if now < last {
		return float64(now)
	}
	return float64(now - last)
}

// Process says what the harness process uses now: processor cores and resident bytes, nil where the system does not tell,
// and goroutines.
func (m *Metrics) Process(cpu *float64, rss *int64, goroutines int64) {
	if m == nil {
		return
	}
	if cpu != nil {
		m.cpu.Set(*cpu)
	}
	if rss != nil {
		m.memory.Set(float64(*rss))
	}
	m.goroutines.Set(float64(goroutines))
}

// Devices says how many devices are simulated.
func (m *Metrics) Devices(n int) {
	if m == nil {
		return
	}
	m.devices.Set(float64(n))
}
