package sarama

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// message is a record on its way through Sarama: what Sarama gets, the record it came from, and its place among those in
// flight, all in one piece of memory. Sarama carries it in Metadata.
type message struct {
	sarama.ProducerMessage
	record  *producer.Record
	headers [1]sarama.RecordHeader // room for the usual number
	keys    [16]byte               // room for the usual length of their keys

	next, previous *message
	listed         bool
}

// noPartition is what Sarama has not replaced by a partition yet.
const noPartition int32 = -1

func newMessage(record *producer.Record) *message {
	m := &message{record: record}
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
	return m
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

// inFlight knows the messages that have no outcome yet. The zero value is empty and open.
type inFlight struct {
	count   atomic.Int64   // accepted, or being handed over, and not done
	handing sync.WaitGroup // Sends that have entered and not yet left; only added to while open

	mu     sync.Mutex
	head   *message // the latest; a list, since an outcome takes its message out of anywhere
	closed bool
	idle   chan struct{} // closed when count reaches zero; nil while nobody waits
}

// enter lists a message and says whether it could: not after close. Who enters must leave by handed.
func (f *inFlight) enter(m *message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.handing.Add(1)
	f.count.Add(1)
	m.listed = true
	m.next = f.head
	if f.head != nil {
		f.head.previous = m
	}
	f.head = m
	return true
}

// handed says that Send has left.
func (f *inFlight) handed() { f.handing.Done() }

// withdraw takes a message back that Sarama did not get.
func (f *inFlight) withdraw(m *message) {
	f.settle(m)
	f.done()
}

// settle claims a message for its one outcome and says whether it was still to be had. Who claims one must call done when
// the outcome is delivered.
func (f *inFlight) settle(m *message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !m.listed {
		return false
	}
	f.unlist(m)
	return true
}

// take claims any message, or returns nil when there is none left.
func (f *inFlight) take() *message {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.head
	if m != nil {
		f.unlist(m)
	}
	return m
}

func (f *inFlight) unlist(m *message) {
	if m.previous == nil {
		f.head = m.next
	} else {
		m.previous.next = m.next
	}
	if m.next != nil {
		m.next.previous = m.previous
	}
	m.next, m.previous, m.listed = nil, nil, false
}

// done counts a claimed message out.
func (f *inFlight) done() {
	if f.count.Add(-1) > 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// wait returns when nothing is in flight, or with what ended ctx.
func (f *inFlight) wait(ctx context.Context) error {
	for {
		f.mu.Lock()
		if f.count.Load() == 0 {
			f.mu.Unlock()
			return nil
		}
		if f.idle == nil {
			f.idle = make(chan struct{})
		}
		idle := f.idle
		f.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// close lets nothing enter any more and says whether it was the first to do so.
func (f *inFlight) close() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.closed
	f.closed = true
	return first
}
