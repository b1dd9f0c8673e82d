package franz

import (
	"hash/crc32"
	"hash/fnv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
)

// partitioner returns franz-go's own partitioner of that name, or the one for failover, which franz-go does not have. Where
// they send a key is not asked of them by anyone: producer.Partition says it independently.
func (p *asyncProducer) partitioner(name producer.Partitioner) (kgo.Partitioner, error) {
	var hasher kgo.PartitionerHasher
	switch name {
	case producer.PartitionerHash, producer.PartitionerFailover:
		hasher = kgo.SaramaCompatHasher(fnv1a)
	case producer.PartitionerReferenceHash:
		hasher = kgo.KafkaHasher(fnv1a)
	case producer.PartitionerMurmur2: // without a hasher it is the Java client's
	case producer.PartitionerCRC32:
		hasher = kgo.SaramaHasher(crc32.ChecksumIEEE) // despite its name: librdkafka's consistent
	default:
		return nil, unknown("partitioner", name)
	}
	keyed := kgo.StickyKeyPartitioner(hasher)
	if name == producer.PartitionerFailover {
		return &partitioner{inner: keyed, began: &p.trouble, hasLeader: p.hasLeader}, nil
	}
	return &partitioner{inner: keyed, began: &p.trouble}, nil
}

func fnv1a(key []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(key) // never fails
	return h.Sum32()
}

// hasLeader says whether franz-go could send to a partition, as far as it knows. Of the records that wait for the first
// metadata of their topic it does not know: they stay where they belong.
func (p *asyncProducer) hasLeader(topic string, partition int32) bool {
	_, _, err := p.client.PartitionLeader(topic, partition)
	return err == nil
}

// partitioner tells each message that it was accepted, for that is what it means to be given a partition.
type partitioner struct {
	inner     kgo.Partitioner
	began     *trouble
	hasLeader func(topic string, partition int32) bool // nil but for failover
}

func (p *partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return &topicPartitioner{partitioner: p, inner: p.inner.ForTopic(topic), topic: topic}
}

type topicPartitioner struct {
	*partitioner
	inner kgo.TopicPartitioner
	topic string
	all   int // number of partitions; 0 until the first record; only for failover
}

// RequiresConsistency makes franz-go number all partitions for Partition, not only those with a leader. For failover that
// holds as long as the key's own partition has one: else the key is hashed over those that do, and while that lasts, a
// key's records are in two partitions: availability paid for with order.
func (t *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	if t.hasLeader == nil || t.all == 0 {
		return true
	}
	return t.hasLeader(t.topic, producer.PartitionerFailover.Partition(r.Key, int32(t.all)))
}

func (t *topicPartitioner) Partition(r *kgo.Record, partitions int) int {
	t.began.began.Store(true)
	r.Context.(*message).accept()
	if partitions > t.all {
		t.all = partitions
	}
	return t.inner.Partition(r, partitions)
}
