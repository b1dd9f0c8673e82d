package assertions

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sampledFor is evidence of a run of some length whose heap is a function of time.
func sampledFor(length, every time.Duration, heap func(at time.Duration) float64) *Evidence {
	e := healthyRun()
	e.Samples = nil
	for at := time.Duration(0); at <= length; at += every {
		e.Samples = append(e.Samples, Sample{At: at, Heap: int64(heap(at))})
	}
	return e
}

func TestSlope(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	saw := func(at time.Duration) float64 { return 40*mib + float64(at%(7*second))/float64(second)*8*mib }
	for _, test := range []struct {
		name     string
		evidence *Evidence
		verdict  Verdict // of heap.slope < 1MiB/h
		got      float64 // in MiB/h; −1: none
		reason   string
	}{
		{"flat", sampledFor(time.Hour, second, func(time.Duration) float64 { return 40 * mib }), Pass, 0, ""},
		{"a sawtooth", sampledFor(time.Hour, second, saw), Pass, 0, ""},
		{"a sawtooth that leaks", sampledFor(time.Hour, second, func(at time.Duration) float64 { return saw(at) + at.Hours()*3*mib }), Fail, 3, ""},
		{"shrinking", sampledFor(time.Hour, second, func(at time.Duration) float64 { return saw(at) - at.Hours()*3*mib }), Pass, -3, ""},
		{"a warm-up of two minutes", sampledFor(time.Hour, second, func(at time.Duration) float64 { return 90*mib*min(1, at.Minutes()/2) + saw(at) }), Pass, 0, ""},
		{"a single jump", sampledFor(time.Hour, second, func(at time.Duration) float64 {
			if at > 55*time.Minute {
				return 400 * mib
			}
			return 40 * mib
		}), Pass, 0, ""},
		{"scattered", sampledFor(time.Hour, second, func(at time.Duration) float64 { return 40*mib + at.Hours()*1.1*mib + random.ExpFloat64()*200*mib }), Inconclusive, 1.1,
			"too uncertain: with a confidence of 99% the slope lies between -1.39257 MiB/h and 3.77153 MiB/h"},
		{"just long enough", sampledFor(10*time.Minute, second, saw), Pass, 0, ""},
		{"too short", sampledFor(10*time.Minute-second, second, saw), Inconclusive, -1, "a slope needs 10m from its first to its last sample (oracle.slope_length), there are 599 s"},
		{"few, which is enough", sampledFor(time.Hour, 6*time.Minute, func(time.Duration) float64 { return 40 * mib }), Pass, 0, ""},
		{"too few", sampledFor(time.Hour, 7*time.Minute, saw), Inconclusive, -1, "a slope needs at least 10 samples, there are 9"},
		{"one", sampledFor(0, second, saw), Inconclusive, -1, "a slope needs 10m from its first to its last sample (oracle.slope_length), there are 0 s"},
	} {
		judgement := judgedOnce(t, test.evidence, "heap.slope < 1MiB/h")
		assert.Equal(t, test.verdict, judgement.Verdict, "%s: %s", test.name, judgement)
		assert.Equal(t, "B/h", judgement.Unit)
		if test.got == -1 {
			assert.Nil(t, judgement.Got, test.name)
		} else if assert.NotNil(t, judgement.Got, test.name) {
			assert.InDelta(t, test.got, *judgement.Got/mib, 0.5, test.name)
		}
		if test.reason != "" {
			assert.Equal(t, test.reason, judgement.Reason, test.name)
		}
	}
	growing := judgedOnce(t, sampledFor(time.Hour, second, func(at time.Duration) float64 { return (40 + 3*at.Hours()) * mib }), "heap.slope < 1MiB/h")
	assert.Equal(t, "got 3 MiB/h over 3601 samples; 40 MiB at 0.0 s, 42.85 MiB at 3420.0 s; replay: --set seed=7", growing.Reason)
}

// inFault says whether a moment lies in a fault of soaked evidence, or in the recovery after it.
func inFault(at time.Duration) bool {
	return at >= 45*second && (at-45*second)%time.Minute < 3*second
}

// instead gives another metric the latencies that ack_latency has in soaked evidence.
func instead(metric string) func(*Evidence) {
	return func(e *Evidence) {
		for i := range e.Slices {
			e.Slices[i].Histograms = map[string][]byte{metric: e.Slices[i].Histograms[metricAckLatency]}
		}
	}
}

