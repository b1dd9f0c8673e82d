package generator

import "time"

// Reading is the payload of a record: what a device says at one moment. The tags are the payload's JSON, and
// reading.proto its Protobuf.
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

// measured is a reading before it is written: numbers alone, so that making one costs little more than its draws.
type measured struct {
	fleet, index int
	millis       int64 // event time, since 1970 UTC
	late         bool
	place        Place
	values       []shown
	status       status // the worst of its values'
}

// shown is what one sensor shows.
type shown struct {
	sensor     int   // position among the fleet's
	hundredths int64 // the value × 100
	status     status
}

// Append appends the payload of what is due, in the Spec's encoding, and tells its traits. In steady state it allocates nothing.
func (g *Generator) Append(dst []byte, due Due) ([]byte, Traits) {
	traits := g.measure(due)
	return g.writer.append(dst, &g.measured), traits
}

// Reading is the same as a value: what Append writes.
func (g *Generator) Reading(due Due) Reading {
	traits := g.measure(due)
	return g.spoken(g.Key(due.Device), traits.EventTime)
}

// spoken is what was measured last as a value.
func (g *Generator) spoken(device string, at time.Time) Reading {
	m := &g.measured
	fleet := &g.fleets[m.fleet]
	reading := Reading{
		Device:   device,
		Time:     at,
		Location: m.place,
		Values:   make([]Value, 0, len(m.values)), // JSON's [] rather than null when all sensors have dropped out
		Status:   statuses[m.status],
	}
	for _, v := range m.values {
		s := fleet.sensors[v.sensor]
		reading.Values = append(reading.Values, Value{
			Sensor: s.name, Value: float64(v.hundredths) / 100, Unit: s.unit, Status: statuses[v.status],
		})
	}
	return reading
}

// measure fills g.measured.
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
	late := hits(forLate.of(o.reading), g.delivery.Late.Rate)
	millis := g.event(due.At, late)
	o.nanos = millis * int64(time.Millisecond)
	traits := Traits{EventTime: time.UnixMilli(millis).UTC(), Late: late}

	g.striking = g.striking[:0]
	for i := range fleet.effects {
		if effect := &fleet.effects[i]; effect.strikes(&o) {
			g.striking = append(g.striking, effect)
		}
	}
	m := &g.measured
	m.fleet, m.index, m.millis, m.late, m.place = n, index, millis, late, o.place
	m.values, m.status = m.values[:0], fine
	for position, s := range fleet.sensors {
		value, present, labels := g.sense(position, s, &o)
		traits.Anomalies |= labels
		if !present {
			continue
		}
		status := s.status(value)
		m.values = append(m.values, shown{sensor: position, hundredths: value, status: status})
		m.status = max(m.status, status)
	}
	traits.Alert = m.status == alarming
	return traits
}
