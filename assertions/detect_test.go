package assertions

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func limit(v float64) *float64 { return &v }

// The sensors of the seed document.
var (
	temperature = Profile{Mean: 25, Stddev: 5, Error: limit(50)}
	humidity    = Profile{Mean: 60, Stddev: 10, Error: limit(20), ErrorBelow: true}
	pressure    = Profile{Mean: 1013, Stddev: 20, Error: limit(1040)}
	current     = Profile{Mean: 2.5, Stddev: 0.5, Error: limit(8)}
	onOff       = Profile{Switch: true, P: 0.8}
)

func looking(p Profile, do string) Profile {
	p.Do = do
	return p
}

// sensor simulates one: its readings every three seconds, at two decimals, within its physical limits.
type sensor struct {
	profile  Profile
	low, top float64
	random   *rand.Rand
}

func simulated(p Profile, seed uint64) *sensor {
	s := &sensor{profile: p, low: math.Inf(-1), top: math.Inf(1), random: rand.New(rand.NewPCG(seed, 7))}
	switch p.Mean {
	case temperature.Mean:
		s.low, s.top = -10, 60
	case humidity.Mean:
		s.low, s.top = 0, 100
	case pressure.Mean:
		s.low, s.top = 950, 1050
	case current.Mean:
		s.low, s.top = 0, 10
	}
	return s
}

const interval3 = 3 * time.Second

// read is a healthy reading, shifted.
func (s *sensor) read(shift, spread float64) float64 {
	if s.profile.Switch {
		if s.random.Float64() < s.profile.P {
			return 1
		}
		return 0
	}
	v := s.profile.Mean + shift + spread*s.profile.Stddev*s.random.NormFloat64()
	return math.Round(min(max(v, s.low), s.top)*100) / 100
}

// anomaly gives the reading i of a device during an anomaly, and whether it is there.
type anomalous func(s *sensor, i int, at time.Duration) (value float64, present bool)

func always(read func(s *sensor, i int, at time.Duration) float64) anomalous {
	return func(s *sensor, i int, at time.Duration) (float64, bool) { return read(s, i, at), true }
}

var (
	well     = always(func(s *sensor, _ int, _ time.Duration) float64 { return s.read(0, 1) })
	drifting = always(func(s *sensor, _ int, at time.Duration) float64 { return s.read(2*at.Seconds(), 1) })
	noisy    = always(func(s *sensor, _ int, _ time.Duration) float64 { return s.read(0, 5) })
	toggling = always(func(_ *sensor, i int, _ time.Duration) float64 { return float64(i % 2) })
)

// fires is the share of devices on which a detector fires within a number of readings, the first of which comes after
// a phase of its own.
func fires(p Profile, devices, readings int, what anomalous) float64 {
	fired := 0
	for n := range devices {
		s := simulated(p, uint64(n))
		phase := time.Duration(s.random.Float64() * float64(interval3))
		d := NewDetector(p)
		for i := range readings {
			at := phase + time.Duration(i)*interval3
			value, present := what(s, i, at)
			d.Add(at, value, present)
		}
		if d.Fired() {
			fired++
		}
	}
	return float64(fired) / float64(devices)
}

// At the strengths of the language's own example every kind is found, on (nearly) every device. A window of 20 s holds
// six readings at least; a few of them are too few to see a spread of five times the usual one on every device.
func TestDetectorFires(t *testing.T) {
	const devices = 500
	spiking := func(to float64) anomalous {
		return always(func(s *sensor, i int, _ time.Duration) float64 {
			if i == 4 {
				return to
			}
			return s.read(0, 1)
		})
	}
	stuckAt := func(v float64) anomalous { return always(func(*sensor, int, time.Duration) float64 { return v }) }
	held := looking(onOff, "toggle")
	held.Hold = time.Minute
	weather := looking(Profile{Mean: 21, Stddev: 0.4}, "drift")
	weather.Swing = 7.5
	weatherNoise := looking(Profile{Mean: 21, Stddev: 0.4}, "noise")
	weatherNoise.Swing = 7.5
	for _, test := range []struct {
		name     string
		profile  Profile
		readings int
		what     anomalous
		atLeast  float64
	}{
		{"drift 2/s for 20 s on N(25, 5)", looking(temperature, "drift"), 6, drifting, 0.999},
		{"drift 2/s for 20 s on N(21, 0.4)", looking(Profile{Mean: 21, Stddev: 0.4}, "drift"), 6, drifting, 1},
		{"drift 2/s for 20 s on N(21, 0.4) in weather", weather, 6, drifting, 1},
		{"drift downwards", looking(temperature, "drift"), 7, always(func(s *sensor, _ int, at time.Duration) float64 { return s.read(-2*at.Seconds(), 1) }), 0.999},
		{"one spike to 9.5 on N(2.5, 0.5)", looking(current, "spike"), 6, spiking(9.5), 1},
		{"one spike beyond a low threshold", looking(humidity, "spike"), 6, spiking(15), 1},
		{"one spike on the other side", looking(humidity, "spike"), 6, spiking(100), 0}, // four deviations: too little to be told from chance
		{"spikes beyond a threshold that healthy readings cross", looking(pressure, "spike"), 8, stuckAt(1050), 1},
		{"stuck", looking(temperature, "stuck"), 4, stuckAt(25), 1},
		{"stuck on", looking(onOff, "stuck"), 42, stuckAt(1), 1},
		{"stuck off", looking(onOff, "stuck"), 6, stuckAt(0), 1},
		{"dropout", looking(temperature, "dropout"), 2, func(s *sensor, i int, _ time.Duration) (float64, bool) { return s.read(0, 1), i != 1 }, 1},
		{"noise ×5 for 20 s", looking(temperature, "noise"), 6, noisy, 0.9},
		{"noise ×5 for a minute", looking(temperature, "noise"), 20, noisy, 1},
		{"noise ×5 for a minute in weather", weatherNoise, 20, noisy, 0.99},
		{"toggling", looking(onOff, "toggle"), 12, toggling, 1},
		{"toggling of a switch that keeps its state for a minute", held, 5, toggling, 1},
	} {
		got := fires(test.profile, devices, test.readings, test.what)
		assert.GreaterOrEqual(t, got, test.atLeast, test.name)
		if test.atLeast == 0 {
			assert.Zero(t, got, test.name)
		}
	}
}

