package assertions

import (
	"math"
	"time"
)

// Profile is what a detector may know beforehand: how the sensor behaves when nothing is wrong with it, and which kind
// of anomaly to look for.
type Profile struct {
	Do     string // spike, drift, stuck, dropout, noise or toggle; no other ever fires
	Switch bool   // the sensor shows 0 or 1

	Mean, Stddev float64  // of a sensor that is no switch, without its trends
	Error        *float64 // its error threshold, where it has one
	ErrorBelow   bool     // readings below Error are beyond it, not those above

	P    float64       // of a switch: the probability of 1, without its trends
	Hold time.Duration // of a switch: for how long a state is kept, in the time that Add is told; 0: every reading is drawn

	// Swing is the most by which the sensor's trends move Mean or P either way; 0 where it follows none. Whatever trends
	// may do is no anomaly, so the wider they swing the less is found.
	Swing float64
}

// Detector looks for one kind of anomaly in the readings of one sensor of one device. It sees values and nothing else,
// so that what it finds has come through the pipeline unchanged.
//
// Every limit is set so that chance crosses it rarely, by a normal distribution for sensors and independent draws for
// switches. Summed over everything a detector tests at one reading, and over a hundred readings of a healthy sensor,
// it fires with a probability below one in a hundred. That holds for sensors whose readings do not pile up at a
// physical limit; one that rests there looks stuck, and is.
type Detector struct {
	Profile
	fired    bool
	last     time.Duration
	seen     bool      // last means something
	recent   []reading // for drift and noise: the latest, at most longest
	streak   streak    // for stuck and toggle
	strayed  int       // for spike: readings in a row beyond the error threshold
	allowed  int       // for spike: so many in a row are chance
	unlikely int       // for toggle: so many changes in a row are not chance
}

// reading is one value, as a distance from the mean.
type reading struct {
	at    time.Duration
	value float64
}

// streak is a run of readings that are all equal, or that all differ from the one before.
type streak struct {
	from  time.Duration
	value float64 // the latest
	count int     // readings in it
}

const (
	// deviations is how far beyond the mean, in standard deviations, a reading or a fitted slope must lie: by chance
	// one in 1.7 million does, on either side.
	deviations = 5

	// tail and tailDeviation are the one-sided probability at which a variance is too large, and its standard normal
	// quantile.
	tail          = 1e-6
	tailDeviation = 4.753

	// rare is the probability of a run of readings that is no longer taken for chance.
	rare = 1e-4

	// resolution is the least scatter of any reading: values are written with two decimals.
	resolution = 0.01

	// alike is the number of equal readings in a row that show a stuck sensor. With two decimals and a standard
	// deviation of 0.1 two neighbours are equal in 2.8% of cases, four in a row once in 45,000; a reading that sits at
	// a physical limit in 3.2% of cases, as the pressure of the seed does at 1050 hPa, is there four times in a row
	// once in a million.
	alike = 4

	// flips is the number of changes in a row that show a toggling switch which otherwise keeps its state for longer
	// than that takes. A late event time may show a neighbouring state and so add two changes to a natural one.
	flips = 4
)

// driftWindows are the numbers of latest readings over which a slope is fitted, longest the largest. Noise shows
// in any number from noiseFrom to noiseTo: more would let slow trends in.
var driftWindows = [...]int{4, 6, 8, 12, 16, 24, longest}

const (
	longest   = 32
	noiseFrom = 4
	noiseTo   = 8
)

// NewDetector returns a detector that has seen nothing.
func NewDetector(p Profile) *Detector {
	p.Stddev = max(p.Stddev, resolution)
	d := &Detector{Profile: p}
	d.allowed = d.strayingByChance()
	d.unlikely = d.togglingByChance()
	return d
}

// Add takes the next reading: when it was due, its value, and whether the record held a value at all. Readings come in
// order; one that is not later than the last, such as a duplicate, is ignored.
func (d *Detector) Add(at time.Duration, value float64, present bool) {
	if d.fired || d.seen && at <= d.last {
		return
	}
	d.seen, d.last = true, at
	if !present {
		// A healthy sensor is in every record of its device, so one absence is proof.
		d.fired = d.Do == "dropout"
		return
	}
	switch d.Do {
	case "spike":
		d.fired = d.spike(value)
	case "drift":
		d.keep(at, value)
		d.fired = d.drift()
	case "noise":
		d.keep(at, value)
		d.fired = d.noise()
	case "stuck":
		d.fired = d.stuck(at, value)
	case "toggle":
		d.fired = d.toggle(at, value)
	}
}

// Fired says whether the anomaly was found.
func (d *Detector) Fired() bool { return d.fired }

// spike finds a reading too far from the mean, or too many in a row beyond the error threshold: one, as a rule, and
// more where healthy readings lie beyond it, too.
func (d *Detector) spike(value float64) bool {
	if math.Abs(value-d.Mean)-d.Swing > deviations*d.Stddev {
		return true
	}
	if d.Error == nil || d.side()*(value-*d.Error) <= 0 {
		d.strayed = 0
		return false
	}
	d.strayed++
	return d.strayed > d.allowed
}

// side is the direction in which the error threshold is crossed.
func (d *Detector) side() float64 {
	if d.ErrorBelow {
		return -1
	}
	return 1
}

// strayingByChance is how many readings in a row may lie beyond the error threshold without being rare.
func (d *Detector) strayingByChance() int {
	if d.Error == nil {
		return 0
	}
	distance := d.side()*(*d.Error-d.Mean) - d.Swing
	return runsByChance(math.Erfc(distance/d.Stddev/math.Sqrt2) / 2)
}

