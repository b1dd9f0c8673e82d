// Package generator plays a fleet of devices: where they stand, when each of their readings is due, what it says, and
// its bytes.
//
// It takes a Spec: the generator's part of a scenario, with nothing left to default. It gives, in order of time, what is
// due (Next), and for each the record's payload with the truth about it (Append): its event time, whether it raises an
// alert, and which anomalies really changed it.
//
//	Stages ─▶ Pace ─▶ fleet time ─▶ Next ─▶ Due ─▶ Append ─▶ payload + Traits
//	                  Fleets ────────┘               ▲
//	                  Sensors, Trends, Anomalies ────┘
//
// Two clocks run. Due times, and the windows of anomalies, are time since the start of the load. Event time is what the
// payload carries and what the sensors' world (trends, weather, the states of switches) runs on; Clock maps the one to
// the other.
//
// Chance comes from the seed alone, and every draw from a key of its own: a reading is a function of the seed, the name
// of its fleet, the device's index, the reading's number and its due time. It does not depend on how many devices there
// are, on other fleets, on what was asked for before, or on the process. When a reading is due depends on the load as
// well, since a stage's rate stretches the intervals of all devices by one factor.
//
// The package holds no clock, starts no goroutine and does no I/O. It knows nothing of Kafka, of partitions, of headers,
// or of what becomes of a record.
package generator

import "time"

// Generator plays one Spec. Two that were made from the same Spec are equal, and may share the work. What is asked of the
// fleet (Devices, Device, AppendKey, Key, Chosen, Pace) may be asked at any time and from anywhere; what is asked of its
// readings (Next, NextAt, Missing, Append, Reading) from one goroutine.
type Generator struct {
	pace     Pace
	start    int64 // event time at the start of the load, nanoseconds since 1970 UTC
	speed    float64
	location Location
	delivery Delivery
	devices  int
	fleets   []fleet
	normals  *normals
	trends   *trends

	streams  []*stream // one for each fleet
	upcoming Due       // the next to hand out, where fetched
	fetched  bool
	missing  int64

	measured measured  // the reading measured last
	striking []*effect // the effects on it
	writer   writer
}

// fleet is a Fleet made ready.
type fleet struct {
	first   uint32 // number of its first device
	key     uint64
	prefix  string // of its devices' keys
	sensors []*sensor
	effects []effect
}

// New makes the generator of a valid Spec. It sorts the devices by phase: for a million devices that takes a good part
// of a second, and what is kept per device is eight bytes.
func New(spec Spec) *Generator {
	normals := newNormals()
	own := OwnPace(spec.Fleets)
	g := &Generator{
		pace:     NewPace(spec.Stages, own),
		start:    spec.Clock.Start.UnixNano(),
		speed:    spec.Clock.Speed,
		location: spec.Location,
		delivery: spec.Delivery,
		normals:  normals,
		trends:   newTrends(spec, normals),
		writer:   spec.Encoding.writer(spec),
	}
	for _, f := range spec.Fleets {
		made := fleet{
			first:   uint32(g.devices),
			key:     named(spec.Seed, "fleet "+f.Name),
			prefix:  f.Name + "-",
			effects: effectsOn(f, spec),
		}
		for _, name := range f.Sensors {
			made.sensors = append(made.sensors, newSensor(name, spec.Sensors[name], spec.Location.Buildings))
		}
		g.fleets = append(g.fleets, made)
		g.streams = append(g.streams, newStream(f, made.first, made.key, g.pace, own))
		g.devices += f.Devices
	}
	return g
}

// Devices is how many devices there are in all fleets together.
func (g *Generator) Devices() int { return g.devices }

// Device describes the device with that number. It allocates nothing.
func (g *Generator) Device(number uint32) Device {
	n, index := g.find(number)
	return Device{
		Number: number,
		Fleet:  n,
		Index:  index,
		Place:  g.location.place(index),
	}
}

// find is the index of the device's fleet, and its own in it.
func (g *Generator) find(number uint32) (fleet, index int) {
	fleet = len(g.fleets) - 1
	for g.fleets[fleet].first > number {
		fleet--
	}
	return fleet, int(number - g.fleets[fleet].first)
}

// Pace is the course of the load.
func (g *Generator) Pace() Pace { return g.pace }

// event is the event time of what is due at that time, in milliseconds since 1970 UTC.
func (g *Generator) event(at time.Duration, late bool) int64 {
	nanos := g.start + int64(g.speed*float64(at))
	if late {
		nanos -= int64(g.delivery.Late.By)
	}
	return (nanos - floorMod(nanos, int64(time.Millisecond))) / int64(time.Millisecond)
}
