package generator

import (
	"slices"
	"time"
)

// Reading is the payload of a record: what a device says at one moment. The tags are the payload's JSON.
type Reading struct {
	Device   string    `json:"device"`
	Time     time.Time `json:"time"` // of the event, UTC
	Location Place     `json:"location"`
	Values   []Value   `json:"readings"`
	Status   string    `json:"status"` // the worst of its values'
}

// Value is what one sensor says.
type Value struct {
	Sensor string  `json:"sensor"`
	Value  float64 `json:"value"` // a multiple of 0.01
	Unit   string  `json:"unit"`
	Status string  `json:"status"` // StatusOK, StatusWarning or StatusError
}

// Traits is what is known about a reading beyond its payload: the truth the verdict is held against.
type Traits struct {
	EventTime time.Time
	Anomalies uint64 // bit n: the reading was changed by Spec.Anomalies[n]
	Alert     bool   // some value is beyond its error threshold
	Late      bool   // the event time was moved back
}

// occasion is one reading of one device: what all its draws depend on.
type occasion struct {
	device, reading uint64 // keys that hold the seed, the fleet, the device's index, and the latter also the reading's number
	index           int64
	at              time.Duration
	nanos           int64 // event time
	place           Place
}

// Append appends the payload of what is due, as JSON, and tells its traits. In steady state it allocates nothing.
func (g *Generator) Append(dst []byte, due Due) ([]byte, Traits) {
	traits := g.measure(due)
	return appendJSON(dst, &g.reading), traits
}

// Reading is the same as a value: what Append writes.
func (g *Generator) Reading(due Due) Reading {
	g.measure(due)
	reading := g.reading
	reading.Values = slices.Clone(reading.Values)
	return reading
}

// measure fills g.reading.
func (g *Generator) measure(due Due) Traits {
	n, index := g.find(due.Device)
	fleet := &g.fleets[n]
	device := mix(fleet.key, uint64(index))
	o := occasion{
		device:  device,
		reading: mix(device, uint64(due.Index)),
		index:   due.Index,
		at:      due.At,
		place:   g.location.place(index),
	}
	late := g.draws.hits(forLate.of(o.reading), g.delivery.Late.Rate)
	o.nanos = g.event(due.At, late)
	traits := Traits{EventTime: time.Unix(0, o.nanos).UTC(), Late: late}

	g.striking = g.striking[:0]
	for i := range fleet.effects {
		if effect := &fleet.effects[i]; effect.strikes(&o, g.draws) {
			g.striking = append(g.striking, effect)
		}
	}
	r := &g.reading
	*r = Reading{
		Device:   fleet.keys.at(index),
		Time:     traits.EventTime,
		Location: o.place,
		Values:   r.Values[:0],
		Status:   StatusOK,
	}
	for position, s := range fleet.sensors {
		value, present, labels := g.sense(position, s, &o)
		traits.Anomalies |= labels
		if !present {
			continue
		}
		status := s.status(value)
		r.Values = append(r.Values, Value{Sensor: s.name, Value: value, Unit: s.unit, Status: status})
		if status == StatusError || r.Status == StatusOK {
			r.Status = status
		}
	}
	traits.Alert = r.Status == StatusError
	return traits
}
