package broker

// Spec is the broker's part of a scenario. It carries no defaults; those live in scenarios/defaults.yaml.
type Spec struct {
	Kind    Kind `yaml:"kind"`
	Brokers int  `yaml:"brokers"`
}

// Kind names where the Kafka under the run comes from.
type Kind string

// Embedded is a Kafka in the harness's own process: kfake on loopback.
const Embedded Kind = "embedded"

// Known lists the kinds.
func (Kind) Known() []string { return []string{string(Embedded)} }

// Topic is a topic that the run creates.
type Topic struct {
	Name              string `yaml:"name"`
	Partitions        int    `yaml:"partitions"`
	ReplicationFactor int    `yaml:"replication_factor"`
	MinInsyncReplicas int    `yaml:"min_insync_replicas"`
}
