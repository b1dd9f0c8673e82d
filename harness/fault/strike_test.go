package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTokens(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name      string
		rate      float64
		occasions []time.Duration
		taken     []bool
	}{
		{"the first at once, then one a second", 1,
			[]time.Duration{0, 0, 500 * ms, 999 * ms, 1000 * ms, 1001 * ms, 2000 * ms},
			[]bool{true, false, false, false, true, false, true}},
		{"nothing is made up for", 1,
			[]time.Duration{0, 10_000 * ms, 10_000 * ms, 10_500 * ms, 11_000 * ms},
			[]bool{true, true, false, false, true}},
		{"every 300 ms", 10. / 3,
			[]time.Duration{0, 299 * ms, 301 * ms, 600 * ms, 602 * ms},
			[]bool{true, false, true, false, true}},
		{"bursts of 10 ms", 200,
			[]time.Duration{0, 0, 0, 5 * ms, 5 * ms, 1000 * ms, 1000 * ms, 1000 * ms},
			[]bool{true, true, false, true, false, true, true, false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tokens := newTokens(test.rate, 0)
			for i, at := range test.occasions {
				assert.Equal(t, test.taken[i], tokens.take(at), "occasion %d at %s", i, at)
			}
		})
	}
}

// count makes so many occasions, spread over a time, and counts how many are struck.
func count(spec Spec, occasions int, over time.Duration) (struck int) {
	var now time.Duration
	s := newStrikes(spec, func() time.Duration { return now }, rand.New(rand.NewPCG(1, 2)))
	for i := range occasions {
		now = over * time.Duration(i) / time.Duration(occasions)
		if s.strike() {
			struck++
		}
	}
	return struck
}

func TestStrikes(t *testing.T) {
	const occasions = 100_000
	assert.Equal(t, occasions, count(Spec{}, occasions, time.Minute), "without a rate, every occasion")
	assert.Equal(t, 7, count(Spec{Count: new(7)}, occasions, time.Minute))
	assert.Equal(t, occasions, count(Spec{Rate: &Rate{Share: 1}}, occasions, time.Minute))
	assert.Equal(t, 60, count(Spec{Rate: &Rate{PerSecond: 1}}, occasions, time.Minute))
	assert.Equal(t, 5, count(Spec{Rate: &Rate{PerSecond: 1}, Count: new(5)}, occasions, time.Minute))
	assert.Equal(t, 5, count(Spec{Rate: &Rate{Share: 0.01}, Count: new(5)}, occasions, time.Minute))

	// A binomial of n = 100,000 and p = 10 % is within five deviations (95 each) of its mean but once in millions.
	assert.InDelta(t, 10_000, count(Spec{Rate: &Rate{Share: 0.1}}, occasions, time.Minute), 5*95)
	assert.Equal(t, count(Spec{Rate: &Rate{Share: 0.1}}, occasions, time.Minute),
		count(Spec{Rate: &Rate{Share: 0.1}}, occasions, time.Hour), "the seed decides, not the time")
}
