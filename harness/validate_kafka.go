package harness

import (
	"math"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
)

const (
	maxBrokers    = 100
	maxPartitions = 10_000
	maxMemory     = 1 << 40 // bytes
)

// kafka checks the cluster, the topics, the producer and the oracle.
func (v *validator) kafka() {
	v.broker()
	v.topic("topic.name", v.Topic.Name)
	v.from1("topic.partitions", v.Topic.Partitions, maxPartitions)
	v.check(
		rule{v.Topic.ReplicationFactor >= 1, "topic.replication_factor", "must be at least 1", "", nil},
		rule{
			// How many brokers an external cluster has shows when it is asked.
			v.Topic.ReplicationFactor <= v.Broker.Brokers || v.Broker.Kind == broker.External, "topic.replication_factor",
			"must be at most the number of brokers", "", []string{"broker.brokers", "broker.kind"},
		},
	)
	v.check(
		rule{v.Topic.MinInsyncReplicas >= 1, "topic.min_insync_replicas", "must be at least 1", "", nil},
		rule{
			v.Topic.MinInsyncReplicas <= v.Topic.ReplicationFactor, "topic.min_insync_replicas",
			"must be at most replication_factor: no record could be acknowledged", "", []string{"topic.replication_factor"},
		},
	)
	if v.Alerts != nil {
		v.topic("alerts.topic", v.Alerts.Topic)
		v.from1("alerts.partitions", v.Alerts.Partitions, maxPartitions)
		v.check(
			rule{v.Alerts.Topic != v.Topic.Name, "alerts.topic", "must be another topic than the readings'", "", []string{"topic.name"}},
			rule{
				!broker.CollidingTopicNames(v.Alerts.Topic, v.Topic.Name), "alerts.topic",
				"must differ from the readings' topic in more than a dot for an underscore", "", []string{"topic.name"},
			},
		)
	}
	v.client(v.Producer)
	v.oracle()
}

func (v *validator) topic(path, name string) {
	if v.found[path] == nil {
		v.wrong(path, "missing", "give it a name")
	}
	v.check(rule{
		broker.LegalTopicName(name), path, "must be 1 to 249 letters, digits, dots, dashes and underscores", "", nil,
	})
}

// client checks the producer's settings against each other: what the client would refuse at the start of the run, or
// silently do otherwise.
func (v *validator) client(p producer.Config) {
	if v.found["producer.kind"] == nil {
		v.wrong("producer.kind", "missing", "name the client that is put under test")
	}
	v.check(rule{p.MaxInFlight >= 0 && p.MaxInFlight <= math.MaxInt32, "producer.max_in_flight", "must be at least 0", "0 leaves it to the client", nil})
	v.check(rule{p.Retry.Max >= 0 && p.Retry.Max <= math.MaxInt32, "producer.retry.max", "must be at least 0", "", nil})
	v.check(rule{p.Batch.Bytes >= 1 && p.Batch.Bytes <= math.MaxInt32, "producer.batch.bytes", "must be between 1B and 2GiB", "", nil})
	v.between("producer.batch.linger", p.Batch.Linger, 0, time.Minute)
	v.between("producer.retry.backoff", p.Retry.Backoff, 0, time.Hour)
	v.between("producer.timeout.dial", p.Timeout.Dial, time.Millisecond, time.Hour)
	v.between("producer.timeout.read", p.Timeout.Read, time.Millisecond, time.Hour)
	v.between("producer.timeout.request", p.Timeout.Request, time.Millisecond, time.Hour)
	v.check(rule{
		p.Timeout.Request < p.Timeout.Read, "producer.timeout.request",
		"must be below producer.timeout.read, or the client gives up on answers that were still to come", "",
		[]string{"producer.timeout.read"},
	})
	if !p.Idempotent {
		return
	}
	idempotent := []string{"producer.idempotent"}
	v.check(rule{
		p.Acks == producer.AcksAll, "producer.acks", "must be all with an idempotent producer",
		"or set producer.idempotent: false", idempotent,
	})
	v.check(rule{
		p.MaxInFlight <= 1 || p.Kind != "sarama", "producer.max_in_flight", "must be 1 with an idempotent producer",
		"Sarama allows no more; or set producer.idempotent: false", idempotent,
	})
	v.check(rule{
		p.Retry.Max >= 1, "producer.retry.max", "must be at least 1 with an idempotent producer",
		"or set producer.idempotent: false", idempotent,
	})
}

func (v *validator) oracle() {
	o := v.Oracle
	v.between("oracle.start_timeout", o.StartTimeout, time.Millisecond, longest)
	v.between("oracle.drain_timeout", o.DrainTimeout, time.Millisecond, longest)
	v.between("oracle.read_timeout", o.ReadTimeout, time.Millisecond, longest)
	v.between("oracle.heal_timeout", o.HealTimeout, time.Millisecond, longest)
	v.between("oracle.lag_limit", o.LagLimit, time.Millisecond, longest)
	v.between("oracle.stall_limit", o.StallLimit, beat, longest)
	v.between("oracle.slope_length", o.SlopeLength, time.Second, longest)
	v.check(rule{o.LedgerMemory >= 1<<20 && o.LedgerMemory <= maxMemory, "oracle.ledger_memory", "must be between 1MiB and 1024GiB", "", nil})
}
