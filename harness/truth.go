package harness

import (
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
)

// truth holds what was injected against what came back: anomalies by their labels and alerts by the readings they refer
// to. It is fed by the one goroutine that reads back, and only looks into payloads that can matter.
type truth struct {
	generator *generator.Generator
	fleets    []generator.Fleet
	anomalies []suspect
	alerts    map[alertRef]sides // nil unless the scenario has an alerts topic
	errors    map[string]limit   // by sensor: the error threshold that raises an alert
	reading   generator.Reading  // reused
}

// suspect is one timed anomaly and what is known about the devices it may touch.
type suspect struct {
	spec     generator.Anomaly
	span     assertions.Span
	sensors  map[string]assertions.Profile // those the anomaly applies to
	injected int64
	devices  map[uint32]*device
}

// device is one device under one anomaly: a detector for each sensor, and whether any of its records had the label.
type device struct {
	labelled  bool
	detectors map[string]*assertions.Detector
}

// alertRef is the reading an alert is about.
type alertRef struct {
	device   uint32
	sequence uint64
}

// sides are the two halves of an alert that were read back.
type sides struct{ reading, alert bool }

// limit is an error threshold.
type limit struct {
	value float64
	below bool // the alarm is on the low side
}

func newTruth(scenario *Resolved, fleet *generator.Generator) *truth {
	t := &truth{generator: fleet, fleets: scenario.Fleets, errors: map[string]limit{}}
	for name, sensor := range scenario.Sensors {
		if sensor.Thresholds.Error != nil {
			t.errors[name] = limit{value: *sensor.Thresholds.Error, below: sensor.AlarmsBelow()}
		}
	}
	if scenario.Alerts != nil {
		t.alerts = map[alertRef]sides{}
	}
	end := fleet.Pace().End()
	for _, spec := range scenario.Anomalies {
		s := suspect{spec: spec, sensors: map[string]assertions.Profile{}, devices: map[uint32]*device{}}
		s.span = assertions.Span{From: spec.At, To: end}
		if spec.For != nil {
			s.span.To = spec.At + *spec.For
		}
		for name, sensor := range scenario.Sensors {
			if (spec.Sensor == "" || spec.Sensor == name) && spec.Do.Applies(sensor.Kind) {
				s.sensors[name] = t.profile(spec, sensor, name, scenario.Clock.Speed)
			}
		}
		t.anomalies = append(t.anomalies, s)
	}
	return t
}

// profile is what a detector may know: the sensor as the scenario declares it. A detector is told due times, so the
// hold of a switch, which is event time, is shortened by the clock's speed.
func (t *truth) profile(spec generator.Anomaly, sensor generator.Sensor, name string, speed float64) assertions.Profile {
	profile := assertions.Profile{Do: string(spec.Do), Switch: sensor.Kind == generator.Switch, Swing: sensor.Swing()}
	if sensor.Hold != nil {
		profile.Hold = time.Duration(float64(*sensor.Hold) / speed)
	}
	if sensor.Mean != nil {
		profile.Mean, profile.Stddev = *sensor.Mean, *sensor.Stddev
	}
	if sensor.P != nil {
		profile.P = *sensor.P
	}
	if limit, found := t.errors[name]; found {
		profile.Error, profile.ErrorBelow = &limit.value, limit.below
	}
	return profile
}

// see takes one intact record of the run.
func (t *truth) see(id identity, payload []byte) {
	if id.Stream == streamAlerts {
		ref := alertRef{device: id.Device, sequence: id.Of - 1}
		pair := t.alerts[ref]
		pair.alert = true
		t.alerts[ref] = pair
		return
	}
	if id.Of != 0 || (t.alerts == nil && !t.suspected(id.Due)) {
		return // a copy on purpose says nothing new
	}
	if generator.Decode(payload, &t.reading) != nil {
		return // the checksum holds, so this is what was sent; a payload of another format is the generator's own test
	}
	if t.alerts != nil && t.alarming() {
		ref := alertRef{device: id.Device, sequence: id.Sequence}
		pair := t.alerts[ref]
		pair.reading = true
		t.alerts[ref] = pair
	}
	for i := range t.anomalies {
		if s := &t.anomalies[i]; id.Due >= s.span.From && id.Due < s.span.To {
			t.detect(s, id, id.Anomalies&(1<<i) != 0)
		}
	}
}

// suspected says whether an anomaly is on at a moment.
func (t *truth) suspected(due time.Duration) bool {
	for i := range t.anomalies {
		if due >= t.anomalies[i].span.From && due < t.anomalies[i].span.To {
			return true
		}
	}
	return false
}

// alarming says whether some value of the decoded reading lies beyond its error threshold.
func (t *truth) alarming() bool {
	for _, value := range t.reading.Values {
		limit, found := t.errors[value.Sensor]
		if found && (limit.below && value.Value < limit.value || !limit.below && value.Value > limit.value) {
			return true
		}
	}
	return false
}

// detect feeds the detectors of one device. They see every reading in the anomaly's span, labelled or not: the label is
// what they are held against, never what they look at.
func (t *truth) detect(s *suspect, id identity, labelled bool) {
	subject := t.generator.Device(id.Device)
	fleet := t.fleets[subject.Fleet]
	if !s.spec.Where.Covers(fleet.Name, subject.Place) {
		return
	}
	known := s.devices[id.Device]
	if known == nil {
		known = &device{detectors: map[string]*assertions.Detector{}}
		s.devices[id.Device] = known
	}
	if labelled {
		known.labelled = true
		s.injected++
	}
	for _, sensor := range fleet.Sensors {
		profile, applies := s.sensors[sensor]
		if !applies {
			continue
		}
		detector := known.detectors[sensor]
		if detector == nil {
			detector = assertions.NewDetector(profile)
			known.detectors[sensor] = detector
		}
		value, present := t.valueOf(sensor)
		detector.Add(id.Due, value, present)
	}
}

func (t *truth) valueOf(sensor string) (float64, bool) {
	for _, value := range t.reading.Values {
		if value.Sensor == sensor {
			return value.Value, true
		}
	}
	return 0, false
}

// found is the account of every anomaly.
func (t *truth) found() []assertions.Anomaly {
	found := make([]assertions.Anomaly, 0, len(t.anomalies))
	for _, s := range t.anomalies {
		account := assertions.Anomaly{Name: s.spec.Name, Do: string(s.spec.Do), Span: s.span, Injected: s.injected}
		for _, known := range s.devices {
			if !known.labelled {
				continue
			}
			account.Devices++
			for _, detector := range known.detectors {
				if detector.Fired() {
					account.Detected++
					break
				}
			}
		}
		found = append(found, account)
	}
	return found
}

// alertsFound compares the alerts with the readings they are about; nil without an alerts topic.
func (t *truth) alertsFound() *assertions.Alerts {
	if t.alerts == nil {
		return nil
	}
	account := &assertions.Alerts{}
	for _, pair := range t.alerts {
		switch {
		case pair.reading && pair.alert:
			account.Due++
		case pair.reading:
			account.Due++
			account.Missing++
		default:
			account.Spurious++
		}
	}
	return account
}
