package sarama

import (
	"slices"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// partitioner returns Sarama's own partitioner of that name, or the one for failover, which Sarama does not have. Where
// they send a key is not asked of them by anyone: producer.Partition says it independently.
func (p *asyncProducer) partitioner(name producer.Partitioner) (sarama.PartitionerConstructor, error) {
	switch name {
	case producer.PartitionerHash:
		return sarama.NewHashPartitioner, nil
	case producer.PartitionerReferenceHash:
		return sarama.NewReferenceHashPartitioner, nil
	case producer.PartitionerMurmur2:
		return sarama.NewMurmur2Partitioner, nil
	case producer.PartitionerCRC32:
		return sarama.NewConsistentCRCHashPartitioner, nil
	case producer.PartitionerFailover:
		return func(topic string) sarama.Partitioner {
			return &failover{writable: func() ([]int32, error) { return p.client.WritablePartitions(topic) }}
		}, nil
	default:
		return nil, unknown("partitioner", name)
	}
}

// failover hashes a key over all partitions and, where the partition it gets has no leader as far as the client knows,
// over those that have one. While that lasts, a key's records are in two partitions: availability paid for with order.
type failover struct {
	writable func() ([]int32, error) // the partitions of the topic that have a leader, in order
}

func (f *failover) Partition(m *sarama.ProducerMessage, partitions int32) (int32, error) {
	key, err := m.Key.Encode()
	if err != nil {
		return noPartition, err
	}
	own := producer.PartitionerFailover.Partition(key, partitions)
	writable, err := f.writable()
	if err != nil || len(writable) == 0 {
		return own, nil // nothing to fail over to
	}
	if _, found := slices.BinarySearch(writable, own); found {
		return own, nil
	}
	return writable[producer.PartitionerFailover.Partition(key, int32(len(writable)))], nil
}

// RequiresConsistency makes Sarama number all partitions for Partition, not only those with a leader: else every key would
// move whenever one partition loses its leader.
func (f *failover) RequiresConsistency() bool { return true }
