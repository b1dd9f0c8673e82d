package harness

import (
	"github.com/fleetproof/fleetproof/generator"
)

// This file estimates what a scenario asks of a cluster, for the plan and for the caps of an external one.

const (
	// sampleDevices is how many devices of each fleet are measured for the size of a record.
	sampleDevices = 16

	// recordOverhead is what a record takes in the log beside its key and its value: its lengths and deltas, and the header
	// that carries its identity. A rough figure for an estimate.
	recordOverhead = 46
)

// delivered is how many records there are for each that falls due by the devices' intervals, with what they fail to
// deliver and what they deliver twice.
func (s *Scenario) delivered() float64 {
	return (1 - float64(s.Delivery.Missing)) * (1 + float64(s.Delivery.Duplicate))
}

// published is the same with an alert for every reading where there are alerts: how many there really are depends on the
// readings.
func (s *Scenario) published() float64 {
	if s.Alerts != nil {
		return 2 * s.delivered()
	}
	return s.delivered()
}

// busiest is how many records are handed to the producer in the busiest second, at most.
func (s *Scenario) busiest() float64 {
	var most float64
	for _, stage := range s.Load.Stages {
		most = max(most, stage.Rate.Of(s.ownPace()))
	}
	return most * s.published()
}

// payload is how many bytes of payload are handed to the producer in all, about and at most.
func (s *Scenario) payload(g *generator.Generator) float64 {
	return g.Pace().Records(g.Pace().End()) * s.published() * s.meanSize(g, func(_ uint32, payload []byte) int {
		return len(payload)
	})
}

// recordSize is the mean size of a record in the log, in bytes.
func (s *Scenario) recordSize(g *generator.Generator) float64 {
	return s.meanSize(g, func(device uint32, payload []byte) int {
		return len(payload) + len(g.Key(device)) + recordOverhead
	})
}

// meanSize is the mean of a measure of records, where each fleet weighs as many records as it sends.
func (s *Scenario) meanSize(g *generator.Generator, measure func(device uint32, payload []byte) int) float64 {
	var sum, records float64
	first := uint32(0)
	for _, fleet := range s.Fleets {
		weight := float64(fleet.Devices) / fleet.Interval.Seconds()
		sample := min(fleet.Devices, sampleDevices)
		for i := range sample {
			due := generator.Due{Device: first + uint32(i)}
			payload, _ := g.Append(nil, due)
			sum += float64(measure(due.Device, payload)) * weight / float64(sample)
		}
		records += weight
		first += uint32(fleet.Devices)
	}
	return sum / records
}
