package sarama

import (
	"slices"
	"sync"
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
	block   *block
	headers [1]sarama.RecordHeader // room for the usual number
	keys    [16]byte               // room for the usual length of their keys
}

// messages hands out messages from blocks, and uses a block again once all of it is given back: what is allocated anew for
// every record is in no processor's cache, and costs a tenth of all that a record costs. Given back is what Sarama has
// acknowledged or not accepted. It may still hold what it returned with an error, or never; that is left to the garbage
// collector, with the rest of its block.
type messages struct {
	current atomic.Pointer[block]

	mu     sync.Mutex
	rested []*block // given back, the first first
}

const (
	blockMessages = 64
	// blocksRest is how many blocks must have been given back after one until it is used again. Should Sarama return a message
	// twice, the second time is told from a first one for at least as long; after that it would be another record's outcome.
	blocksRest = 2
	// blocksMost bounds what is kept after an outage: some 5 MB.
	blocksMost = 256
)

// block is the memory of some messages.
type block struct {
	messages [blockMessages]message
	used     atomic.Int32 // messages handed out, and attempts beyond
	left     atomic.Int32 // messages not given back
}

// take returns a message that nobody else has. What it holds is whatever it held.
func (a *messages) take() *message {
	for {
		b := a.current.Load()
		if b != nil {
			if i := b.used.Add(1) - 1; i < blockMessages {
				return &b.messages[i]
			}
		}
		a.turn(b)
	}
}

// turn replaces the current block, unless somebody has done so already.
func (a *messages) turn(old *block) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current.Load() != old {
		return
	}
	var b *block
	if next := len(a.rested) - 1 - blocksRest; next >= 0 {
		b = a.rested[next]
		a.rested = slices.Delete(a.rested, next, next+1)
	} else {
		b = new(block)
		for i := range b.messages {
			b.messages[i].block = b
		}
	}
	b.left.Store(blockMessages)
	b.used.Store(0)
	a.current.Store(b)
}

// give takes back a message that Sarama does not hold any more, once for each time it was taken.
func (a *messages) give(m *message) {
	if m.block.left.Add(-1) > 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.rested) < blocksMost {
		a.rested = append(a.rested, m.block)
	}
}

// noPartition is what Sarama has not replaced by a partition yet.
const noPartition int32 = -1

// fill makes a message of a record.
func (m *message) fill(record *producer.Record) {
	m.Record = record
	m.ProducerMessage = sarama.ProducerMessage{
		Topic:     record.Topic,
		Key:       (*key)(record),
		Value:     (*value)(record),
		Headers:   m.headers[:0],
		Metadata:  m,
		Timestamp: record.Timestamp,
		// Sarama writes these only when it knows them. It leaves Offset alone on DUPLICATE_SEQUENCE_NUMBER and with
		// acks=none, where a zero would be taken for the first offset of the partition.
		Partition: noPartition,
		Offset:    producer.OffsetUnset,
	}
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