// On a hundred healthy readings no detector fires with a probability of more than one in a hundred. Of 1,000 devices
// that makes ten at most; 20 is three standard deviations more.
func TestDetectorsAreQuietOnHealthySensors(t *testing.T) {
	const devices = 1000
	swinging := Profile{Mean: 21, Stddev: 0.4, Swing: 3}
	day := always(func(s *sensor, _ int, at time.Duration) float64 {
		return s.read(3*math.Sin(2*math.Pi*at.Minutes()/10), 1)
	})
	steps := always(func(s *sensor, _ int, at time.Duration) float64 {
		return s.read(3*math.Copysign(1, math.Sin(2*math.Pi*at.Minutes())), 1)
	})
	held := onOff
	held.Hold = time.Minute
	holding := func() anomalous {
		state, slot := 0., -1
		return always(func(s *sensor, _ int, at time.Duration) float64 {
			if n := int(at / time.Minute); n != slot {
				state, slot = s.read(0, 1), n
			}
			return state
		})
	}
	for name, test := range map[string]struct {
		profile Profile
		what    anomalous
		kinds   []string
	}{
		"temperature":          {temperature, well, []string{"spike", "drift", "stuck", "dropout", "noise"}},
		"humidity":             {humidity, well, []string{"spike", "drift", "stuck", "dropout", "noise"}},
		"pressure":             {pressure, well, []string{"spike", "drift", "stuck", "dropout", "noise"}},
		"current":              {current, well, []string{"spike", "drift", "stuck", "dropout", "noise"}},
		"a switch":             {onOff, well, []string{"stuck", "dropout", "toggle"}},
		"an even switch":       {Profile{Switch: true, P: 0.5}, well, []string{"stuck", "toggle"}},
		"a switch that holds":  {held, holding(), []string{"stuck", "toggle"}},
		"a day of ten minutes": {swinging, day, []string{"spike", "drift", "stuck", "noise"}},
		"a level that jumps":   {swinging, steps, []string{"spike", "drift", "stuck"}},
		"no scatter":           {Profile{Mean: 25.004}, well, []string{"spike", "drift", "noise"}},
	} {
		for _, kind := range test.kinds {
			rate := fires(looking(test.profile, kind), devices, 100, test.what)
			assert.LessOrEqual(t, rate, 20./devices, "%s on %s", kind, name)
		}
	}
}

func TestDetectorIgnoresWhatIsNoNews(t *testing.T) {
	d := NewDetector(looking(temperature, "stuck"))
	for range 10 {
		d.Add(second, 25, true) // a duplicate is no second reading
	}
	assert.False(t, d.Fired())

	d = NewDetector(looking(temperature, "stuck"))
	for i := range 10 {
		d.Add(time.Duration(i)*second, 0, i%2 == 0 && i < 6) // three readings, the rest missing
	}
	assert.False(t, d.Fired())

	d = NewDetector(looking(current, "spike"))
	d.Add(0, 9.5, true)
	d.Add(second, 2.5, true)
	assert.True(t, d.Fired(), "what was found stays found")

	d = NewDetector(looking(current, "surge"))
	d.Add(0, 9.5, true)
	assert.False(t, d.Fired(), "a kind nobody knows")

	d = NewDetector(looking(Profile{Mean: 25, Stddev: 5}, "spike"))
	d.Add(0, 49.9, true)
	assert.False(t, d.Fired(), "no error threshold, and not far enough")
	d.Add(second, 50.1, true)
	assert.True(t, d.Fired())
}

// The approximation of the chi-squared quantile errs towards fewer alarms, and not by much. For even degrees of freedom
// the tail is a finite sum.
func TestChiSquared(t *testing.T) {
	for _, freedom := range []float64{2, 4, 6, 8} {
		x := chiSquared(freedom) / 2
		term, sum := 1., 0.
		for k := 0.; k < freedom/2; k++ {
			sum += term
			term *= x / (k + 1)
		}
		beyond := sum * math.Exp(-x)
		assert.Less(t, beyond, tail, freedom)
		assert.Greater(t, beyond, tail/5, freedom)
	}
}

// How many readings in a row are chance follows from how likely one is.
func TestRunsByChance(t *testing.T) {
	for probability, want := range map[float64]int{0: 0, 1e-5: 0, 1e-4: 0, 1.1e-4: 1, 0.0885: 3, 0.5: 13, 0.8: 41, 1: math.MaxInt} {
		assert.Equal(t, want, runsByChance(probability), probability)
	}
	swing := pressure
	swing.Swing = 100
	assert.Greater(t, NewDetector(looking(swing, "spike")).allowed, 1000, "trends may carry it beyond the threshold for good")
	for p, want := range map[Profile]int{
		onOff: 11, {Switch: true, P: 0.5}: 14, {Switch: true, P: 1}: 1, {Switch: true, P: 0.2}: 11, {Switch: true, P: 0.8, Swing: 0.4}: 14,
		{Switch: true, P: 0.2, Swing: 0.1}: 12,
	} {
		assert.Equal(t, want, NewDetector(p).unlikely, p.P)
	}
}
