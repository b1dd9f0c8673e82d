package harness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/generator"
)

const (
	maxDevices = 1_000_000 // over all fleets: what the ledger and the keys can hold in sensible memory
	maxPlaces  = 10_000    // buildings, floors of one, rooms of one
	day        = 24 * time.Hour
)

// fleet checks the world: the clock, the places, the fleets, their sensors and what sensors follow.
func (v *validator) fleet() {
	v.clock()
	v.from1("location.buildings", v.Location.Buildings, maxPlaces)
	v.from1("location.floors", v.Location.Floors, maxPlaces)
	v.from1("location.rooms", v.Location.Rooms, maxPlaces)
	v.fleets()
	for _, name := range slices.Sorted(maps.Keys(v.Sensors)) {
		v.sensor(join("sensors", name), name, v.Sensors[name])
	}
	v.trends()
	v.delivery()
}

// Event times are nanoseconds since 1970 in 64 bits in the generator, and Kafka's timestamps cannot be negative.
var firstEvent, lastEvent = time.Unix(0, 0).UTC(), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)

func (v *validator) clock() {
	start, late := v.Clock.Start, v.Delivery.Late.By
	v.check(
		rule{v.Clock.Speed > 0, "clock.speed", "must be above 0", "", nil},
		rule{v.Clock.Speed <= 1e6, "clock.speed", "must be at most 1000000", "", nil},
	)
	v.check(
		rule{!start.Before(firstEvent), "clock.start", "must not be before 1970", "", nil},
		rule{
			!start.Add(-late).Before(firstEvent), "clock.start", "must not be before 1970 for late readings either", "",
			[]string{"delivery.late.by"},
		},
		rule{
			start.Before(lastEvent) && v.Clock.Speed*v.Load.length().Seconds() < lastEvent.Sub(start).Seconds(),
			"clock.start", "must leave the load's last event time before 2262", "",
			[]string{"clock.speed", "load.stages"},
		},
	)
}

func (v *validator) fleets() {
	if len(v.Fleets) == 0 {
		v.wrong("fleets", "missing", "give at least one fleet")
	}
	v.names("fleets", namesOf(v.Fleets, func(f generator.Fleet) string { return f.Name }))
	devices := 0
	for i, fleet := range v.Fleets {
		path := index("fleets", i)
		v.from1(join(path, "devices"), fleet.Devices, maxDevices)
		if devices += fleet.Devices; devices > maxDevices && fleet.Devices <= maxDevices {
			v.wrong(join(path, "devices"), fmt.Sprintf("makes more than %d devices over all fleets", maxDevices), "")
		}
		v.between(join(path, "interval"), fleet.Interval, time.Millisecond, longest)
		if len(fleet.Sensors) == 0 {
			v.wrong(join(path, "sensors"), "missing", "give at least one sensor; "+suggest("", v.sensorNames()))
		}
		for j, name := range fleet.Sensors {
			at := index(join(path, "sensors"), j)
			if _, found := v.Sensors[name]; !found {
				v.unknown(at, "sensor", name, v.sensorNames())
			}
			if slices.Index(fleet.Sensors, name) < j {
				v.wrong(at, "is listed twice", "a device has each sensor once")
			}
		}
	}
}

// unknown notes a name that nothing has.
func (v *validator) unknown(path, kind, name string, names []string) {
	v.wrong(path, fmt.Sprintf("unknown %s %q", kind, name), suggest(name, names))
}

func (v *validator) sensorNames() []string { return slices.Sorted(maps.Keys(v.Sensors)) }

var sensorPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

