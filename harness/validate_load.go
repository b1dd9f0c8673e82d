package harness

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// maxRate is in records per second: far beyond any machine, and far below any overflow.
const maxRate = 1e8

// load checks the stages.
func (v *validator) load() {
	stages := v.Load.Stages
	if len(stages) == 0 {
		v.wrong("load.stages", "missing", "give at least one stage")
	}
	v.names("load.stages", namesOf(stages, func(s generator.Stage) string { return s.Name }))
	own := v.ownPace()
	for i, stage := range stages {
		path := index("load.stages", i)
		v.between(join(path, "for"), stage.For, time.Millisecond, longest)
		v.check(rule{
			!(stage.Rate.Of(own) > maxRate), join(path, "rate"), fmt.Sprintf("must be at most %.0f/s", float64(maxRate)), "",
			[]string{"fleets"},
		})
	}
	v.check(rule{v.Load.length() <= longest, "load.stages", "must last at most " + written(longest) + " in all", "", nil})
}

// within checks that an anomaly lies in the load. A load that is mistaken itself bounds nothing.
func (v *validator) within(path string, at time.Duration, length *time.Duration) {
	end := v.Load.length()
	v.check(
		rule{at >= 0, join(path, "at"), "must be at least 0s", "", nil},
		rule{at < end, join(path, "at"), "must be before the load ends, at " + written(end), "", []string{"load"}},
	)
	if length != nil {
		v.between(join(path, "for"), *length, time.Millisecond, longest)
		v.over(path, at, *length)
	}
}

// over checks that what begins at a moment ends with the load or before.
func (v *validator) over(path string, at, length time.Duration) {
	end := v.Load.length()
	v.check(rule{
		at+length <= end, join(path, "for"),
		fmt.Sprintf("must be over before the load ends: at + for is %s, the load ends at %s", written(at+length), written(end)),
		"", []string{join(path, "at"), "load"},
	})
}

// anomalies checks what is wrong with the devices' readings on purpose.
func (v *validator) anomalies() {
	if len(v.Anomalies) > generator.MaxAnomalies {
		v.wrong("anomalies", fmt.Sprintf("must be at most %d, got %d", generator.MaxAnomalies, len(v.Anomalies)), "records carry one bit for each")
	}
	v.names("anomalies", namesOf(v.Anomalies, func(a generator.Anomaly) string { return a.Name }))
	for i, anomaly := range v.Anomalies {
		path := index("anomalies", i)
		v.within(path, anomaly.At, anomaly.For)
		v.check(rule{anomaly.Rate > 0, join(path, "rate"), "must be above 0%", "", nil})
		v.anomalyFields(path, anomaly)
		v.where(join(path, "where"), anomaly.Where)
		v.victims(path, anomaly)
	}
}

// anomalyFields checks what each kind of anomaly needs and refuses.
func (v *validator) anomalyFields(path string, a generator.Anomaly) {
	to, by := map[string]bool{"to": a.To != nil}, map[string]bool{"by": a.By != nil}
	what := fmt.Sprintf("the anomaly %s", a.Do)
	switch a.Do {
	case generator.Spike:
		if a.To != nil && a.By != nil {
			v.wrong(join(path, "by"), "has no meaning beside to", "keep one of the two")
		} else if a.To == nil && a.By == nil {
			v.wrong(join(path, "to"), "missing", what+" needs to or by")
		}
	case generator.Drift, generator.Noise:
		v.needs(path, what, by)
		v.refuses(path, what, "do", to)
	case generator.Stuck:
		v.refuses(path, what, "do", by)
	case generator.Dropout, generator.Toggle:
		v.refuses(path, what, "do", map[string]bool{"to": a.To != nil, "by": a.By != nil})
	}
	if a.By == nil {
		return
	}
	switch at := join(path, "by"); a.Do {
	case generator.Drift:
		v.check(
			rule{a.By.PerSecond, at, "must be an amount per second", "write 2/s", nil},
			rule{a.By.Amount != 0, at, "must not be 0", "", nil},
		)
	case generator.Spike:
		v.check(
			rule{!a.By.PerSecond, at, "must be an amount, not one per second", "", nil},
			rule{a.By.Amount != 0, at, "must not be 0", "", nil},
		)
	case generator.Noise:
		v.check(
			rule{!a.By.PerSecond, at, "must be a factor, not an amount per second", "", nil},
			rule{a.By.Amount >= 0 && a.By.Amount != 1, at, "must be a factor of at least 0, and not 1", "", nil},
		)
	}
}

