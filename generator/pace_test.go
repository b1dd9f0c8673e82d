package generator

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func stage(length time.Duration, rate float64, ramp Ramp) Stage {
	return Stage{For: length, Rate: Rate{PerSecond: rate}, Ramp: ramp}
}

func TestPaceExactly(t *testing.T) {
	type at struct {
		elapsed time.Duration
		records float64
		rate    float64
	}
	const s = time.Second
	for _, test := range []struct {
		name   string
		stages []Stage
		points []at // each read in both directions, within the load
	}{
		{"constant", []Stage{stage(10*s, 100, RampNone)}, []at{
			{0, 0, 100}, {10 * time.Millisecond, 1, 100}, {s, 100, 100}, {9*s + 500*time.Millisecond, 950, 100},
		}},
		{"constant with an odd rate", []Stage{stage(10*s, 0.5, RampNone)}, []at{
			{s, 0.5, 0.5}, {2 * s, 1, 0.5}, {7 * s, 3.5, 0.5},
		}},
		{"ramp from nothing", []Stage{stage(10*s, 100, RampLinear)}, []at{
			{0, 0, 0}, {s, 5, 10}, {2 * s, 20, 20}, {5 * s, 125, 50}, {9 * s, 405, 90},
		}},
		{"ramp up from the stage before", []Stage{stage(10*s, 100, RampNone), stage(10*s, 300, RampLinear)}, []at{
			{5 * s, 500, 100}, {10 * s, 1000, 100}, {11 * s, 1110, 120}, {15 * s, 1750, 200},
		}},
		{"ramp down", []Stage{stage(10*s, 100, RampNone), stage(10*s, 20, RampLinear)}, []at{
			{10 * s, 1000, 100}, {15 * s, 1400, 60}, {19 * s, 1576, 28},
		}},
		{"ramp that is flat", []Stage{stage(10*s, 100, RampNone), stage(10*s, 100, RampLinear)}, []at{
			{10 * s, 1000, 100}, {15 * s, 1500, 100},
		}},
		{"ramp after a ramp", []Stage{stage(10*s, 100, RampLinear), stage(10*s, 200, RampLinear), stage(10*s, 200, RampNone)}, []at{
			{5 * s, 125, 50}, {15 * s, 500 + 625, 150}, {20 * s, 2000, 200}, {25 * s, 3000, 200},
		}},
		{"steps", []Stage{stage(s, 1000, RampNone), stage(s, 10, RampNone), stage(s, 5000, RampNone)}, []at{
			{s, 1000, 10}, {1500 * time.Millisecond, 1005, 10}, {2 * s, 1010, 5000}, {2200 * time.Millisecond, 2010, 5000},
		}},
		{"burst in multiples of the own pace", []Stage{
			stage(10*s, 5000, RampNone), stage(20*s, 30000, RampLinear), stage(60*s, 30000, RampNone),
			{For: 5 * s, Rate: Rate{Multiple: 20}},
		}, []at{
			{0, 0, 5000}, {10 * s, 50_000, 5000}, {20 * s, 162_500, 17_500}, {30 * s, 400_000, 30_000},
			{60 * s, 1_300_000, 30_000}, {90 * s, 2_200_000, 56_000}, {92500 * time.Millisecond, 2_340_000, 56_000},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fleets := []Fleet{{Devices: 6000, Interval: 3 * s}, {Devices: 4000, Interval: 5 * s}}
			require.InDelta(t, 2800., OwnPace(fleets), 0)
			pace := NewPace(test.stages, OwnPace(fleets))
			for _, point := range test.points {
				assert.InDelta(t, point.records, pace.Records(point.elapsed), 0, "records by %v", point.elapsed)
				assert.Equal(t, point.elapsed, pace.When(point.records), "when %v", point.records)
				assert.InDelta(t, point.rate, pace.Rate(point.elapsed), 0, "rate at %v", point.elapsed)
			}
		})
	}
}

func TestPaceOutsideTheLoad(t *testing.T) {
	pace := NewPace([]Stage{stage(10*time.Second, 100, RampNone), stage(10*time.Second, 50, RampNone)}, 1)
	assert.Equal(t, 20*time.Second, pace.End())
	for _, early := range []time.Duration{-time.Hour, -1} {
		assert.Zero(t, pace.Records(early))
		assert.Zero(t, pace.Rate(early))
	}
	for _, late := range []time.Duration{20 * time.Second, 20*time.Second + 1, time.Hour} {
		assert.InDelta(t, 1500., pace.Records(late), 0)
		assert.Zero(t, pace.Rate(late))
	}
	assert.Zero(t, pace.When(-1))
	for _, records := range []float64{1500, 1500.001, 1e9} {
		assert.Equal(t, 20*time.Second, pace.When(records))
	}
	assert.Zero(t, NewPace(nil, 1).Records(time.Second))
	assert.Zero(t, NewPace(nil, 1).When(1))
}

func TestPaceProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var stages []Stage
		for range 1 + random.IntN(6) {
			// Rates over six orders of magnitude, stages from 10 ms to 17 minutes.
			s := stage(time.Duration(1e7*math.Pow(10, 5*random.Float64())), math.Pow(10, 6*random.Float64()), RampNone)
			if random.IntN(2) == 0 {
				s.Ramp = RampLinear
			}
			stages = append(stages, s)
		}
		pace := NewPace(stages, 1)
		total := pace.Records(pace.End())
		// A sum up to total is exact to about 2⁻⁵² of it.
		precision := math.Max(total, 1) * 0x1p-50

		elapsed := make([]time.Duration, 50)
		for i := range elapsed {
			elapsed[i] = time.Duration(random.Int64N(int64(pace.End())))
		}
		slices.Sort(elapsed)
		last := 0.
		for _, elapsed := range elapsed {
			records, rate := pace.Records(elapsed), pace.Rate(elapsed)
			require.GreaterOrEqual(t, records, last, "%+v at %v", stages, elapsed)
			last = records
			// The inverse is rounded to the nanosecond.
			require.InDelta(t, records, pace.Records(pace.When(records)), rate*2e-9+precision, "%+v at %v", stages, elapsed)

			n := random.Float64() * total
			when := pace.When(n)
			require.InDelta(t, n, pace.Records(when), pace.Rate(when)*2e-9+precision, "%+v for %v", stages, n)
		}

		// Records is the integral of Rate: the midpoint rule is exact for straight lines.
		border := time.Duration(0)
		for _, s := range stages {
			middle := pace.Rate(border + s.For/2)
			require.InEpsilon(t, middle*s.For.Seconds(), pace.Records(border+s.For)-pace.Records(border), 1e-6, "%+v", stages)
			border += s.For
		}
	}
}

func TestPaceNeverRunsBackwards(t *testing.T) {
	pace := NewPace([]Stage{stage(time.Second, 10, RampLinear), stage(time.Second, 1e5, RampLinear), stage(time.Second, 1, RampLinear)}, 1)
	last := time.Duration(0)
	for n := 0.; n < pace.Records(pace.End())+1; n += 0.37 {
		when := pace.When(n)
		if when < last {
			require.Fail(t, "backwards", "%v records at %v, after %v", n, when, last)
		}
		last = when
	}
}
