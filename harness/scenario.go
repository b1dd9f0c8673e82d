package harness

import (
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// Scenario is one sentence about the world, the load, the trouble and the promise. It composes the parts' own types;
// the parts know nothing of it.
type Scenario struct {
	Version     int      `yaml:"version"`     // of the language: 1
	Name        string   `yaml:"name"`        // lower-case letters, digits and dashes
	Description string   `yaml:"description"` // what the scenario proves, in a sentence
	Tags        []string `yaml:"tags"`        // for people, to find their scenarios by
	Seed        uint64   `yaml:"seed"`        // everything random follows from it: the same seed gives the same records

	Clock    generator.Clock `yaml:"clock"`
	Broker   broker.Spec     `yaml:"broker"`
	Topic    broker.Topic    `yaml:"topic"`
	Alerts   *AlertsTopic    `yaml:"alerts"` // absent: readings beyond a threshold are not published a second time
	Producer producer.Config `yaml:"producer"`

	Location  generator.Location          `yaml:"location"`
	Fleets    []generator.Fleet           `yaml:"fleets"`
	Sensors   map[string]generator.Sensor `yaml:"sensors"` // what differs from defaults.yaml, and sensors of one's own
	Trends    generator.Trends            `yaml:"trends"`
	Delivery  generator.Delivery          `yaml:"delivery"`
	Load      Stages                      `yaml:"load"`
	Anomalies []generator.Anomaly         `yaml:"anomalies"`
	Faults    []fault.Spec                `yaml:"faults"`

	Oracle Oracle   `yaml:"oracle"`
	Expect []string `yaml:"expect"` // promised, or METRIC[.AGGREGATE] OPERATOR LIMIT [SCOPE], as in "e2e_latency.p99 < 250ms outside faults"
}

// AlertsTopic is the topic on which readings beyond their error threshold are published a second time.
type AlertsTopic struct {
	Topic      string `yaml:"topic"` // its name; it is replicated like the readings' topic
	Partitions int    `yaml:"partitions"`
}

// Stages is the load: an open loop that goes through its stages, whatever becomes of the records.
type Stages struct {
	Stages []generator.Stage `yaml:"stages"`
}

// Oracle says how carefully the run is read back and judged.
type Oracle struct {
	Rescan        bool            `yaml:"rescan"`         // read everything a second time, from offset 0, after the run; nothing is trimmed then
	DrainTimeout  time.Duration   `yaml:"drain_timeout"`  // for the producer to give every record its outcome once the load has ended
	ReadTimeout   time.Duration   `yaml:"read_timeout"`   // without any progress in reading back
	HealTimeout   time.Duration   `yaml:"heal_timeout"`   // for a fault's healing to be proven
	LedgerMemory  producer.Size   `yaml:"ledger_memory"`  // the ledger's cap; beyond it the run ends inconclusive
	AchievedFloor generator.Share `yaml:"achieved_floor"` // below this share handed over in time, rates and latencies prove nothing
	LagLimit      time.Duration   `yaml:"lag_limit"`      // the generator's own lag beyond which a record counts against the harness
	StallLimit    time.Duration   `yaml:"stall_limit"`    // a pause of the whole process beyond which latencies prove nothing
}

// Generator is the generator's part of the scenario.
func (s *Scenario) Generator() generator.Spec {
	return generator.Spec{
		Seed: s.Seed, Clock: s.Clock, Location: s.Location, Fleets: s.Fleets, Sensors: s.Sensors, Trends: s.Trends,
		Delivery: s.Delivery, Anomalies: s.Anomalies, Stages: s.Load.Stages,
	}
}

// topics are what the run creates: the readings, and the alerts where there are any.
func (s *Scenario) topics() []broker.Topic {
	topics := []broker.Topic{s.Topic}
	if s.Alerts != nil {
		topics = append(topics, s.alertsTopic())
	}
	return topics
}

// alertsTopic is replicated like the readings. There must be one.
func (s *Scenario) alertsTopic() broker.Topic {
	topic := s.Topic
	topic.Name, topic.Partitions = s.Alerts.Topic, s.Alerts.Partitions
	return topic
}

// ownPace is what the fleets send on their own, in records per second.
func (s *Scenario) ownPace() float64 { return generator.OwnPace(s.Fleets) }

// length is how long the load lasts.
func (l Stages) length() time.Duration {
	var length time.Duration
	for _, stage := range l.Stages {
		length += stage.For
	}
	return length
}

// Setting is the part of the scenario that decides what the pipeline promises.
func (s *Scenario) Setting() assertions.Setting {
	return assertions.Setting{
		Acks:              string(s.Producer.Acks),
		Idempotent:        s.Producer.Idempotent,
		Partitioner:       string(s.Producer.Partitioner),
		ReplicationFactor: s.Topic.ReplicationFactor,
		MinInsyncReplicas: s.Topic.MinInsyncReplicas,
		Faults:            len(s.Faults) > 0,
		MovesLeaders:      fault.MovesLeaders(s.Faults),
		Alerts:            s.Alerts != nil,
	}
}
