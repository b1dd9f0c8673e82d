package generator

import (
	"math"
	"slices"
)

// The statuses of a value, and of a reading, whose status is the worst of its values'.
const (
	StatusOK      = "ok"
	StatusWarning = "warning"
	StatusError   = "error"
)

// status is a status by its severity.
type status uint8

const (
	fine status = iota
	warning
	alarming
)

var statuses = [...]string{fine: StatusOK, warning: StatusWarning, alarming: StatusError}

// AlarmsBelow says on which side of its thresholds the sensor alarms: below, where its error threshold is below its
// warning threshold, or, with only one of the two (or both the same), where that is below the mean (a switch: P).
func (s Sensor) AlarmsBelow() bool {
	bound, other := s.Thresholds.Error, s.Thresholds.Warning
	if bound == nil {
		bound, other = other, nil
	}
	centre := s.Mean
	if s.Kind == Switch {
		centre = s.P
	}
	if other == nil || *other == *bound {
		other = centre
	}
	return bound != nil && other != nil && *bound < *other
}

// sensor is a Sensor made ready to be read millions of times. Its keys do not hold the seed, which comes with those of
// the device and the reading.
type sensor struct {
	name, unit string
	kind       SensorKind
	key        uint64

	mean, stddev float64 // normal
	p            float64 // switch
	hold         int64   // switch, nanoseconds
	gains        [trendCount]float64
	shifts       *shifts // nil where there are no trends

	low, high      float64 // physical limits, drawn in to values that have two decimals
	side           int64   // −1 where the sensor alarms below its thresholds, so that thresholds × side are upper ones
	warning, alarm int64   // hundredths × side that are not yet beyond the threshold
}

// greatest is the largest magnitude up to which a float64 tells hundredths apart.
const greatest = 1 << 46

func newSensor(name string, spec Sensor, buildings int) *sensor {
	s := &sensor{name: name, unit: spec.Unit, kind: spec.Kind, key: named(0, name), low: -greatest, high: greatest, side: 1}
	switch spec.Kind {
	case Normal:
		s.mean, s.stddev = *spec.Mean, *spec.Stddev
	case Switch:
		s.p, s.hold = *spec.P, int64(*spec.Hold)
	}
	for name, gain := range spec.Trends {
		s.gains[slices.Index(TrendNames(), name)] = gain
	}
	if s.gains != [trendCount]float64{} {
		s.shifts = newShifts(&s.gains, s.hold, buildings)
	}
	if limit := spec.Thresholds.Min; limit != nil {
		if s.low = hundredths(*limit); s.low < *limit {
			s.low = hundredths(s.low + 0.01)
		}
		s.low = max(s.low, -greatest)
	}
	if limit := spec.Thresholds.Max; limit != nil {
		if s.high = hundredths(*limit); s.high > *limit {
			s.high = hundredths(s.high - 0.01)
		}
		s.high = min(s.high, greatest)
	}
	if spec.AlarmsBelow() {
		s.side = -1
	}
	s.warning, s.alarm = s.bound(spec.Thresholds.Warning), s.bound(spec.Thresholds.Error)
	return s
}

// bound is the last of the values as written that is not beyond the threshold, in hundredths × side.
func (s *sensor) bound(threshold *float64) int64 {
	if threshold == nil {
		return math.MaxInt64
	}
	limit := min(max(*threshold*float64(s.side), -greatest-1), greatest)
	n := round(limit * 100)
	if float64(n)/100 > limit {
		n--
	}
	return n
}

// draw is what the sensor shows when no anomaly befalls it, and by how much of that chance is to blame.
func (g *Generator) draw(s *sensor, o *occasion) (value, deviation float64) {
	if s.kind == Switch {
		return g.state(s, o), 0
	}
	deviation = s.stddev * g.normals.draw(mix(o.reading, s.key))
	return s.mean + s.shift(g.trends, o.nanos, o.place.Building) + deviation, deviation
}

// state is the state of a switch. Event time is cut into slots of hold, which begin at another moment for every device;
// the state is drawn once for a slot, with the probability at its beginning. So it is a function of time alone.
func (g *Generator) state(s *sensor, o *occasion) float64 {
	key := mix(o.device, s.key)
	offset := int64(uniform(key) * float64(s.hold))
	begin := o.nanos - floorMod(o.nanos-offset, s.hold)
	if uniform(mix(key, uint64(begin))) < s.p+s.shift(g.trends, begin, o.place.Building) {
		return 1
	}
	return 0
}

// written is the value as it goes into a record, in hundredths: within the sensor's physical limits, and with two
// decimals, or 0 or 1.
func (s *sensor) written(value float64) int64 {
	if s.kind == Switch {
		if value >= 0.5 {
			return 100
		}
		return 0
	}
	return round(min(max(value, s.low), s.high) * 100)
}

// hundredths rounds to two decimals.
func hundredths(value float64) float64 { return math.Round(value*100) / 100 }

// status is the status of a value as written: on a threshold it is not beyond it.
func (s *sensor) status(hundredths int64) status {
	switch n := hundredths * s.side; {
	case n > s.alarm:
		return alarming
	case n > s.warning:
		return warning
	default:
		return fine
	}
}

// Swing is the most by which the sensor's trends move it either way, in its unit. The weather has no bound; three of its
// standard deviations are hardly ever exceeded.
func (s Sensor) Swing() float64 {
	swing := 0.
	for _, trend := range TrendNames() { // in order, so that the sum is the same every time
		gain := s.Trends[trend]
		if trend == "weather" {
			gain *= 3
		}
		swing += math.Abs(gain)
	}
	return swing
}
