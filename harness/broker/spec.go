package broker

import (
	"time"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/producer"
)

// Spec is the broker's part of a scenario. It carries no defaults; those live in scenarios/defaults.yaml. What only some
// kinds of broker have may be absent with others: see Kind.Fields.
type Spec struct {
	// Run, Logs, Allowed and NoBridge are filled in by the harness, not by the scenario.
	Run     string `yaml:"-"` // identity of the run, of a-z and 0-9: in the labels of what a docker broker creates, in the topics of an external one
	Logs    string `yaml:"-"` // docker: folder that receives the logs of brokers that do not become a cluster; empty: they are lost
	Allowed bool   `yaml:"-"` // external: --allow-external was given

	// NoBridge says that nothing of the run needs a network of its own: a single docker broker then listens on the host's,
	// where the daemon shares that with us, and Docker's port proxy is not between it and its clients.
	NoBridge bool `yaml:"-"`

	Kind    Kind              `yaml:"kind"`              // where the Kafka under the run comes from
	Brokers int               `yaml:"brokers,omitempty"` // embedded, docker: how many there are; each docker broker is a controller too
	Image   string            `yaml:"image,omitempty"`   // docker: honours the environment contract of apache/kafka
	Heap    producer.Size     `yaml:"heap,omitempty"`    // docker: of each broker's JVM
	Config  map[string]string `yaml:"config,omitempty"`  // docker: settings of the brokers by their name in Kafka, such as unclean.leader.election.enable

	Bootstrap []string `yaml:"bootstrap,omitempty"`  // external: host:port of some brokers
	ClusterID string   `yaml:"cluster_id,omitempty"` // external: what the cluster must call itself; kafka-cluster.sh cluster-id shows it
	Prefix    string   `yaml:"prefix,omitempty"`     // external: how the names of the run's topics begin
	Caps      *Caps    `yaml:"caps,omitempty"`       // external: what the run may do to the cluster
}

// Caps are the limits that an external cluster's owner sets to a run.
type Caps struct {
	Rate     generator.Rate `yaml:"rate"`     // records handed to the producer in any second
	Bytes    producer.Size  `yaml:"bytes"`    // payload of the whole run
	Duration time.Duration  `yaml:"duration"` // of all stages together
}

// Kind names where the Kafka under the run comes from.
type Kind string

// The kinds of broker.
const (
	Embedded Kind = "embedded" // a Kafka in the harness's own process: kfake on loopback
	Docker   Kind = "docker"   // Apache Kafka in containers of the local Docker daemon
	External Kind = "external" // somebody's running cluster
)

// Known lists the kinds.
func (Kind) Known() []string { return []string{string(Embedded), string(Docker), string(External)} }

// Fields are the fields of a Spec that a broker of the kind has, by their names in YAML.
func (k Kind) Fields() []string {
	switch k {
	case Docker:
		return []string{"kind", "brokers", "image", "heap", "config"}
	case External:
		return []string{"kind", "bootstrap", "cluster_id", "prefix", "caps"}
	default:
		return []string{"kind", "brokers"}
	}
}

// Topic is a topic that the run creates.
type Topic struct {
	Name              string `yaml:"name"`                // letters, digits, dots, dashes and underscores; an external broker's carries prefix and run before it
	Partitions        int    `yaml:"partitions"`          // more let more batches be under way at once: one for each
	ReplicationFactor int    `yaml:"replication_factor"`  // copies of each record, on as many brokers
	MinInsyncReplicas int    `yaml:"min_insync_replicas"` // with acks all, writes are refused when fewer copies are up to date
}
