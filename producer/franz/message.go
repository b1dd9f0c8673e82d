package franz

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// message is a record on its way through franz-go: what franz-go gets, the record it came from, and its place among those
// in flight, all in one piece of memory. The promise and the partitioner find it as the record's context.
//
// And it is that context indeed. Ended before the record is accepted, it gives back a Produce that waits for room; after
// that it never ends, and says so by a Done that is nil.
type message struct {
	record  kgo.Record
	headers [1]kgo.RecordHeader // room for the usual number
	entry   inflight.Entry

	ctx     context.Context // Send's
	closing <-chan struct{} // of the producer

	mu       sync.Mutex
	accepted bool          // by franz-go
	cut      chan struct{} // closed when ctx or the producer has ended; nil while franz-go has not asked for it
	cause    error         // why it was closed
	over     chan struct{} // closed when Send need not listen to ctx any more
	decided  chan struct{} // closed when the record has been accepted or given back; as long-lived as cut
	refusal  error         // why it was given back
}

func newMessage(ctx context.Context, closing <-chan struct{}, record *producer.Record) *message {
	m := &message{ctx: ctx, closing: closing}
	m.entry.Record = record
	m.record = kgo.Record{
		Topic: record.Topic, Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
		Headers: m.headers[:0], Partition: -1, Context: m,
	}
	for _, header := range record.Headers {
		m.record.Headers = append(m.record.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return m
}

// size is the number of bytes in the record, without what the format adds.
func (m *message) size() int {
	n := len(m.record.Key) + len(m.record.Value)
	for _, header := range m.record.Headers {
		n += len(header.Key) + len(header.Value)
	}
	return n
}

// givenBack is the error of a message's context. It names the message: franz-go fails other records with it too, when it
// has not learned the partitions of their topic yet.
type givenBack struct {
	message *message
	cause   error
}

func (g *givenBack) Error() string { return "given back: " + g.cause.Error() }
func (g *givenBack) Unwrap() error { return g.cause }

// Done is asked for by a Produce that has to wait for room, and by whatever later wants to know whether the record has
// been canceled: it has not.
func (m *message) Done() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accepted {
		return nil
	}
	if m.cut == nil {
		m.cut, m.over, m.decided = make(chan struct{}), make(chan struct{}), make(chan struct{})
		go m.listen()
	}
	return m.cut
}

// listen ends the context together with Send's or with the producer, unless the record is accepted before.
func (m *message) listen() {
	var cause error
	select {
	case <-m.over:
		return
	case <-m.ctx.Done():
		cause = context.Cause(m.ctx)
	case <-m.closing:
		cause = producer.ErrClosed
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.accepted {
		m.cause = cause
		close(m.cut)
	}
}

// Err is a *givenBack once the context has ended.
func (m *message) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accepted || m.cause == nil {
		return nil
	}
	return &givenBack{message: m, cause: m.cause}
}

// Deadline is none, and Value is nobody's: franz-go asks for neither.
func (m *message) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Value is always nil.
func (m *message) Value(any) any { return nil }

// accept says that the record is franz-go's from now on.
func (m *message) accept() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accepted {
		return
	}
	m.accepted = true
	if m.cut != nil {
		close(m.over)
		close(m.decided)
	}
}

// giveBack says that franz-go did not take the record, and why.
func (m *message) giveBack(cause error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusal = cause
	close(m.decided)
}

// handedOver is called when Produce has returned, and says what it did. Where the context ended meanwhile, only franz-go
// knows which was first, and says so by finding the record a partition or by its promise.
func (m *message) handedOver() error {
	if !m.ended() {
		m.accept()
		return nil
	}
	<-m.decided
	switch {
	case m.refusal == nil:
		return nil
	case errors.Is(m.refusal, producer.ErrClosed):
		return producer.ErrClosed
	default:
		return fmt.Errorf("send record: %w", m.refusal)
	}
}

// ended says whether the context ended before the record was known to be accepted. If not, it never will.
func (m *message) ended() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cause != nil
}
