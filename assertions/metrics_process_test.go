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
