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

func newTrends(spec Spec, normals *normals) *trends {
	_, seconds := spec.Clock.Start.Zone()
	return &trends{
		spec:    spec.Trends,
		zone:    int64(seconds) * int64(time.Second),
		weather: newWeather(spec.Trends.Weather, named(spec.Seed, "weather"), normals),
	}
}

// shifts remembers what the trends last added to a sensor. The trends move slowly: they are read at whole seconds of
// event time, so that most readings find theirs computed.
type shifts struct {
	everywhere bool          // the same for all buildings
	stride     uint64        // seconds remembered for each building
	cached     []cachedShift // their number is a power of two, for the mask
}

type cachedShift struct {
	building int // 0: none yet
	second   int64
	value    float64
}

// newShifts remembers the last eight seconds of each building, and for a switch as many more as its hold is long, since
// its state was drawn up to that long ago; all that within bounds.
func newShifts(gains *[trendCount]float64, hold int64, buildings int) *shifts {
	const most = 4096
	s := &shifts{everywhere: gains[weatherTrend] == 0, stride: 8}
	if s.everywhere {
		buildings = 1
	}
	for ; s.stride < most && int64(s.stride)*int64(time.Second) < hold+8*int64(time.Second); s.stride *= 2 {
	}
	size := s.stride
	for ; size < most && size < s.stride*uint64(buildings); size *= 2 {
	}
	s.cached = make([]cachedShift, size)
	return s
}

// shift is what the trends add to the sensor in a building at an event time.
func (s *sensor) shift(t *trends, nanos int64, building int) float64 {
	if s.shifts == nil {
		return 0
	}
	if s.shifts.everywhere {
		building = 1
	}
	second := (nanos - floorMod(nanos, int64(time.Second))) / int64(time.Second)
	cached := &s.shifts.cached[(uint64(building)*s.shifts.stride+uint64(second))&uint64(len(s.shifts.cached)-1)]
	if cached.second != second || cached.building != building {
		*cached = cachedShift{building: building, second: second, value: t.shift(&s.gains, second*int64(time.Second), building)}
	}
	return cached.value
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
