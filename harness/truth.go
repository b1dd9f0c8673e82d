package harness

import (
	"math/bits"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
)

// truth holds what was injected against what came back: anomalies against what detectors find in the records read back,
// and alerts against the readings they refer to. The load tells it what it injects, the reader what it reads; it only
// looks into payloads that can matter.
type truth struct {
	mutex     sync.Mutex
	generator *generator.Generator
	encoding  generator.Encoding // of the payloads
	fleets    []generator.Fleet
	anomalies []suspect
	alerts    map[alertRef]sides // those of which one side is missing; nil unless the scenario has an alerts topic
	complete  int64              // alerts of which both sides were read back
	errors    map[string]limit   // by sensor: the error threshold that raises an alert
	reading   generator.Reading  // reused
}

// suspect is one timed anomaly and what is known about the devices it may touch.
type suspect struct {
	spec     generator.Anomaly
	span     assertions.Span
	chosen   []uint64                                   // the devices it may befall: a bit for each
	sensors  map[string]assertions.Profile              // those the anomaly applies to
	injected int64                                      // readings handed over that the anomaly changed
	devices  map[uint32]struct{}                        // of those readings
	watched  map[uint32]map[string]*assertions.Detector // by device and sensor
}

// alertRef is the reading an alert is about.
type alertRef struct {
	device   uint32
	sequence uint64
}

// sides are the two halves of an alert that were read back. An alert that the harness itself could not hand over any
// more is not missed.
type sides struct{ reading, alert, withheld bool }

// limit is an error threshold.
type limit struct {
	value float64
	below bool // the alarm is on the low side
}

func newTruth(scenario *Resolved, fleet *generator.Generator) *truth {
	t := &truth{generator: fleet, encoding: scenario.Generator().Encoding, fleets: scenario.Fleets, errors: map[string]limit{}}
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
		s := suspect{
			spec: spec, sensors: map[string]assertions.Profile{},
			devices: map[uint32]struct{}{}, watched: map[uint32]map[string]*assertions.Detector{},
		}
		s.span = assertions.Span{From: spec.At, To: end}
		if spec.For != nil {
			s.span.To = spec.At + *spec.For
		}
		for name, sensor := range scenario.Sensors {
			if (spec.Sensor == "" || spec.Sensor == name) && spec.Do.Applies(sensor.Kind) {
				s.sensors[name] = t.profile(spec, sensor, name, scenario.Clock.Speed)
			}
		}
		s.chosen = make([]uint64, fleet.Devices()/64+1)
		t.anomalies = append(t.anomalies, s)
	}
	if len(t.anomalies) > 0 {
		t.choose()
	}
	return t
}

// choose finds out which devices the anomalies may befall, so that it need not be asked again for every record.
func (t *truth) choose() {
	for number := range uint32(t.generator.Devices()) {
		for chosen := t.generator.Chosen(number); chosen != 0; chosen &= chosen - 1 {
			t.anomalies[bits.TrailingZeros64(chosen)].chosen[number/64] |= 1 << (number % 64)
		}
	}
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

// injected takes the labels of a reading that was handed over. A copy on purpose is not another reading.
func (t *truth) injected(due generator.Due, labels uint64) {
	if labels == 0 || due.Copy {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for i := range t.anomalies {
		if labels&(1<<i) != 0 {
			t.anomalies[i].injected++
			t.anomalies[i].devices[due.Device] = struct{}{}
		}
	}
}

// withheld takes a reading whose alert could not be handed over any more.
func (t *truth) withheld(device uint32, sequence uint64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.side(alertRef{device: device, sequence: sequence}, func(pair *sides) { pair.withheld = true })
}

// side notes one side of an alert, and forgets the alert once both were read back.
func (t *truth) side(ref alertRef, note func(*sides)) {
	pair := t.alerts[ref]
	note(&pair)
	if pair.reading && pair.alert {
		delete(t.alerts, ref)
		t.complete++
		return
	}
	t.alerts[ref] = pair
}

// see takes one intact record of the run, at its first sighting. What can say nothing is left undecoded: nearly all of a
// healthy fleet.
func (t *truth) see(id identity, payload []byte) {
	suspects := uint64(0)
	if id.Stream == streamReadings && id.Of == 0 {
		suspects = t.suspects(id)
	}
	if suspects == 0 && t.alerts == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if id.Stream == streamAlerts {
		t.side(alertRef{device: id.Device, sequence: id.Of - 1}, func(pair *sides) { pair.alert = true })
		return
	}
	if id.Of != 0 {
		return // a copy on purpose says nothing new
	}
	if t.encoding.Decode(payload, &t.reading) != nil {
		return // the checksum holds, so this is what was sent; a payload of another format is the generator's own test
	}
	if t.alerts != nil && t.alarming() {
		t.side(alertRef{device: id.Device, sequence: id.Sequence}, func(pair *sides) { pair.reading = true })
	}
	for i := range t.anomalies {
		if suspects&(1<<i) != 0 {
			t.detect(&t.anomalies[i], id)
		}
	}
}

// suspects is which anomalies are on when a record was due and may befall its device. Whether they did befall this record
// it does not say: that is for the detectors to find.
func (t *truth) suspects(id identity) (on uint64) {
	for i := range t.anomalies {
		s := &t.anomalies[i]
		if id.Due >= s.span.From && id.Due < s.span.To && s.chosen[id.Device/64]>>(id.Device%64)&1 != 0 {
			on |= 1 << i
		}
	}
	return on
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
func (t *truth) detect(s *suspect, id identity) {
	fleet := t.fleets[t.generator.Device(id.Device).Fleet]
	detectors := s.watched[id.Device]
	if detectors == nil {
		detectors = map[string]*assertions.Detector{}
		s.watched[id.Device] = detectors
	}
	for _, sensor := range fleet.Sensors {
		profile, applies := s.sensors[sensor]
		if !applies {
			continue
		}
		detector := detectors[sensor]
		if detector == nil {
			detector = assertions.NewDetector(profile)
			detectors[sensor] = detector
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
		account.Devices = int64(len(s.devices))
		for number := range s.devices {
			for _, detector := range s.watched[number] {
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
	account := &assertions.Alerts{Due: t.complete}
	for _, pair := range t.alerts {
		switch {
		case pair.withheld:
		case pair.reading:
			account.Due++
			account.Missing++
		default:
			account.Spurious++
		}
	}
	return account
}
