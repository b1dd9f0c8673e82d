package producer

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Partitioner names a rule that maps a record's key to a partition.
type Partitioner string

// The partitioners a scenario may name. All but Failover are functions of the key and the number of partitions alone.
const (
	PartitionerHash          Partitioner = "hash"           // FNV-1a, Sarama's default
	PartitionerReferenceHash Partitioner = "reference_hash" // FNV-1a with the sign bit cleared
	PartitionerMurmur2       Partitioner = "murmur2"        // the Java client's
	PartitionerCRC32         Partitioner = "crc32"          // librdkafka's consistent
	PartitionerFailover      Partitioner = "failover"       // hash, moved to a partition that has a leader when its own has none
)

// Known lists the partitioners.
func (Partitioner) Known() []string {
	return []string{
		string(PartitionerHash), string(PartitionerReferenceHash), string(PartitionerMurmur2),
		string(PartitionerCRC32), string(PartitionerFailover),
	}
}

// Fixed says whether a key's partition depends on nothing but the key and the number of partitions, so that it can be
// promised. A record of a partitioner that is not fixed may rightly lie elsewhere than Partition says.
func (p Partitioner) Fixed() bool {
	switch p {
	case PartitionerHash, PartitionerReferenceHash, PartitionerMurmur2, PartitionerCRC32:
		return true
	default:
		return false
	}
}

// Partition returns the partition, 0 … partitions-1, in which a record with this key belongs while every partition has a
// leader. It is -1 for an unknown partitioner and for fewer partitions than one. It allocates nothing.
//
// All the rules end in a remainder, and differ in how they keep a hash with its top bit set from giving a negative one.
// That is where implementations go wrong: the absolute value of the hash itself is no way, for math.MinInt32 has none.
func (p Partitioner) Partition(key []byte, partitions int32) int32 {
	if partitions < 1 {
		return -1
	}
	switch p {
	case PartitionerHash, PartitionerFailover:
		remainder := int32(fnv1a(key)) % partitions
		return max(remainder, -remainder)
	case PartitionerReferenceHash:
		return int32(fnv1a(key)&math.MaxInt32) % partitions
	case PartitionerMurmur2:
		return int32(murmur2(key)&math.MaxInt32) % partitions
	case PartitionerCRC32:
		return int32(crc32.ChecksumIEEE(key) % uint32(partitions))
	default:
		return -1
	}
}

// fnv1a is the 32-bit hash of Fowler, Noll and Vo, variant 1a (draft-eastlake-fnv). The standard library's needs an allocation.
func fnv1a(key []byte) uint32 {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for _, b := range key {
		h = (h ^ uint32(b)) * prime
	}
	return h
}

// murmur2 is the hash of Kafka's Java client (org.apache.kafka.common.utils.Utils.murmur2): MurmurHash2 by Austin Appleby
// with Kafka's seed, over little-endian words.
func murmur2(key []byte) uint32 {
	const seed, m = 0x9747b28c, 0x5bd1e995
	h := seed ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>24) * m
		h = h*m ^ k
	}
	if len(key) > 0 {
		for i, b := range key {
			h ^= uint32(b) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
