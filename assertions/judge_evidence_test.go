package assertions

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	ms     = time.Millisecond
	second = time.Second
	mib    = 1 << 20
)

// healthyRun is evidence of a small run in which all is well: two seconds of warm-up and ten of load at 1,000 records a
// second, a fault from 4 s to 5 s that is felt until 5.2 s, an anomaly from 8 s to 10 s, and alerts.
func healthyRun() *Evidence {
	e := &Evidence{
		Format: EvidenceFormat,
		Run: RunInfo{
			ID: "r1", Scenario: "crash", Description: "a broker crashes", Seed: 7, Devices: 100,
			Started: time.Date(2026, 1, 12, 9, 0, 0, 123456789, time.FixedZone("CET", 3600)), Duration: 15*second + 250*ms, LoadEnded: 12 * second,
			Versions: map[string]string{"fleetproof": "dev", "sarama": "v1.61.1", "broker": "kfake", "go": "go1.26"},
		},
		Setting: Setting{
			Acks: "all", Idempotent: true, Partitioner: "hash", FixedPartition: true, ReplicationFactor: 3, MinInsyncReplicas: 2,
			Faults: true, Alerts: true, Rescan: true,
		},
		Rules: Rules{AchievedFloor: 0.95, LagLimit: 250 * ms, StallLimit: 250 * ms, SlopeLength: 10 * time.Minute},
		Stages: []Stage{
			{Name: "warmup", Target: 1000, Span: Span{0, 2 * second}},
			{Name: "hold", Judged: true, Target: 1000, Span: Span{2 * second, 12 * second}},
		},
		Faults: []Fault{{
			Name: "crash", Do: "crash", Target: "broker 1", Hits: 12, Proof: "connections refused",
			InjectedAt: 4 * second, ProvenAt: 4*second + 10*ms, HealedAt: 5 * second, ResumedAt: 5*second + 200*ms,
		}},
		Anomalies: []Anomaly{{Name: "hvac", Do: "drift", Span: Span{8 * second, 10 * second}, Injected: 60, Devices: 6, Detected: 6}},
		Alerts:    &Alerts{Due: 40},
		Readback:  Readback{Complete: true, Rescan: true},
	}
	for i := range 12 {
		e.Slices = append(e.Slices, second1000(i))
	}
	e.Gaps = []Gap{{Partition: 1, Span: Span{3 * second, 3*second + 50*ms}}, {Partition: 2, Span: Span{4 * second, 4*second + 900*ms}}}
	for i := range 4 {
		e.Partitions = append(e.Partitions, PartitionCount{Partition: int32(i), Consumed: 3000})
	}
	for i := range 15 {
		e.Samples = append(e.Samples, Sample{At: time.Duration(i) * second, CPU: new(0.5), RSS: new(int64(100 << 20)), Heap: 40 << 20, Goroutines: 50, OpenFiles: new(int64(20))})
	}
	findings := func() map[string]Found {
		found := make(map[string]Found)
		for f := range findingCount {
			found[f.String()] = Found{}
		}
		return found
	}
	e.Streams = []Stream{
		{Name: "readings", Topic: "device-data", Findings: findings(), Counts: Counts{Due: 12000, Sent: 12000, Acked: 12000, Consumed: 12000}},
		{Name: "alerts", Topic: "alerts", Findings: findings(), Counts: Counts{Due: 40, Sent: 40, Acked: 40, Consumed: 40}},
	}
	return e
}

// soaked is evidence of ten minutes at 1,000 records a second after half a minute of warm-up, in slices of fifteen seconds,
// with a fault of two seconds every minute that is felt for another one, and a p99 of ack_latency in microseconds that is a
// function of time.
func soaked(p99 func(at time.Duration) float64, changes ...func(*Evidence)) *Evidence {
	e := healthyRun()
	e.Stages = []Stage{
		{Name: "warmup", Target: 1000, Span: Span{0, 30 * second}},
		{Name: "hold", Judged: true, Target: 1000, Span: Span{30 * second, 630 * second}},
	}
	e.Run.LoadEnded = 630 * second
	e.Anomalies, e.Gaps, e.Slices, e.Faults, e.Samples = nil, nil, nil, nil, nil
	for at := time.Duration(0); at < 630*second; at += 15 * second {
		e.Slices = append(e.Slices, Slice{
			Span: Span{at, at + 15*second}, Due: 15000, Sent: 15000, OnTime: 15000, Acked: 15000, Consumed: 15000,
			Histograms: map[string][]byte{metricAckLatency: histogram(14500, ms, 500, time.Duration(p99(at))*histogramUnit)},
		})
	}
	balanced(e)
	for i := range 10 {
		from := 45*second + time.Duration(i)*time.Minute
		e.Faults = append(e.Faults, Fault{
			Name: "silence", Repetition: i + 1, Do: "lose_ack", Target: "all", Hits: 5, Proof: "produce responses swallowed",
			InjectedAt: from, ProvenAt: from + 100*ms, HealedAt: from + 2*second, ResumedAt: from + 3*second,
		})
	}
	for i := range 640 {
		e.Samples = append(e.Samples, Sample{At: time.Duration(i) * second, CPU: new(0.5), RSS: new(int64(100 * mib)), Heap: 40 * mib, Goroutines: 50, OpenFiles: new(int64(20))})
	}
	for _, change := range changes {
		change(e)
	}
	return e
}

func steady(time.Duration) float64 { return 20_000 }

