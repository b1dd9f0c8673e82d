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

	page    *page
	pending atomic.Bool // entered, and not claimed for its one outcome
}

// Set is the records that have no outcome yet. Make one with New.
//
// Records enter in one goroutine and are settled in another, hundreds of thousands a second. So neither touches what the
// other writes to: entries lie in pages, in the order in which they entered, and who settles one only counts its page
// down. What both need, under the lock, they need once a page.
type Set struct {
	outcome func(producer.Outcome)
	closing chan struct{}
	waiting atomic.Int32 // who waits for the set to become empty

	_       [64]byte // the fields between two of these are written to by the same goroutines
	mu      sync.Mutex
	current *page // the latest page, the head of a list
	closed  bool
	idle    chan struct{}  // closed when the set becomes empty; nil while nobody waits
	entered atomic.Int64   // records
	handing sync.WaitGroup // entered and not yet left; only added to while open

	_       [64]byte
	settled atomic.Int64 // records of those that entered: those that have had their outcome, and those refused
	_       [64]byte
}

// page is some entries that entered one after the other. It is listed as long as one of them has no outcome.
type page struct {
	entries        [pageEntries]*Entry // nil again for some that have their outcome; see tidy
	used           int
	next, previous *page

	_    [64]byte     // see Set
	left atomic.Int32 // entries without an outcome, the unused ones included
}

const pageEntries = 64

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
	s.entered.Add(1)
	if s.current == nil || s.current.used == pageEntries {
		s.turn()
	}
	e.page = s.current
	e.pending.Store(true)
	s.current.entries[s.current.used] = e
	s.current.used++
	return true
}

// turn begins another page.
func (s *Set) turn() {
	p := &page{next: s.current}
	p.left.Store(pageEntries)
	if s.current != nil {
		s.current.previous = p
	}
	s.current = p
}

// Left says that the hand-over of a record that had entered is over.
func (s *Set) Left() { s.handing.Done() }

// Refused takes back a record that the client did not accept. It gets no outcome. It is false where it had one already.
func (s *Set) Refused(e *Entry) bool {
	if !e.claim() {
		return false
	}
	s.done(e)
	return true
}

// Settle hands over a record's outcome. It is false, and does nothing, where it had one already: what a client returns after
// somebody gave up on it, or a second time, is nobody's business any more.
func (s *Set) Settle(e *Entry, o producer.Outcome) bool {
	if !e.claim() {
		return false
	}
	o.Record = e.Record
	s.outcome(o)
	s.done(e)
	return true
}

// Count is the number of records without an outcome, those being handed over included.
func (s *Set) Count() int64 {
	settled := s.settled.Load() // first, so that none is settled here that has not entered
	return s.entered.Load() - settled
}

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

// GiveUp makes Unknown what the client has not returned, and waits for the outcomes that are being handed over. It is
// called after Close. The client may still hold these records, so only what belongs to the set is touched.
func (s *Set) GiveUp(reason error) {
	for _, e := range s.entries() {
		if !e.claim() {
			continue
		}
		s.outcome(producer.Outcome{
			Record: e.Record, State: producer.Unknown, Partition: -1, Offset: producer.OffsetUnset, Err: reason,
		})
		s.done(e)
	}
	_ = s.wait(context.Background()) // takes only as long as the callback
}

// claim takes an entry for its one outcome, and says whether it was still to be had.
func (e *Entry) claim() bool { return e.pending.CompareAndSwap(true, false) }

// entries are those without an outcome, and some that have one (see tidy).
func (s *Set) entries() []*Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Entry
	for p := s.current; p != nil; p = p.next {
		for i := range p.used {
			if e := p.entries[i]; e != nil {
				all = append(all, e)
			}
		}
	}
	return all
}

// done counts a claimed entry out.
func (s *Set) done(e *Entry) {
	switch e.page.left.Add(-1) {
	case pageEntries / 4, pageEntries / 16:
		s.tidy(e.page)
	case 0:
		s.unlist(e.page)
	}
	settled := s.settled.Add(1)
	if s.waiting.Load() == 0 || settled < s.entered.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// tidy lets go of the entries of a page that have their outcome, for one record that the client keeps for long would keep
// all the others of its page. Done twice a page it costs next to nothing, and no more than four times the entries are held
// that have no outcome.
func (s *Set) tidy(p *page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range p.entries[:p.used] {
		if e != nil && (e.page != p || !e.pending.Load()) { // it may have entered again since
			p.entries[i] = nil
		}
	}
}

func (s *Set) unlist(p *page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.previous == nil {
		s.current = p.next
	} else {
		p.previous.next = p.next
	}
	if p.next != nil {
		p.next.previous = p.previous
	}
	p.next, p.previous = nil, nil // or an entry that somebody still holds would hold all of them
}

// wait waits until the set is empty.
func (s *Set) wait(ctx context.Context) error {
	s.waiting.Add(1) // before the count is looked at, or nobody would say that it has become zero
	defer s.waiting.Add(-1)
	for {
		s.mu.Lock()
		if s.Count() == 0 {
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
