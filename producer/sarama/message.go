package sarama

import (
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// message is a record on its way through Sarama: what Sarama gets, the record it came from, and its place among those in
// flight, all in one piece of memory. Sarama carries it in Metadata.
type message struct {
	sarama.ProducerMessage
	inflight.Entry
	headers [1]sarama.RecordHeader // room for the usual number
	keys    [16]byte               // room for the usual length of their keys
}

// noPartition is what Sarama has not replaced by a partition yet.
const noPartition int32 = -1

// messages allocates messages, many at once: one by one that would take a third of the time that is ours of a record's.
// A message that was handed out is not used again.
type messages struct{ block atomic.Pointer[block] }

type block struct {
	used     atomic.Int32
	messages [64]message
}

func (a *messages) take() *message {
	for {
		b := a.block.Load()
		if b != nil {
			if i := int(b.used.Add(1)) - 1; i < len(b.messages) {
				return &b.messages[i]
			}
		}
		a.block.CompareAndSwap(b, new(block))
	}
}

// fill makes a message of a record.
func (m *message) fill(record *producer.Record) {
	m.Record = record
	m.Topic = record.Topic
	m.Key = (*key)(record)
	m.Value = (*value)(record)
	m.Timestamp = record.Timestamp
	// Sarama writes these only when it knows them. It leaves Offset alone on DUPLICATE_SEQUENCE_NUMBER and with
	// acks=none, where a zero would be taken for the first offset of the partition.
	m.Partition = noPartition
	m.Offset = producer.OffsetUnset
	m.Metadata = m
	m.Headers = m.headers[:0]
	keys := m.keys[:0]
	for _, header := range record.Headers {
		begin := len(keys)
		keys = append(keys, header.Key...)
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: keys[begin:len(keys):len(keys)], Value: header.Value})
	}
}

// key and value are a record's bytes as Sarama wants them. Pointers into the record cost no allocation, where a
// sarama.ByteEncoder costs one each.
type (
	key   producer.Record
	value producer.Record
)

func (k *key) Encode() ([]byte, error)   { return k.Key, nil }
func (k *key) Length() int               { return len(k.Key) }
func (v *value) Encode() ([]byte, error) { return v.Value, nil }
func (v *value) Length() int             { return len(v.Value) }