// where checks that a place exists.
func (v *validator) where(path string, w generator.Where) {
	for _, level := range []struct {
		name, count string
		number      *int
		most        int
	}{
		{"building", "location.buildings", w.Building, v.Location.Buildings},
		{"floor", "location.floors", w.Floor, v.Location.Floors},
		{"room", "location.rooms", w.Room, v.Location.Rooms},
	} {
		if level.number != nil {
			v.check(rule{
				*level.number >= 1 && *level.number <= level.most, join(path, level.name),
				fmt.Sprintf("must be between 1 and %d", level.most), "", []string{level.count},
			})
		}
	}
	v.check(rule{w.Devices > 0, join(path, "devices"), "must be above 0%", "", nil})
	if w.Fleet != "" && !slices.Contains(v.fleetNames(), w.Fleet) {
		v.unknown(join(path, "fleet"), "fleet", w.Fleet, v.fleetNames())
	}
}

func (v *validator) fleetNames() []string {
	return namesOf(v.Fleets, func(f generator.Fleet) string { return f.Name })
}

// victims checks that an anomaly has something to befall: a fleet with a sensor of the right kind.
func (v *validator) victims(path string, a generator.Anomaly) {
	at := join(path, "sensor")
	if sensor, found := v.Sensors[a.Sensor]; a.Sensor != "" && !found {
		v.unknown(at, "sensor", a.Sensor, v.sensorNames())
		return
	} else if found && !a.Do.Applies(sensor.Kind) {
		v.check(rule{false, at, fmt.Sprintf("%s does not apply to a sensor of the kind %s", a.Do, sensor.Kind), "", []string{join(path, "do")}})
		return
	}
	if !v.sound("fleets", "location", "sensors", at, join(path, "do"), join(path, "where")) {
		return
	}
	if !slices.ContainsFunc(v.Fleets, func(fleet generator.Fleet) bool { return v.befalls(a, fleet) }) {
		v.check(rule{false, path, "befalls nothing: no device that it selects has such a sensor", "", nil})
	}
}

// befalls says whether an anomaly can touch a fleet: it selects it, and the fleet has a sensor of the right kind.
func (s *Scenario) befalls(a generator.Anomaly, fleet generator.Fleet) bool {
	return (a.Where.Fleet == "" || a.Where.Fleet == fleet.Name) && slices.ContainsFunc(fleet.Sensors, func(name string) bool {
		return (a.Sensor == "" || a.Sensor == name) && a.Do.Applies(s.Sensors[name].Kind)
	})
}

// faults checks the trouble. What a kind of fault needs, who can do it, and which faults go together, is the business of
// package fault.
func (v *validator) faults() {
	v.names("faults", namesOf(v.Faults, func(f fault.Spec) string { return f.Name }))
	world := v.world()
	for i, spec := range v.Faults {
		path := index("faults", i)
		if !v.sound(join(path, "do")) {
			continue
		}
		for _, problem := range fault.Validate(spec, world) {
			v.trouble(path, problem)
		}
		v.check(rule{spec.For <= longest, join(path, "for"), "must be at most " + written(longest), "", nil})
		v.over(path, spec.At, spec.For)
		if spec.Repeat != nil {
			v.check(rule{spec.Repeat.Every <= longest, join(path, "repeat.every"), "must be at most " + written(longest), "", nil})
		}
	}
	if !v.sound("faults", "broker", "topic", "alerts", "load") {
		return // together they can only be understood when each is
	}
	for _, conflict := range fault.Conflicts(v.Faults, world) {
		v.trouble(index("faults", conflict.Fault), conflict.Problem)
	}
}

// trouble notes what is wrong with a fault, unless that rests on something that is mistaken itself.
func (v *validator) trouble(path string, problem fault.Problem) {
	remedy := problem.Remedy
	if problem.Known != nil {
		remedy = suggest(problem.Got, problem.Known)
	}
	cluster := []string{"broker", "topic", "alerts"}
	about := map[string][]string{
		"at": {"load"}, "do": {"broker.kind"}, "target": cluster, "to": cluster, "repeat": {"load"},
		"repeat.every": append(cluster, join(path, "for")), "repeat.times": {"load", join(path, "at"), join(path, "for"), join(path, "repeat.every")},
	}
	at := join(path, problem.Field)
	if problem.Field == "for" && v.found[at] == nil {
		problem.Problem = "missing" // and not 0s
	}
	if v.sound(about[problem.Field]...) {
		v.told(at, problem.Problem, remedy, path)
	}
}
