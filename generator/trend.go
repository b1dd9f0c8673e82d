package generator

import (
	"math"
	"time"
)

// trends computes the shapes that sensors follow, as functions of event time in nanoseconds since 1970 UTC.
type trends struct {
	spec    Trends
	zone    int64 // nanoseconds to add for the time of day
	weather *weather
}

// The positions of the trends in TrendNames.
const (
	diurnalTrend = iota
	seasonalTrend
	weatherTrend
	usageTrend
	loadTrend
	trendCount = iota
)

const (
	day  = int64(24 * time.Hour)
	week = 7 * day
	year = 365.25 * float64(24*time.Hour)
)

func newTrends(spec Spec, draws *draws) *trends {
	_, seconds := spec.Clock.Start.Zone()
	return &trends{
		spec:    spec.Trends,
		zone:    int64(seconds) * int64(time.Second),
		weather: newWeather(spec.Trends.Weather, named(spec.Seed, "weather"), draws),
	}
}

// shift sums gain × trend for the gains in the order of TrendNames.
func (t *trends) shift(gains *[trendCount]float64, nanos int64, building int) float64 {
	sum := 0.
	for trend, gain := range gains {
		if gain != 0 {
			sum += gain * t.value(trend, nanos, building)
		}
	}
	return sum
}

// value computes the trend with that position in TrendNames.
func (t *trends) value(trend int, nanos int64, building int) float64 {
	local := nanos + t.zone
	switch trend {
	case diurnalTrend:
		return math.Cos(2 * math.Pi * float64(floorMod(local, day)-int64(t.spec.Diurnal.Peak)) / float64(day))
	case seasonalTrend:
		return math.Cos(2 * math.Pi * (float64(local) - float64(int64(t.spec.Seasonal.Peak-1)*day)) / year)
	case weatherTrend:
		return t.weather.at(nanos, building)
	case usageTrend:
		return t.usage(local)
	default: // loadTrend
		return t.load(local)
	}
}

// usage lets the working days of yesterday and tomorrow reach into today with their ramps.
func (t *trends) usage(local int64) float64 {
	const monday = 4 * day // 1970-01-01 was a Thursday
	level := -1.
	today := local - floorMod(local, day)
	for midnight := today - day; midnight <= today+day; midnight += day {
		if floorMod(midnight-monday, week) >= 5*day {
			continue
		}
		early := midnight + int64(t.spec.Usage.Open) - local
		late := local - midnight - int64(t.spec.Usage.Close)
		level = max(level, 1-2*float64(max(early, late, 0))/float64(time.Hour))
	}
	return level
}

func (t *trends) load(local int64) float64 {
	points := t.spec.Load.Points
	if len(points) == 0 {
		return 0
	}
	now := time.Duration(floorMod(local, day))
	from, to := points[len(points)-1], points[0] // over midnight, unless some point is still to come today
	from.At -= time.Duration(day)
	for _, point := range points {
		if point.At > now {
			to = point
			break
		}
		from = point
	}
	if to.At <= now {
		to.At += time.Duration(day)
	}
	return from.Level + (to.Level-from.Level)*float64(now-from.At)/float64(to.At-from.At)
}

// floorMod is a modulo n, from 0 up to n also for negative a.
func floorMod(a, n int64) int64 {
	if a %= n; a < 0 {
		a += n
	}
	return a
}