// TestSlopeOfALatency: growing, steady and with nothing to go by.
func TestSlopeOfALatency(t *testing.T) {
	growing := func(at time.Duration) float64 { return 20_000 + 60_000*at.Hours() } // 60 ms an hour
	shaky := rand.New(rand.NewPCG(1, 6))
	stalled := func(every time.Duration) func(*Evidence) {
		return func(e *Evidence) {
			for from := 32 * second; from < 630*second; from += every {
				e.Stalls = append(e.Stalls, Stall{Span{from, from + second}})
			}
		}
	}
	for _, test := range []struct {
		name     string
		evidence *Evidence
		text     string
		verdict  Verdict
		reason   string
	}{
		{"steady", soaked(steady), "ack_latency.slope < 50ms/h outside faults", Pass, ""},
		{"growing within the limit", soaked(growing), "ack_latency.slope < 100ms/h", Pass, ""},
		{
			"growing", soaked(growing), "ack_latency.slope < 50ms/h outside faults", Fail,
			"got 60 ms/h over 450,000 records; p99 20.511 ms at 37.5 s, 30.015 ms at 607.5 s; replay: --set seed=7",
		},
		{"shrinking", soaked(func(at time.Duration) float64 { return 20_000 - 60_000*at.Hours() }), "ack_latency.slope < 0ms/h", Pass, ""},
		{"worse in faults, and that more and more", soaked(func(at time.Duration) float64 {
			if inFault(at) { // in the first second of a slice
				return 100_000 + 100_000*at.Minutes()
			}
			return 20_000
		}), "ack_latency.slope < 50ms/h outside faults", Pass, ""},
		{"a jump", soaked(func(at time.Duration) float64 {
			if at > 10*time.Minute {
				return 500_000
			}
			return 20_000
		}), "ack_latency.slope < 50ms/h", Pass, ""},
		{
			"scattered", soaked(func(time.Duration) float64 { return 20_000 + 20_000*shaky.ExpFloat64() }), "ack_latency.slope < 1ms/h", Inconclusive,
			"too uncertain: with a confidence of 99% the slope lies between ",
		},
		{"stalls, but not all the time", soaked(growing, stalled(30*second)), "ack_latency.slope < 50ms/h", Fail, "got "},
		{
			"a stall in every slice", soaked(growing, stalled(15*second)), "ack_latency.slope < 50ms/h", Inconclusive,
			"too uncertain: with a confidence of 99% the slope lies between ",
		},
		{
			"too short", soaked(steady), "ack_latency.slope < 50ms/h during stage warmup", Inconclusive,
			"a slope needs 10m from its first to its last sample (oracle.slope_length), there are 30 s",
		},
		{
			"too few records", soaked(steady, func(e *Evidence) {
				for i := range e.Slices {
					e.Slices[i].Histograms = map[string][]byte{metricAckLatency: histogram(149, ms)} // two slices a stretch
				}
			}), "ack_latency.slope < 50ms/h", Inconclusive,
			"a slope needs 300 samples together in each of at least 10 of 20 equal stretches, 0 have as many",
		},
		{
			"more than can be measured, now and then", soaked(steady, func(e *Evidence) {
				for i := range e.Slices {
					if i%3 == 0 { // of two in a stretch, one
						e.Slices[i].Beyond = map[string]int64{metricAckLatency: 100_000}
					}
				}
			}), "ack_latency.slope < 50ms/h", Pass, "",
		},
		{
			"more than can be measured", soaked(steady, func(e *Evidence) {
				for i := range e.Slices {
					e.Slices[i].Beyond = map[string]int64{metricAckLatency: 100_000}
				}
			}), "ack_latency.slope < 50ms/h", Inconclusive, "a slope needs 300 samples together in each of at least 10 of 20 equal stretches, 0 have as many",
		},
		{"a machine that is busy now and then", soaked(func(at time.Duration) float64 {
			if at/(15*second)%2 == 0 {
				return 20_000 + 500_000*shaky.ExpFloat64()
			}
			return growing(at)
		}), "ack_latency.slope < 50ms/h", Fail, "got "},
		{
			"nothing", soaked(steady, func(e *Evidence) {
				for i := range e.Slices {
					e.Slices[i].Histograms = nil
				}
			}), "ack_latency.slope < 50ms/h", Inconclusive, "ack_latency has no samples in run",
		},
		{
			"not read to the end", soaked(growing, instead(metricE2eLatency), func(e *Evidence) { e.Readback = Readback{Reason: "no progress"} }),
			"e2e_latency.slope < 50ms/h", Inconclusive, "not everything in the log was read back: no progress",
		},
		{
			"acknowledged all the same", soaked(growing, func(e *Evidence) { e.Readback = Readback{Reason: "no progress"} }),
			"ack_latency.slope < 50ms/h", Fail, "got ",
		},
		{
			"interrupted", soaked(growing, func(e *Evidence) { e.Run.Interrupted, e.Run.LoadEnded = true, 629*second }),
			"ack_latency.slope < 50ms/h", Inconclusive, "the load was interrupted at 629.0 s of 630.0 s, and what was left of it is not known",
		},
	} {
		judgement := judgedOnce(t, test.evidence, test.text)
		assert.Equal(t, test.verdict, judgement.Verdict, "%s: %s", test.name, judgement)
		assert.Contains(t, judgement.Reason, test.reason, test.name)
		assert.Equal(t, "s/h", judgement.Unit)
	}
	for _, metric := range []string{metricScheduleLag, metricBlocked, metricSendLatency, metricE2eLatency} {
		e := soaked(growing, instead(metric))
		assert.Equal(t, Fail, judgedOnce(t, e, metric+".slope < 50ms/h outside faults").Verdict, metric)
		assert.Equal(t, Pass, judgedOnce(t, e, metric+".slope < 70ms/h outside faults").Verdict, metric)
	}
}