// second1000 is a slice of one second in which 1,000 records went well.
func second1000(i int) Slice {
	return Slice{
		Span: Span{time.Duration(i) * second, time.Duration(i+1) * second},
		Due:  1000, Sent: 1000, OnTime: 1000, Acked: 1000, Consumed: 1000, Bytes: 200_000,
		Histograms: map[string][]byte{metricScheduleLag: well1000()[0], metricAckLatency: well1000()[1], metricE2eLatency: well1000()[2]},
	}
}

// well1000 are the histograms of a thousand records that went well: schedule_lag, ack_latency and e2e_latency.
var well1000 = sync.OnceValue(func() [3][]byte {
	return [3][]byte{histogram(1000, ms), histogram(990, 5*ms, 10, 20*ms), histogram(990, 10*ms, 10, 40*ms)}
})

// histogram encodes pairs of a count and a latency.
func histogram(pairs ...time.Duration) []byte {
	h := newHistogram(fineDigits)
	for i := 0; i < len(pairs); i += 2 {
		if err := h.RecordValues(int64(pairs[i+1]/histogramUnit), int64(pairs[i])); err != nil {
			panic(err)
		}
	}
	return encodeHistogram(h)
}

// complete adds the latencies that most tests do without.
func complete(e *Evidence) {
	for i := range e.Slices {
		e.Slices[i].Histograms[metricBlocked], e.Slices[i].Histograms[metricSendLatency] = well1000()[0], well1000()[0]
	}
}

// with is healthy evidence with changes.
func with(changes ...func(*Evidence)) *Evidence {
	e := healthyRun()
	for _, change := range changes {
		change(e)
	}
	return e
}

// each changes slices, by their numbers.
func each(from, to int, change func(*Slice)) func(*Evidence) {
	return func(e *Evidence) {
		for i := from; i < to; i++ {
			change(&e.Slices[i])
		}
	}
}

// balanced makes the stream's counts follow its slices.
func balanced(e *Evidence) {
	counts := countsOf(e.Slices)
	e.Streams[0].Counts = *counts
}

// slow gives records of slices another latency of a metric.
func slow(metric string, from, to int, pairs ...time.Duration) func(*Evidence) {
	return each(from, to, func(s *Slice) { s.Histograms[metric] = histogram(pairs...) })
}

// slowClient is a client that takes 180 records a second of a thousand, on a machine of which nothing is known.
func slowClient(e *Evidence) {
	e.Faults, e.Setting.Faults = nil, false
	each(2, 12, func(s *Slice) {
		s.Sent, s.OnTime, s.Acked, s.Consumed, s.Unsent = 180, 180, 180, 180, 820
		s.Histograms[metricScheduleLag] = histogram(180, 800*ms, 820, 8*second)
		s.Histograms[metricBlocked] = histogram(180, 5*ms)
		s.Histograms[metricAckLatency] = histogram(180, 800*ms, 820, 8*second)
	})(e)
	balanced(e)
}

// busy says how busy the machine was at some seconds, or at all.
func busy(share float64, seconds ...int) func(*Evidence) {
	return func(e *Evidence) {
		for i := range e.Samples {
			if len(seconds) == 0 || slices.Contains(seconds, i) {
				e.Samples[i].Busy = &share
			}
		}
	}
}

// found plants findings that are due at a moment.
func found(f finding, count int64, due time.Duration) func(*Evidence) {
	return func(e *Evidence) {
		name := f.String()
		e.Streams[0].Findings[name] = Found{Count: count, First: []Offender{
			{Device: "climate-0042", Sequence: 118, Due: due, Partition: 3, Offset: 77},
		}}
		if due == Never {
			return
		}
		for i := range e.Slices {
			if s := &e.Slices[i]; s.From <= due && due < s.To {
				s.Findings = map[string]int64{name: count}
			}
		}
	}
}

// empty leaves a run in which nothing happened.
func empty(e *Evidence) {
	for i := range e.Slices {
		e.Slices[i] = Slice{Span: e.Slices[i].Span}
	}
	for i := range e.Streams {
		e.Streams[i].Counts = Counts{}
	}
	e.Gaps, e.Partitions, e.Samples, e.Alerts = nil, nil, nil, &Alerts{}
	e.Anomalies[0] = Anomaly{Name: "hvac", Do: "drift", Span: e.Anomalies[0].Span}
	e.Faults[0].InjectedAt, e.Faults[0].ProvenAt, e.Faults[0].HealedAt, e.Faults[0].ResumedAt, e.Faults[0].Hits = Never, Never, Never, Never, 0
}

// judged judges evidence against expectations.
func judged(t *testing.T, e *Evidence, texts ...string) *Result {
	t.Helper()
	var stated []Stated
	for _, text := range texts {
		stated = append(stated, Stated{Text: text, Origin: "crash.yaml:40"})
	}
	result, err := Judge(e, stated)
	require.NoError(t, err)
	return result
}

// judgedOnce judges evidence against one expectation.
func judgedOnce(t *testing.T, e *Evidence, text string) Judgement {
	t.Helper()
	result := judged(t, e, text)
	require.Len(t, result.Expectations, 1)
	return result.Expectations[0]
}

// rewritten is evidence as it comes back from a file.
func rewritten(t *testing.T, e *Evidence) *Evidence {
	t.Helper()
	text, err := json.Marshal(e)
	require.NoError(t, err)
	again := new(Evidence)
	require.NoError(t, json.Unmarshal(text, again))
	return again
}