func (v *validator) sensor(path, name string, s generator.Sensor) {
	if !sensorPattern.MatchString(name) {
		v.wrong(path, "the name must be lower-case letters, digits, dashes and underscores, beginning with a letter", "")
	}
	switch s.Kind {
	case generator.Normal:
		v.needs(path, "a normal sensor", map[string]bool{"mean": s.Mean != nil, "stddev": s.Stddev != nil})
		v.refuses(path, "a normal sensor", "kind", map[string]bool{"p": s.P != nil, "hold": s.Hold != nil})
	case generator.Switch:
		v.needs(path, "a switch", map[string]bool{"p": s.P != nil, "hold": s.Hold != nil})
		v.refuses(path, "a switch", "kind", map[string]bool{"mean": s.Mean != nil, "stddev": s.Stddev != nil})
	}
	if s.Stddev != nil {
		v.check(rule{*s.Stddev >= 0, join(path, "stddev"), "must be at least 0", "", nil})
	}
	if s.P != nil {
		v.check(rule{*s.P >= 0 && *s.P <= 1, join(path, "p"), "must be a probability between 0 and 1", "", nil})
	}
	if s.Hold != nil {
		v.between(join(path, "hold"), *s.Hold, time.Millisecond, 366*day)
	}
	v.thresholds(join(path, "thresholds"), s.Thresholds)
	for _, trend := range slices.Sorted(maps.Keys(s.Trends)) {
		if at := join(join(path, "trends"), trend); !slices.Contains(generator.TrendNames(), trend) {
			v.unknown(at, "trend", trend, generator.TrendNames())
		}
	}
}

// needs and refuses check the fields that only some kinds of a thing have.
func (v *validator) needs(path, what string, given map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !given[name] {
			v.wrong(join(path, name), "missing", what+" needs it")
		}
	}
}

// by is the field that says of which kind the thing is.
func (v *validator) refuses(path, what, by string, given map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at, remedy := join(path, name), "remove it"
		if !given[name] || !v.sound(at) {
			continue
		}
		if v.found[at].origin.file == defaultsFile {
			remedy = "it comes from defaults.yaml: give yours another name"
		}
		v.add(v.origin(at, join(path, by)), at, "has no meaning for "+what, remedy)
	}
}

func (v *validator) thresholds(path string, t generator.Thresholds) {
	if t.Min != nil && t.Max != nil {
		v.check(rule{*t.Min < *t.Max, join(path, "min"), "must be below max", "", []string{join(path, "max")}})
	}
	for _, alarm := range []struct {
		name  string
		limit *float64
	}{{"warning", t.Warning}, {"error", t.Error}} {
		at := join(path, alarm.name)
		if alarm.limit != nil && t.Min != nil {
			v.check(rule{*alarm.limit >= *t.Min, at, "must be at least min: no reading goes below it", "", []string{join(path, "min")}})
		}
		if alarm.limit != nil && t.Max != nil {
			v.check(rule{*alarm.limit <= *t.Max, at, "must be at most max: no reading goes beyond it", "", []string{join(path, "max")}})
		}
	}
}

func (v *validator) trends() {
	t := v.Trends
	v.timeOfDay("trends.diurnal.peak", t.Diurnal.Peak)
	v.check(rule{t.Seasonal.Peak >= 1 && t.Seasonal.Peak <= 366, "trends.seasonal.peak", "must be a day of the year between 1 and 366", "", nil})
	v.between("trends.weather.grid", t.Weather.Grid, time.Second, longest)
	v.between("trends.weather.correlation", t.Weather.Correlation, time.Second, 366*day)
	v.timeOfDay("trends.usage.open", t.Usage.Open)
	v.timeOfDay("trends.usage.close", t.Usage.Close)
	v.check(rule{t.Usage.Open < t.Usage.Close, "trends.usage.open", "must be before close", "", []string{"trends.usage.close"}})
	for i, point := range t.Load.Points {
		at := join(index("trends.load.points", i), "at")
		v.timeOfDay(at, point.At)
		if i > 0 {
			v.check(rule{point.At > t.Load.Points[i-1].At, at, "must be after the point before", "", nil})
		}
		v.check(rule{point.Level >= -1 && point.Level <= 1, join(index("trends.load.points", i), "level"), "must be between -1 and 1", "", nil})
	}
}

func (v *validator) timeOfDay(path string, d time.Duration) {
	v.check(rule{d >= 0 && d < day, path, "must be a time of day, from 0s to less than 24h", "", nil})
}

func (v *validator) delivery() {
	v.check(rule{v.Delivery.Missing < 1, "delivery.missing", "must be below 100%: nothing would be due", "", nil})
	v.between("delivery.late.by", v.Delivery.Late.By, 0, longest)
	v.check(rule{
		v.Delivery.Late.Rate == 0 || v.Delivery.Late.By > 0, "delivery.late.by", "must be above 0s where readings are late", "",
		[]string{"delivery.late.rate"},
	})
}
