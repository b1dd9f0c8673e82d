package fleettest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

// keys is how many keys the records have: a multiple of senders, so that each key is sent by one of them.
const keys = 16

// identity is the header that says which record of the book a stored one is.
const identity = "sequence"

// book knows every record of a scene and what was said of it.
type book struct {
	topic string

	mu      sync.Mutex
	entries []*entry
	of      map[*producer.Record]*entry
	strange []string                       // outcomes that do not name their record, in words
	closed  bool                           // Close has returned
	late    []string                       // outcomes after that, in words
	told    func(*entry, producer.Outcome) // called for the first outcome of each, without the lock; nil: nobody asks
}

// entry is one record.
type entry struct {
	sequence int
	record   *producer.Record
	original producer.Record // what the record was when it was sent, in memory of its own
	accepted bool
	refused  error // what Send returned instead
	outcomes []producer.Outcome
}

// String names the record in a message.
func (e *entry) String() string { return fmt.Sprintf("record %d (%s)", e.sequence, e.original.Key) }

// add makes so many records to be sent.
func (b *book) add(n int) []*entry { return b.addSized(n, 0) }

// addSized makes so many records with values of at least so many bytes.
func (b *book) addSized(n, size int) []*entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := len(b.entries)
	for range n {
		i := len(b.entries)
		value := fmt.Appendf(nil, `{"device":"device-%04d","reading":%d}`, i%keys, i)
		if pad := size - len(value); pad > 0 {
			value = append(value, bytes.Repeat([]byte{' '}, pad)...)
		}
		e := &entry{sequence: i, record: &producer.Record{
			Topic:     b.topic,
			Key:       fmt.Appendf(nil, "device-%04d", i%keys),
			Value:     value,
			Headers:   []producer.Header{{Key: identity, Value: strconv.AppendInt(nil, int64(i), 10)}},
			Timestamp: time.UnixMilli(1_768_176_000_000 + int64(i)).UTC(),
			Token:     producer.Token{Device: uint32(i % keys), Sequence: uint64(i), Due: time.Duration(i) * time.Millisecond},
		}}
		e.original = clone(e.record)
		b.entries = append(b.entries, e)
		b.of[e.record] = e
	}
	return slices.Clone(b.entries[first:])
}

func clone(r *producer.Record) producer.Record {
	c := *r
	c.Key, c.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	c.Headers = slices.Clone(r.Headers)
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	return c
}

// handed notes what Send said.
func (b *book) handed(e *entry, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.accepted, e.refused = err == nil, err
}

// outcome is the callback of the producer. An outcome that does not point to a record of the book is counted for the one
// whose token it carries: that it is no copy, and that there is one, are two clauses.
func (b *book) outcome(o producer.Outcome) {
	b.mu.Lock()
	e := b.find(o.Record)
	if e != nil {
		e.outcomes = append(e.outcomes, o)
		if b.closed {
			b.late = append(b.late, fmt.Sprintf("%s: %s", e, o.State))
		}
	}
	first := e != nil && len(e.outcomes) == 1
	told := b.told
	b.mu.Unlock()
	if first && told != nil {
		told(e, o)
	}
}

// find finds the entry that an outcome means. The lock is held.
func (b *book) find(r *producer.Record) *entry {
	if r == nil {
		b.strange = append(b.strange, "an outcome names no record: Outcome.Record is nil")
		return nil
	}
	e := b.of[r]
	if e == nil {
		if r.Token.Sequence >= uint64(len(b.entries)) {
			b.strange = append(b.strange, fmt.Sprintf("an outcome names a record that was never sent, with the token %+v", r.Token))
			return nil
		}
		e = b.entries[r.Token.Sequence]
		b.strange = append(b.strange, fmt.Sprintf("%s: the outcome's record is not the pointer that Send got, but another with the token %+v", e, r.Token))
	} else if r.Token != e.original.Token {
		b.strange = append(b.strange, fmt.Sprintf("%s: its token was %+v, and the outcome's is %+v", e, e.original.Token, r.Token))
	}
	return e
}

// shut says that Close has returned: what comes from now on is late.
func (b *book) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

// all are the records as they are now. Their outcomes are those of this moment.
func (b *book) all() []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]entry, len(b.entries))
	for i, e := range b.entries {
		all[i] = *e
		all[i].outcomes = slices.Clone(e.outcomes)
	}
	return all
}

// count is how many outcomes there are of a state; zero: of every state.
func (b *book) count(state producer.State) int {
	n := 0
	for _, e := range b.all() {
		for _, o := range e.outcomes {
			if state == 0 || o.State == state {
				n++
			}
		}
	}
	return n
}

// strangers are what was noted about outcomes that do not name their record.
func (b *book) strangers() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.strange)
}

// afterwards are the outcomes after Close.
func (b *book) afterwards() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.late)
}

// breaches joins what was found into one error that says how often and shows the first few; nil: nothing was.
func breaches(clause string, found []string) error {
	const shown = 3
	if len(found) == 0 {
		return nil
	}
	first := strings.Join(found[:min(shown, len(found))], "; ")
	if len(found) > shown {
		first += "; …"
	}
	return fmt.Errorf("%s: %d times not so: %s", clause, len(found), first)
}
