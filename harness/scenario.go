package harness

import (
	"strings"
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
	Rescan        bool            `yaml:"rescan"`         // read everything a second time, from offset 0, after the run; nothing is trimmed then. Done unasked after faults that can take the end off a log
	StartTimeout  time.Duration   `yaml:"start_timeout"`  // for every partition to have its leader and replicas before the load, and again for the client to connect
	DrainTimeout  time.Duration   `yaml:"drain_timeout"`  // for the producer to give every record its outcome once the load has ended
	ReadTimeout   time.Duration   `yaml:"read_timeout"`   // without any progress in reading back
	HealTimeout   time.Duration   `yaml:"heal_timeout"`   // for a fault's healing to be proven
	LedgerMemory  producer.Size   `yaml:"ledger_memory"`  // the ledger's cap; beyond it the load ends, and the run is inconclusive
	AchievedFloor generator.Share `yaml:"achieved_floor"` // below this share handed over in time, rates and latencies prove nothing
	LagLimit      time.Duration   `yaml:"lag_limit"`      // the generator's own lag beyond which a record counts against the harness
	StallLimit    time.Duration   `yaml:"stall_limit"`    // a pause of the whole process beyond which latencies prove nothing
	SlopeLength   time.Duration   `yaml:"slope_length"`   // from the first to the last sample, without which a slope per hour proves nothing
}

// Generator is the generator's part of the scenario.
func (s *Scenario) Generator() generator.Spec {
	return generator.Spec{
		Seed: s.Seed, Clock: s.Clock, Location: s.Location, Fleets: s.Fleets, Sensors: s.Sensors, Trends: s.Trends,
		Delivery: s.Delivery, Anomalies: s.Anomalies, Stages: s.Load.Stages,
		Encoding: generator.Encoding(s.Producer.Encoding),
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
		FixedPartition:    s.Producer.Partitioner.Fixed(),
		Rescan:            s.rescans(),
		ReplicationFactor: s.Topic.ReplicationFactor,
		MinInsyncReplicas: s.Topic.MinInsyncReplicas,
		Faults:            len(s.Faults) > 0,
		MovesLeaders:      fault.MovesLeaders(s.Faults),
		BreaksQuorum:      fault.BreaksQuorum(s.Faults, s.world()),
		UncleanElection:   strings.EqualFold(strings.TrimSpace(s.Broker.Config[uncleanElection]), "true"),
		Alerts:            s.Alerts != nil,
	}
}

// uncleanElection is the setting by which a replica that lacks records may become the leader (KIP-106).
const uncleanElection = "unclean.leader.election.enable"

// world is what the faults are held against.
func (s *Scenario) world() fault.World {
	world := fault.World{Broker: s.Broker.Kind, Brokers: s.Broker.Brokers, Topics: s.topics(), End: s.Load.length()}
	if s.Broker.Kind == broker.External {
		world.Brokers = maxBrokers // how many there are shows when the cluster is asked
	}
	return world
}

// rescans says whether everything is read a second time after the run, from offset 0: because the scenario asks, or because
// a log may have lost its end, and a tail that was past it misses what was written there since.
// And where the client under test is built on the library that reads back, so that another library has to read too.
func (s *Scenario) rescans() bool {
	return s.Oracle.Rescan || len(s.truncating()) > 0 || s.Producer.Kind == ownReader
}

// ownReader is the client that is built on the library that the reader is built on.
const ownReader = "franz"

// truncating names the faults that can take the end off a log: those that can move a leader, because who leads next may not
// have had it all. Embedded brokers share one log, whoever leads.
func (s *Scenario) truncating() []string {
	if s.Broker.Kind == broker.Embedded {
		return nil
	}
	return s.faultsThat(fault.MovesLeaders)
}

// faultsThat names the faults of which something is so.
func (s *Scenario) faultsThat(is func([]fault.Spec) bool) []string {
	var names []string
	for _, spec := range s.Faults {
		if is([]fault.Spec{spec}) {
			names = append(names, spec.Name)
		}
	}
	return names
}

// mostPartitions is how many partitions the readings' topic has in the end.
func (s *Scenario) mostPartitions() int { return s.finalPartitions(s.Topic) }

// finalPartitions is how many partitions a topic has in the end, with those that faults add.
func (s *Scenario) finalPartitions(topic broker.Topic) int {
	most := topic.Partitions
	for _, spec := range s.Faults {
		if spec.Do == fault.AddPartitions && spec.To != nil && spec.Target.Topic == topic.Name {
			most = max(most, *spec.To)
		}
	}
	return most
}
