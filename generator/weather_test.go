package generator

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replicates is how many buildings are looked at: their weathers are independent, so that means over them have known
// standard errors, whatever the correlation in time.
const replicates = 20_000

// weatherMoments estimates the variances at two moments and the correlation between them.
func weatherMoments(w *weather, a, b int64) (varianceA, varianceB, product float64) {
	for building := 1; building <= replicates; building++ {
		x, y := w.at(a, building), w.at(b, building)
		varianceA += x * x / replicates
		varianceB += y * y / replicates
		product += x * y / replicates
	}
	return varianceA, varianceB, product
}

func TestWeatherIsStationaryAutoregressive(t *testing.T) {
	spec := Weather{Grid: 10 * time.Minute, Correlation: 6 * time.Hour}
	w := newWeather(spec, 42, newNormals())
	grid := int64(spec.Grid)
	anchor := w.span * grid
	require.Greater(t, w.span, int64(32*36-1))
	for _, from := range []int64{0, 3 * grid, anchor / 2, anchor - grid, start.UnixNano(), -5 * anchor} {
		from -= floorMod(from, grid)
		for _, steps := range []int64{1, 2, 7, 36, 72, 144} {
			a, b, product := weatherMoments(w, from, from+steps*grid)
			want := math.Exp(-float64(steps*grid) / float64(spec.Correlation))
			// For N(0, 1) the mean square of n has the standard error √(2/n), and the mean product of two with
			// correlation ρ has √((1+ρ²)/n). Five of them.
			assert.InDelta(t, 1, a, 5*math.Sqrt(2./replicates))
			assert.InDelta(t, 1, b, 5*math.Sqrt(2./replicates))
			assert.InDelta(t, want, product, 5*math.Sqrt((1+want*want)/replicates), "%d steps from %d", steps, from)
		}
	}
}

func TestWeatherBetweenGridPoints(t *testing.T) {
	for _, spec := range []Weather{
		{Grid: 10 * time.Minute, Correlation: 6 * time.Hour},
		{Grid: time.Hour, Correlation: time.Hour},
		{Grid: 3 * time.Hour, Correlation: time.Hour},
		{Grid: 40 * time.Hour, Correlation: time.Hour}, // neighbours are independent: every grid point is an anchor
	} {
		w := newWeather(spec, 42, newNormals())
		grid, u := int64(spec.Grid), float64(spec.Grid)/float64(spec.Correlation)
		for _, part := range []int64{10, 4, 2} {
			from := start.UnixNano() + grid/part
			for _, steps := range []int64{1, 3} {
				a, b, product := weatherMoments(w, from, from+steps*grid)
				assert.InDelta(t, 1, a, 5*math.Sqrt(2./replicates), "variance at 1/%d", part)
				assert.InDelta(t, 1, b, 5*math.Sqrt(2./replicates), "variance at 1/%d", part)

				// The factor that the documentation of Weather states for halfway, for any part of the way.
				f := 1 / float64(part)
				both, cross := f*f+(1-f)*(1-f), 2*f*(1-f)
				factor := (both + cross*math.Cosh(u)) / (both + cross*math.Exp(-u))
				if part == 2 {
					assert.InDelta(t, (1+math.Cosh(u))/(1+math.Exp(-u)), factor, 1e-12)
				}
				want := factor * math.Exp(-float64(steps)*u)
				assert.InDelta(t, want, product, 5*math.Sqrt((1+want*want)/replicates), "%d steps at 1/%d", steps, part)
			}
		}
	}
	assert.InDelta(t, 1.014, (1+math.Cosh(1./36))/(1+math.Exp(-1./36)), 5e-4, "as documented")
}

func TestWeatherIsContinuous(t *testing.T) {
	w := newWeather(Weather{Grid: time.Minute, Correlation: time.Hour}, 7, newNormals())
	for nanos := int64(0); nanos < int64(3*time.Hour); nanos += int64(20 * time.Second) {
		require.InDelta(t, w.at(nanos, 1), w.at(nanos+1, 1), 1e-9)
		require.InDelta(t, w.at(nanos, 1), w.at(nanos-1, 1), 1e-9)
	}
}

// The cache and the order of questions leave no trace, and buildings have nothing to do with each other.
func TestWeatherIsComputableAlone(t *testing.T) {
	spec := Weather{Grid: time.Minute, Correlation: 3 * time.Hour}
	w := newWeather(spec, 42, newNormals())
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		nanos, building := start.UnixNano()+random.Int64N(int64(48*time.Hour)), 1+random.IntN(3)
		require.InDelta(t, newWeather(spec, 42, newNormals()).at(nanos, building), w.at(nanos, building), 0)
	}
	sum := 0.
	for building := 1; building <= replicates; building++ {
		sum += w.at(0, building) * w.at(0, building+1)
	}
	assert.InDelta(t, 0, sum/replicates, 5/math.Sqrt(replicates))
	assert.NotEqual(t, w.at(0, 1), newWeather(spec, 43, newNormals()).at(0, 1), "another seed, another weather")
}
