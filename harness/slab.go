package harness

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fleetproof/fleetproof/producer"
)

const (
	slabRecords = 128
	slabBytes   = 48 << 10 // for keys, payloads and headers of some 350 bytes in all
	slabRoom    = 2 << 10  // what there is at least for a record; what is larger gets memory of its own

	// slabsRest is how many slabs must have been given back after one until it is used again. It is for a client that breaks
	// its contract by giving a record a second outcome right after the first: the record still says which it is.
	slabsRest = 2
	// slabsMost bounds what is kept after an outage, when everything that waited comes back at once: 18 MB.
	slabsMost = 256
)

// slabs hands out the memory of records, piece after piece from large ones, and uses it again when the records have had
// their outcome. At full speed a record would otherwise be half a kilobyte of garbage. A slab is used again as a whole,
// not record by record: then the memory is walked through in order, which a processor foresees, and what it does not
// foresee costs more than the garbage. And it is one of the latest given back that is used again, not the one that has rested
// for longest, so that after an outage no more memory goes round than before it.
//
//	take, room, keep ──▶ current ──▶ in flight ──▶ give ──▶ rested ──▶ current
//
// What is kept belongs to the record that was taken last, so that a record gets all its memory before the next one is taken:
// memory in another slab than its own would be used again while the record is in flight.
//
// One goroutine takes, any may give. Only records that the client is done with are given; a slab of which one is never given
// is left to the garbage collector.
type slabs struct {
	current *slab // being handed out

	mutex  sync.Mutex
	rested []*slab // all records given back, the first first
}

// slab is the memory of some records.
type slab struct {
	records [slabRecords]producer.Record
	headers [slabRecords]producer.Header
	bytes   []byte
	used    int          // records handed out
	left    atomic.Int32 // records not given back, those not handed out included
}

// take returns a record with one header and the memory it lies in. Its other fields are whatever they were.
func (s *slabs) take() *producer.Record {
	if s.current == nil || s.current.used == slabRecords || cap(s.current.bytes)-len(s.current.bytes) < slabRoom {
		s.turn()
	}
	c := s.current
	record, headers := &c.records[c.used], c.headers[c.used:c.used+1:c.used+1]
	c.used++
	record.Headers = headers
	record.Token.Memory = c
	return record
}

// turn closes the current slab and begins another one.
func (s *slabs) turn() {
	if c := s.current; c != nil && c.used < slabRecords {
		s.release(c, int32(slabRecords-c.used))
	}
	s.mutex.Lock()
	if next := len(s.rested) - 1 - slabsRest; next >= 0 {
		s.current = s.rested[next]
		s.rested = slices.Delete(s.rested, next, next+1)
	} else {
		s.current = &slab{bytes: make([]byte, 0, slabBytes)}
	}
	s.mutex.Unlock()
	s.current.bytes, s.current.used = s.current.bytes[:0], 0
	s.current.left.Store(slabRecords)
}

// room returns an empty slice to append to. What was appended is kept by keep.
func (s *slabs) room() []byte {
	bytes := s.current.bytes
	return bytes[len(bytes):]
}

// keep takes what was appended to room's slice out of the slab and returns it, closed to further appending.
func (s *slabs) keep(appended []byte) []byte {
	if used := len(s.current.bytes) + len(appended); used <= cap(s.current.bytes) {
		s.current.bytes = s.current.bytes[:used]
	}
	return appended[:len(appended):len(appended)]
}

// give takes back a record that was taken. Nobody may use it, nor what is in it, from then on.
func (s *slabs) give(token producer.Token) {
	if c, ours := token.Memory.(*slab); ours {
		s.release(c, 1)
	}
}

// release counts records of a slab as given back. Once all of them are, it may be used again.
func (s *slabs) release(c *slab, records int32) {
	if c.left.Add(-records) > 0 {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.rested) < slabsMost {
		s.rested = append(s.rested, c)
	}
}