// runsByChance is the longest run of events of a probability that is not rare.
func runsByChance(probability float64) int {
	if probability >= 1 {
		return math.MaxInt
	}
	return max(0, int(math.Ceil(math.Log(rare)/math.Log(probability)))-1)
}

// keep remembers the latest readings.
func (d *Detector) keep(at time.Duration, value float64) {
	if len(d.recent) == longest {
		d.recent = append(d.recent[:0], d.recent[1:]...)
	}
	d.recent = append(d.recent, reading{at, value - d.Mean})
}

// drift finds a slope: a straight line from the mean, at the first of some latest readings, that fits them with a slope
// too steep to be chance. The line starts at the mean because that is where a drift starts, which makes twice as much
// of few readings as a free line would; so that no mere distance from the mean passes for a slope, a free line must
// rise in the same direction.
//
// With y = slope × t + error, the estimate Σty ÷ Σt² has the standard error σ ÷ √Σt²; a mean that is off by the swing
// adds up to swing × Σt to Σty.
func (d *Detector) drift() bool {
	for _, window := range driftWindows {
		if window > len(d.recent) {
			return false
		}
		s := sumsOf(d.recent[len(d.recent)-window:])
		if math.Abs(s.ty) > deviations*d.Stddev*math.Sqrt(s.tt)+d.Swing*s.t && s.ty*s.covariance() > 0 {
			return true
		}
	}
	return false
}

// noise finds a variance too large for chance: the sum of the squared distances from the mean, in standard deviations,
// has a chi-squared distribution. Where trends move the mean, the distances are taken from the best straight line
// instead, which costs two degrees of freedom.
func (d *Detector) noise() bool {
	for window := noiseFrom; window <= min(noiseTo, len(d.recent)); window++ {
		s := sumsOf(d.recent[len(d.recent)-window:])
		squares, freedom := s.yy, float64(window)
		if d.Swing > 0 {
			squares -= s.y*s.y/s.n + s.covariance()*s.covariance()/(s.tt-s.t*s.t/s.n)
			freedom -= 2
		}
		if squares > d.Stddev*d.Stddev*chiSquared(freedom) {
			return true
		}
	}
	return false
}

// chiSquared is the value that a chi-squared variable exceeds with the probability tail, by the cube-root approximation
// of Wilson and Hilferty (1931), which errs upwards here, by 10% at two degrees of freedom and 3% at eight.
func chiSquared(freedom float64) float64 {
	v := 2 / (9 * freedom)
	return freedom * math.Pow(1-v+tailDeviation*math.Sqrt(v), 3)
}

// sums are the sums from which lines are fitted, over times in seconds since the first reading.
type sums struct{ n, t, y, tt, ty, yy float64 }

func sumsOf(readings []reading) sums {
	var s sums
	for _, r := range readings {
		t := seconds(r.at - readings[0].at)
		s.n++
		s.t += t
		s.y += r.value
		s.tt += t * t
		s.ty += t * r.value
		s.yy += r.value * r.value
	}
	return s
}

// covariance is n times the covariance of time and value: its sign is that of the free line's slope.
func (s sums) covariance() float64 { return s.ty - s.t*s.y/s.n }

// stuck finds a value that stays the same for too many readings. A switch often does: it takes as many draws of its
// state as make that rare.
func (d *Detector) stuck(at time.Duration, value float64) bool {
	d.streak.extend(at, value, d.streak.count > 0 && value == d.streak.value)
	if !d.Switch {
		return d.streak.count >= alike
	}
	probability := min(1, d.P+d.Swing)
	if value == 0 {
		probability = min(1, 1-d.P+d.Swing)
	}
	draws := d.streak.count
	if d.Hold > 0 {
		draws = min(draws, int((at-d.streak.from)/d.Hold))
	}
	return draws > runsByChance(probability)
}

// toggle finds a switch that changes with every reading: more often in a row than independent draws do, or than the
// time for which it keeps a state allows.
func (d *Detector) toggle(at time.Duration, value float64) bool {
	d.streak.extend(at, value, d.streak.count > 0 && value != d.streak.value)
	changes := d.streak.count - 1
	if changes >= d.unlikely {
		return true
	}
	natural := math.MaxInt / 2
	if d.Hold > 0 {
		natural = int((at-d.streak.from)/d.Hold) + 1
	}
	return changes >= flips && changes > 2*natural
}

// togglingByChance is the least number of changes in a row that is rare among independent draws: 01010… or 10101….
// Trends may bring the probability closest to one half, where it is most likely.
func (d *Detector) togglingByChance() int {
	on := d.P
	if on < 0.5 {
		on = min(0.5, on+d.Swing)
	} else {
		on = max(0.5, on-d.Swing)
	}
	for changes := 1; ; changes++ {
		half, rest := float64((changes+1)/2), float64((changes+2)/2)
		if math.Pow(on, half)*math.Pow(1-on, rest)+math.Pow(on, rest)*math.Pow(1-on, half) <= rare {
			return changes
		}
	}
}

// extend adds a reading to the streak, or begins a new one with it. A change that breaks a streak of changes leaves its
// own reading as the first of the next.
func (s *streak) extend(at time.Duration, value float64, goesOn bool) {
	if !goesOn {
		*s = streak{from: at}
	}
	s.value = value
	s.count++
}
