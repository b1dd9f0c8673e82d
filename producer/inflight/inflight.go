// Package inflight knows the records that a client under test has accepted and not yet given an outcome.
//
// It takes records on their way in and the client's answers on their way out, and gives every record exactly one outcome:
// the client's own, or Unknown once somebody has given up on it. It is what the adapters of asynchronous clients have in
// common, so that each of them holds no more than its client; a producer of one's own may use it or not. It knows no
// client, and neither buffers nor limits anything.
//
//	Send ──▶ Enter ──▶ the client ──▶ Settle ──▶ outcome
//	           │                        ▲
//	           └──▶ Refused        GiveUp, for what the client never returned
package inflight

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/fleetproof/fleetproof/producer"
)

// Entry is one record's place in a Set. It is meant to be embedded in what the adapter hands to its client, so that a
// record costs one piece of memory. Only Record is the adapter's to set, before Enter.
type Entry struct {
	Record *producer.Record

	next, previous *Entry
	listed         bool
}

// Set is the records that have no outcome yet. Make one with New.
type Set struct {
	outcome func(producer.Outcome)
	closing chan struct{}
	count   atomic.Int64   // entered and not done
	handing sync.WaitGroup // entered and not yet left; only added to while open

	mu     sync.Mutex
	head   *Entry // the latest; a list, since an outcome takes its entry out of anywhere
	closed bool
	idle   chan struct{} // closed when count reaches zero; nil while nobody waits
}

// New returns an empty, open set that hands outcomes to outcome.
func New(outcome func(producer.Outcome)) *Set {
	return &Set{outcome: outcome, closing: make(chan struct{})}
}

// Enter lists a record that is about to be handed to the client, and says whether it could: not after Close. Who enters
// must call Left when the hand-over has ended, whichever way.
func (s *Set) Enter(e *Entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handing.Add(1)
	s.count.Add(1)
	e.listed = true
	e.next = s.head
	if s.head != nil {
		s.head.previous = e
	}
	s.head = e
	return true
}

// Left says that the hand-over of a record that had entered is over.
func (s *Set) Left() { s.handing.Done() }

// Refused takes back a record that the client did not accept. It gets no outcome.
func (s *Set) Refused(e *Entry) {
	if s.claim(e) {
		s.done()
	}
}

// Settle hands over a record's outcome, unless it had one already: what a client returns after somebody gave up on it is
// nobody's business any more.
func (s *Set) Settle(e *Entry, o producer.Outcome) {
	if !s.claim(e) {
		return
	}
	o.Record = e.Record
	s.outcome(o)
	s.done()
}

// Count is the number of records without an outcome, those being handed over included.
func (s *Set) Count() int64 { return s.count.Load() }

// Flush waits until nothing is in flight. Its only error is what ended ctx.
func (s *Set) Flush(ctx context.Context) error {
	if err := s.wait(ctx); err != nil {
		return fmt.Errorf("flush: %d records without an outcome: %w", s.Count(), err)
	}
	return nil
}

// Close lets nothing enter any more, waits for the hand-overs under way, and says whether it was the first to do so.
func (s *Set) Close() bool {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.closing)
		s.handing.Wait()
	}
	return first
}

// Closing is closed when Close is called: what ends a hand-over that waits for room.
func (s *Set) Closing() <-chan struct{} { return s.closing }

// GiveUp makes Unknown what the client has not returned, and waits for the outcomes that are being handed over. The
// client may still hold these records, so only what belongs to the set is touched.
func (s *Set) GiveUp(reason error) {
	for e := s.take(); e != nil; e = s.take() {
		s.outcome(producer.Outcome{
			Record: e.Record, State: producer.Unknown, Partition: -1, Offset: producer.OffsetUnset, Err: reason,
		})
		s.done()
	}
	_ = s.wait(context.Background()) // takes only as long as the callback
}

// claim takes an entry out for its one outcome, and says whether it was still to be had.
func (s *Set) claim(e *Entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !e.listed {
		return false
	}
	s.unlist(e)
	return true
}

// take claims any entry, or returns nil when there is none left.
func (s *Set) take() *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.head
	if e != nil {
		s.unlist(e)
	}
	return e
}

func (s *Set) unlist(e *Entry) {
	if e.previous == nil {
		s.head = e.next
	} else {
		e.previous.next = e.next
	}
	if e.next != nil {
		e.next.previous = e.previous
	}
	e.next, e.previous, e.listed = nil, nil, false
}

// done counts a claimed entry out.
func (s *Set) done() {
	if s.count.Add(-1) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

func (s *Set) wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		if s.count.Load() == 0 {
			s.mu.Unlock()
			return nil
		}
		if s.idle == nil {
			s.idle = make(chan struct{})
		}
		idle := s.idle
		s.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