// TestSlopeOutsideFaults cuts out what a warm-up and faults do to the process, and not what leaks.
func TestSlopeOutsideFaults(t *testing.T) {
	const text = "goroutines.slope < 30/h outside faults"
	alive := func(goroutines func(at time.Duration) int64) func(*Evidence) {
		return func(e *Evidence) {
			for i := range e.Samples {
				e.Samples[i].Goroutines = goroutines(e.Samples[i].At)
			}
		}
	}
	more := func(at time.Duration) int64 { // in the warm-up, and in every fault than in the one before
		switch {
		case at < 30*second:
			return int64(at / second)
		case inFault(at):
			return 50 + 10*int64(at/time.Minute)
		default:
			return 50
		}
	}
	judgement := judgedOnce(t, soaked(steady, alive(more)), text)
	assert.Equal(t, Pass, judgement.Verdict, judgement)
	require.NotNil(t, judgement.Got)
	assert.Zero(t, *judgement.Got)
	assert.EqualValues(t, 461, judgement.Samples, "of 600 in the judged stage: without the slices that faults touch")

	leak := func(at time.Duration) int64 { return more(at) + int64(at/time.Minute) } // one for each fault
	judgement = judgedOnce(t, soaked(steady, alive(leak)), text)
	assert.Equal(t, Fail, judgement.Verdict, judgement)
	assert.InDelta(t, 60, *judgement.Got, 5)

	// A machine that does not keep up leaves more and more waiting.
	starved := func(e *Evidence) {
		for i := 20; i < 30; i++ {
			e.Slices[i].Late = 2000
		}
	}
	judgement = judgedOnce(t, soaked(steady, alive(leak), starved), text)
	assert.Equal(t, Inconclusive, judgement.Verdict, judgement)
	assert.Contains(t, judgement.Reason, "the generator fell behind its own schedule: ")
	judgement = judgedOnce(t, soaked(steady, alive(leak), starved), "goroutines.max < 10 outside faults")
	assert.Equal(t, Fail, judgement.Verdict, "what there was, there was")

	// Faults may leave nothing of some stretches of the run, which are not stretches of what is outside faults then.
	long := func(e *Evidence) {
		e.Faults = e.Faults[:2]
		e.Faults[0].HealedAt, e.Faults[0].ResumedAt = 4*time.Minute, 4*time.Minute
		e.Faults[1].InjectedAt, e.Faults[1].HealedAt, e.Faults[1].ResumedAt = 5*time.Minute, 8*time.Minute, 8*time.Minute
	}
	assert.Equal(t, Pass, judgedOnce(t, soaked(steady, long), text).Verdict)
	assert.Equal(t, Pass, judgedOnce(t, soaked(steady, long), "ack_latency.slope < 50ms/h outside faults").Verdict)
	judgement = judgedOnce(t, soaked(steady, alive(leak), long), text)
	assert.Equal(t, Fail, judgement.Verdict, judgement)
}

// TestEqualStretches: as much time each, whatever lies in between, and a slice goes where its middle lies.
func TestEqualStretches(t *testing.T) {
	cut := func(widths ...int) []Slice {
		var parts []Slice
		at := time.Duration(0)
		for i, width := range widths {
			at += time.Duration(i%3) * time.Minute // what was cut out
			parts = append(parts, Slice{Span: Span{at, at + time.Duration(width)*second}})
			at += time.Duration(width) * second
		}
		return parts
	}
	sizes := func(stretches [][]Slice) []int {
		var sizes []int
		for _, stretch := range stretches {
			sizes = append(sizes, len(stretch))
		}
		return sizes
	}
	ones := make([]int, 40)
	for i := range ones {
		ones[i] = 1
	}
	assert.Equal(t, []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, sizes(equalStretches(cut(ones...))))
	assert.Equal(t, []int{1, 1, 1}, sizes(equalStretches(cut(1, 8, 1))), "one that is longer than a stretch leaves others without any")
	assert.Equal(t, []int{1}, sizes(equalStretches(cut(5))))
	assert.Equal(t, []int{2, 1}, sizes(equalStretches(cut(1, 1, 98))))
}
