package assertions

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSampledInPhases(t *testing.T) {
	rising := func(e *Evidence) {
		for i := range e.Samples {
			e.Samples[i].Goroutines = int64(100 + i)
		}
	}
	for text, want := range map[string]float64{
		"goroutines.max < 1000":                     114, // also after the load
		"goroutines.max < 1000 during run":          114,
		"goroutines.min < 1000 during stage hold":   102,
		"goroutines.max < 1000 during stage hold":   112,
		"goroutines.mean < 1000 during fault crash": 104.5,
		"goroutines.max < 1000 during anomaly hvac": 110,
		"goroutines.min < 1000 outside faults":      102,
		"goroutines.mean < 1000":                    107,
	} {
		judgement := judgedOnce(t, with(rising), text)
		if assert.NotNil(t, judgement.Got, text) {
			assert.InDelta(t, want, *judgement.Got, 1e-9, text)
		}
	}
	none := judgedOnce(t, with(func(e *Evidence) { e.Samples = e.Samples[:2] }), "cpu.max < 1 during anomaly hvac")
	assert.Equal(t, Inconclusive, none.Verdict)
	assert.Equal(t, "the harness was not sampled in anomaly hvac", none.Reason)
}

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
		{"scattered", sampledFor(time.Hour, second, func(at time.Duration) float64 { return 40*mib + at.Hours()*1.1*mib + random.ExpFloat64()*200*mib }), Inconclusive, 1.1, "the samples scatter too much: the limit lies in the 99% confidence interval of the slope"},
		{"just long enough", sampledFor(10*time.Minute, second, saw), Pass, 0, ""},
		{"too short", sampledFor(10*time.Minute-second, second, saw), Inconclusive, -1, "a slope needs 10m of samples, there are 599 s"},
		{"too few", sampledFor(time.Hour, 5*time.Minute, saw), Inconclusive, -1, "a slope needs samples in each of 20 equal stretches, 13 have some"},
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
}
