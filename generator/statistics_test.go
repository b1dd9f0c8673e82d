package generator

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bounds of these tests are five standard errors of what is measured. A normal variable exceeds them once in 1.7
// million, and since the seed is fixed, a test that passes once passes always.
const sigmas = 5

// samples are n readings of the sensor, as written, in a fleet that has no other.
func samples(t *testing.T, spec Spec, sensor string, n int, due func(k int) Due) []float64 {
	t.Helper()
	fleet := spec.Fleets[0]
	fleet.Sensors = []string{sensor}
	spec.Fleets = []Fleet{fleet}
	g := New(spec)
	values := make([]float64, n)
	for k := range values {
		g.measure(due(k))
		values[k] = float64(g.measured.values[0].hundredths) / 100
	}
	return values
}

// independent asks 100 devices in turn, so that no two readings share a draw.
func independent(k int) Due {
	return Due{Device: uint32(k % 100), Index: int64(k / 100), At: time.Duration(k) * time.Millisecond}
}

func moments(values []float64) (mean, variance float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, variance
}

func density(z float64) float64    { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }
func cumulative(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// clampedMoments are those of N(mean, stddev²) with all that lies beyond low and high moved to them (a censored normal;
// Greene, Econometric Analysis, theorem 19.3, for both sides).
func clampedMoments(mean, stddev, low, high float64) (clamped, variance float64) {
	a, b := (low-mean)/stddev, (high-mean)/stddev
	first := a*cumulative(a) + b*cumulative(-b) + density(a) - density(b)
	second := a*a*cumulative(a) + b*b*cumulative(-b) + cumulative(b) - cumulative(a) + a*density(a) - b*density(b)
	return mean + stddev*first, stddev * stddev * (second - first*first)
}

// share checks that a binomial count has its probability: standard error √(p(1−p)/n), and five counts for the
// discreteness of what hardly ever happens.
func share(t *testing.T, p float64, count, n int, what string) {
	t.Helper()
	assert.InDelta(t, p, float64(count)/float64(n), sigmas*math.Sqrt(p*(1-p)/float64(n))+5/float64(n), what)
}

func TestSensorsHaveTheSeedsFigures(t *testing.T) {
	const n = 200_000
	for _, test := range []struct {
		sensor                  string
		mean, stddev, low, high float64
		alarm                   float64
		below                   bool
	}{
		{"temperature", 25, 5, -10, 60, 50, false},
		{"humidity", 60, 10, 0, 100, 20, true},
		{"pressure", 1013, 20, 950, 1050, 1040, false},
		{"current", 2.5, 0.5, 0, 10, 8, false},
	} {
		t.Run(test.sensor, func(t *testing.T) {
			spec := plainSpec(100)
			values := samples(t, spec, test.sensor, n, independent)
			wantMean, wantVariance := clampedMoments(test.mean, test.stddev, test.low, test.high)
			mean, variance := moments(values)
			// Standard errors: σ/√n, and σ²√(2/n) for a normal; a clamp shortens the tails and so lowers the latter.
			// Rounding to hundredths adds 0.01²/12 to the variance.
			assert.InDelta(t, wantMean, mean, sigmas*math.Sqrt(wantVariance/n))
			assert.InDelta(t, wantVariance, variance, sigmas*wantVariance*math.Sqrt(2./n)+1e-5)

			var atLow, atHigh, alarms int
			for _, v := range values {
				if v < test.low || v > test.high || v != math.Round(v*100)/100 {
					require.Fail(t, "not within the limits, or more than two decimals", "%v", v)
				}
				if v == test.low {
					atLow++
				}
				if v == test.high {
					atHigh++
				}
				if v > test.alarm && !test.below || v < test.alarm && test.below {
					alarms++
				}
			}
			// What rounds to a limit counts as at it; what rounds to the threshold is not beyond it.
			const half = 0.005
			z := func(v float64) float64 { return (v - test.mean) / test.stddev }
			share(t, cumulative(z(test.low+half)), atLow, n, "at the lower limit")
			share(t, cumulative(-z(test.high-half)), atHigh, n, "at the upper limit")
			if test.below {
				share(t, cumulative(z(test.alarm-half)), alarms, n, "alarms")
			} else {
				share(t, cumulative(-z(test.alarm+half)), alarms, n, "alarms")
			}
		})
	}
}

// Kolmogorov's statistic: √n·D exceeds 2.5 with the probability 2·exp(−2·2.5²) = 7e-6. Rounding moves the distribution
// by at most half a hundredth, which is 0.005 × the density at the mean.
func TestDrawsAreNormal(t *testing.T) {
	const n = 50_000
	values := samples(t, plainSpec(100), "temperature", n, independent)
	slices.Sort(values)
	distance := 0.
	for k, v := range values {
		p := cumulative((v - 25) / 5)
		distance = max(distance, math.Abs(p-float64(k)/n), math.Abs(p-float64(k+1)/n))
	}
	assert.Less(t, distance, 2.5/math.Sqrt(n)+0.005*density(0)/5)
}

// The product of two independent standardised variables has mean 0 and standard deviation 1.
func TestDrawsAreIndependent(t *testing.T) {
	const n = 50_000
	spec := plainSpec(100)
	correlation := func(a, b []float64) float64 {
		meanA, varianceA := moments(a)
		meanB, varianceB := moments(b)
		sum := 0.
		for k := range a {
			sum += (a[k] - meanA) * (b[k] - meanB)
		}
		return sum / math.Sqrt(varianceA*varianceB) / float64(len(a))
	}
	one := func(k int) Due { return Due{Device: 3, Index: int64(k)} }
	temperature := samples(t, spec, "temperature", n, one)
	humidity := samples(t, spec, "humidity", n, one)
	neighbour := samples(t, spec, "temperature", n, func(k int) Due { return Due{Device: 4, Index: int64(k)} })
	other := spec
	other.Seed++
	assert.InDelta(t, 0, correlation(temperature, humidity), sigmas/math.Sqrt(n), "two sensors of a device")
	assert.InDelta(t, 0, correlation(temperature, neighbour), sigmas/math.Sqrt(n), "two devices")
	assert.InDelta(t, 0, correlation(temperature[1:], temperature[:n-1]), sigmas/math.Sqrt(n), "two readings in a row")
	assert.InDelta(t, 0, correlation(temperature, samples(t, other, "temperature", n, one)), sigmas/math.Sqrt(n), "two seeds")
}

func TestSwitchIsOnWithItsProbability(t *testing.T) {
	const n = 100_000
	on := func(spec Spec, from time.Duration) int {
		count := 0
		// One reading of a device in two holds: every one is a draw of its own.
		for _, v := range samples(t, spec, "switch", n, func(k int) Due {
			return Due{Device: uint32(k % 1000), At: from + time.Duration(k/1000)*2*time.Minute}
		}) {
			if v != 0 && v != 1 {
				require.Fail(t, "a third state", "%v", v)
			}
			count += int(v)
		}
		return count
	}
	spec := plainSpec(1000)
	share(t, 0.8, on(spec, 0), n, "p of the seed")

	usage := spec.Sensors["switch"]
	usage.Trends = map[string]float64{"usage": 0.15}
	spec.Sensors["switch"] = usage
	share(t, 0.95, on(spec, 9*time.Hour), n, "at work")
	share(t, 0.65, on(spec, 20*time.Hour), n, "at night")

	usage.P, usage.Trends = new(0.5), map[string]float64{"usage": 2}
	spec.Sensors["switch"] = usage
	assert.Equal(t, n, on(spec, 9*time.Hour), "certain")
	assert.Zero(t, on(spec, 20*time.Hour), "impossible")
}

// The state changes only at borders a hold apart, which differ between devices, and at a border with the probability
// 2p(1−p). It does so in event time.
func TestSwitchHoldsItsState(t *testing.T) {
	spec := plainSpec(200)
	spec.Clock.Speed = 10 // a hold of a minute of event time takes 6 s
	const step, borders = 100 * time.Millisecond, 50
	hold := spec.Sensors["switch"].Hold.Seconds() / spec.Clock.Speed
	g := New(spec)
	changes := 0
	offsets := map[int64]bool{}
	for device := range uint32(200) {
		last, border := int64(-1), int64(-1)
		for k := range int64(borders * hold / step.Seconds()) {
			g.measure(Due{Device: device, Index: k, At: time.Duration(k) * step})
			if state := g.measured.values[3].hundredths; state != last && last >= 0 {
				changes++
				slot := k % int64(hold/step.Seconds())
				if border >= 0 {
					require.Equal(t, border, slot, "device %d changes outside its borders", device)
				}
				border = slot
				offsets[slot] = true
			}
			last = g.measured.values[3].hundredths
		}
	}
	// Two neighbouring borders share a slot, so that both change with the probability pq rather than (2pq)²: that covariance
	// comes twice on top of the variance of one.
	const n, p, q = 200 * borders, 0.8, 0.2
	spread := math.Sqrt(n * (2*p*q*(1-2*p*q) + 2*(p*q-4*p*p*q*q)))
	assert.InDelta(t, n*2*p*q, changes, sigmas*spread)
	assert.Greater(t, len(offsets), 50, "borders of 200 devices among 60 steps")
}

// The trend counts at the beginning of a slot: it moves a state no sooner than the hold allows.
func TestSwitchHoldsItsStateAgainstATrend(t *testing.T) {
	spec := plainSpec(100)
	light := spec.Sensors["switch"]
	light.P, light.Hold, light.Trends = new(0.5), new(24*time.Hour), map[string]float64{"diurnal": 0.5}
	spec.Sensors["switch"] = light
	spec.Clock.Speed = 1440 // a day in a minute
	g := New(spec)
	changes := 0
	for device := range uint32(100) {
		last, border := -1., -1
		for k := range 5 * 60 {
			state := g.Reading(Due{Device: device, At: time.Duration(k) * time.Second}).of("switch")
			if state != last && last >= 0 {
				changes++
				if border >= 0 {
					require.Equal(t, border, k%60, "device %d changes outside its borders", device)
				}
				border = k % 60
			}
			last = state
		}
	}
	assert.NotZero(t, changes)
}

// The amplitude and the phase of a sine of known period in white noise of spread σ, by regression over whole periods,
// have the standard errors σ√(2/n) and σ√(2/n)/amplitude.
func cycle(values []float64, periods float64) (amplitude, peak float64) {
	var x, y float64
	for k, v := range values {
		sin, cos := math.Sincos(2 * math.Pi * periods * float64(k) / float64(len(values)))
		x += 2 * v * cos / float64(len(values))
		y += 2 * v * sin / float64(len(values))
	}
	return math.Hypot(x, y), math.Atan2(y, x)
}

func TestDailyCycle(t *testing.T) {
	const n, days, gain = 100_000, 10, 3.
	spec := plainSpec(100)
	temperature := spec.Sensors["temperature"]
	temperature.Trends = map[string]float64{"diurnal": gain}
	spec.Sensors["temperature"] = temperature
	spec.Clock.Speed = 1440 // a day in a minute
	values := samples(t, spec, "temperature", n, func(k int) Due {
		return Due{Device: uint32(k % 100), Index: int64(k), At: time.Duration(k) * days * time.Minute / n}
	})
	amplitude, peak := cycle(values, days)
	bound := sigmas * 5 * math.Sqrt(2./n)
	assert.InDelta(t, gain, amplitude, bound)
	assert.InDelta(t, 15, 24*peak/(2*math.Pi)+24, 24*bound/gain/(2*math.Pi), "hour of the maximum")
	mean, variance := moments(values)
	assert.InDelta(t, 25, mean, sigmas*5/math.Sqrt(n))
	assert.InDelta(t, 5*5+gain*gain/2, variance, sigmas*(5*5+gain*gain/2)*math.Sqrt(2./n))
}

func TestSeasonalCycle(t *testing.T) {
	const n, gain = 100_000, 8.
	spec := plainSpec(100)
	humidity := spec.Sensors["humidity"]
	humidity.Trends, humidity.Thresholds = map[string]float64{"seasonal": gain}, Thresholds{}
	spec.Sensors["humidity"] = humidity
	spec.Clock.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	spec.Clock.Speed = 365.25 * 1440 // a year in a minute
	values := samples(t, spec, "humidity", n, func(k int) Due {
		return Due{Device: uint32(k % 100), Index: int64(k), At: time.Duration(k) * 2 * time.Minute / n}
	})
	amplitude, peak := cycle(values, 2)
	bound := sigmas * 10 * math.Sqrt(2./n)
	assert.InDelta(t, gain, amplitude, bound)
	day := math.Mod(365.25*peak/(2*math.Pi)+365.25, 365.25) + 1
	assert.InDelta(t, 200, day, 1+365.25*bound/gain/(2*math.Pi), "day of the maximum")
}

// The weather in the readings is the same for all devices of a building, and another one in the next: the mean over its
// devices leaves it alone.
func TestWeatherIsSharedByTheBuilding(t *testing.T) {
	const devices = 2000
	spec := plainSpec(devices)
	temperature := spec.Sensors["temperature"]
	temperature.Trends, temperature.Thresholds = map[string]float64{"weather": 50}, Thresholds{}
	spec.Sensors["temperature"] = temperature
	g := New(spec)
	at := 30 * time.Hour
	sum := map[int]float64{}
	for device := range uint32(devices) {
		reading := g.Reading(Due{Device: device, At: at})
		sum[reading.Location.Building] += reading.Values[0].Value
	}
	for building := 1; building <= 2; building++ {
		want := 25 + 50*newWeather(spec.Trends.Weather, named(spec.Seed, "weather"), newNormals()).at(start.Add(at).UnixNano(), building)
		assert.InDelta(t, want, sum[building]/(devices/2), sigmas*5/math.Sqrt(devices/2), "building %d", building)
	}
	assert.Greater(t, math.Abs(sum[1]-sum[2])/(devices/2), 2., "two weathers")
}
