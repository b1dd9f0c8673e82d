package assertions

import (
	"testing"

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

// TestProcessMetricsNeedToBeTold: zero would pass every limit.
func TestProcessMetricsNeedToBeTold(t *testing.T) {
	for metric, limit := range map[string]string{"cpu": "1", "rss": "1GiB", "open_files": "100"} {
		for name, test := range map[string]struct {
			silent  int // samples without a figure
			verdict Verdict
			samples int64
		}{"never": {15, Inconclusive, 0}, "now and then": {10, Pass, 5}} {
			judgement := judgedOnce(t, with(func(e *Evidence) {
				for i := range test.silent {
					e.Samples[i].CPU, e.Samples[i].RSS, e.Samples[i].OpenFiles = nil, nil, nil
				}
			}), metric+".max < "+limit)
			assert.Equal(t, test.verdict, judgement.Verdict, "%s, told %s", metric, name)
			assert.Equal(t, test.samples, judgement.Samples, "%s, told %s", metric, name)
			if test.verdict == Inconclusive {
				assert.Equal(t, "the operating system does not tell the "+metric+" of the harness", judgement.Reason)
			}
		}
	}
}
