package generator

import (
	"math"
	"slices"
	"time"
)

// effect is an anomaly as it concerns one fleet.
type effect struct {
	Anomaly
	place   Place  // where; 0 stands for everywhere
	label   uint64 // its bit in Traits.Anomalies
	key     uint64
	end     time.Duration
	sensors []bool // which of the fleet's sensors it befalls
}

// effectsOn selects the anomalies that can touch the fleet.
func effectsOn(fleet Fleet, spec Spec) []effect {
	var effects []effect
	for n, anomaly := range spec.Anomalies {
		if anomaly.Where.Fleet != "" && anomaly.Where.Fleet != fleet.Name {
			continue
		}
		e := effect{Anomaly: anomaly, place: anomaly.Where.place(), label: 1 << n, key: named(spec.Seed, "anomaly "+anomaly.Name), end: math.MaxInt64}
		if anomaly.For != nil {
			e.end = anomaly.At + *anomaly.For
		}
		for _, name := range fleet.Sensors {
			e.sensors = append(e.sensors, (anomaly.Sensor == "" || anomaly.Sensor == name) && anomaly.Do.Applies(spec.Sensors[name].Kind))
		}
		if slices.Contains(e.sensors, true) {
			effects = append(effects, e)
		}
	}
	return effects
}

// strikes says whether the effect befalls a reading: within its time and place, and chosen by the seed both among the
// devices and among the readings.
func (e *effect) strikes(o *occasion) bool {
	return o.at >= e.At && o.at < e.end && e.chooses(o.device, o.place) && hits(mix(o.reading, e.key), e.Rate)
}

// chooses says whether the effect may befall readings of a device, by its key and its place.
func (e *effect) chooses(device uint64, place Place) bool {
	return covers(e.place.Building, place.Building) && covers(e.place.Floor, place.Floor) && covers(e.place.Room, place.Room) &&
		hits(mix(device, e.key), e.Where.Devices)
}

// Chosen is which anomalies may befall readings of a device: bit n stands for Spec.Anomalies[n]. It only reads, and may be
// called beside any other method.
func (g *Generator) Chosen(number uint32) (anomalies uint64) {
	n, index := g.find(number)
	f := &g.fleets[n]
	if len(f.effects) == 0 {
		return 0
	}
	device, place := mix(f.key, uint64(index)), g.location.place(index)
	for i := range f.effects {
		if e := &f.effects[i]; e.chooses(device, place) {
			anomalies |= e.label
		}
	}
	return anomalies
}

func (w Where) place() Place {
	var place Place
	for _, part := range []struct {
		into *int
		from *int
	}{{&place.Building, w.Building}, {&place.Floor, w.Floor}, {&place.Room, w.Room}} {
		if part.from != nil {
			*part.into = *part.from
		}
	}
	return place
}

func covers(where, place int) bool { return where == 0 || where == place }

// sense reads one sensor: the draw, then the anomalies in order, then the physical limits. It returns the anomalies that
// changed the value as written, leaving out those whose change a later one wiped out. A sensor that has dropped out is
// not present.
func (g *Generator) sense(position int, s *sensor, o *occasion) (value int64, present bool, labels uint64) {
	raw, deviation := g.draw(s, o)
	natural := s.written(raw) // in hundredths, as all that is written
	value, present = natural, true
	for _, e := range g.striking {
		if !e.sensors[position] || !present {
			continue
		}
		before := value
		switch e.Do {
		case Spike:
			if e.To != nil {
				raw, labels, before = *e.To, 0, natural
			} else {
				raw += e.By.Amount
			}
		case Drift:
			raw += e.By.Amount * (o.at - e.At).Seconds()
		case Noise:
			raw += (e.By.Amount - 1) * deviation
		case Stuck:
			raw, labels, before = g.stuckAt(e, s, o), 0, natural
		case Toggle:
			raw, labels, before = float64(o.index&1), 0, natural
		case Dropout:
			present, labels = false, e.label
			continue
		}
		if value = s.written(raw); value != before {
			labels |= e.label
		}
	}
	return value, present, labels
}

// stuckAt is the value at which a sensor is stuck: the anomaly's, or one that is the device's own and that it might have
// read when the anomaly began.
func (g *Generator) stuckAt(e *effect, s *sensor, o *occasion) float64 {
	if e.To != nil {
		return *e.To
	}
	began := *o
	began.reading, began.nanos = mix(o.device, e.key), g.event(e.At, false)*int64(time.Millisecond)
	value, _ := g.draw(s, &began)
	return value
}
