package assertions

import (
	"slices"
	"sync"
	"time"
	"unsafe"
)

// shard is the ledger of every 256th device, under a lock of its own. What every record writes to lies together in 64 bytes, so
// that the processor whose turn it is fetches one cache line; what it only reads lies in others, which all may have at once.
type shard struct {
	sync.Mutex
	sent, acked, failed, unknown, consumed int64

	noOffset int64         // of acked
	latest   time.Duration // the latest due time opened

	ledger  *Ledger
	devices []device // by number / shardCount
	further map[identity][]place
	scan    []rescanned // the second scan, by device; nil before Rescan

	table  table // the records that are not settled, but for the one that each device holds itself
	behind int64 // bytes behind the devices: marks and the second scan
	number uint32
}

// identity is a record within its stream.
type identity struct {
	device   uint32
	sequence uint64
}

// place is where a record lies in the topic.
type place struct {
	partition int32
	offset    int64
}

// device is what the ledger keeps of a device for good: 64 bytes, a cache line, while nothing unusual happens to it.
//
// A device of a large fleet seldom has two records that are not settled. One of them lies here, where whoever comes by with
// its outcome or its sighting is anyway: a search in the table for each would cost more than all the rest.
type device struct {
	own   entry  // a record that is not settled; the table has the others
	next  uint64 // the sequence number of its next record
	marks *marks // nil until something unusual happens
	track track  // where its records were last seen
}

// track is how far a scan has come with a device's records in one partition and one session of the producer.
type track struct {
	next       uint64 // 1 + the highest sequence number among first occurrences
	partition  int32
	session    uint16
	generation uint16 // 1 + index of the partition count under which Expect gives this partition; 0: never asked, or none
}

// trackSize is the size of a track in bytes.
const trackSize = int64(unsafe.Sizeof(track{}))

// marks are what is unusual about a device's records: everything not said here was acknowledged and seen once.
type marks struct {
	records intervals // mark by sequence number
	tracks  []track   // in the partitions and sessions before the current one
}

// A record's mark: its state in the lower bits, whether it was found out of order, whether it was found corrupt, and above
// that the number of further sightings. A record that still has an entry has state zero.
const (
	markState     uint32 = 3
	markFailed    uint32 = 1 // and not seen
	markUnknown   uint32 = 2 // and not seen
	markStored    uint32 = 3 // failed or unknown, and seen
	markReordered uint32 = 4
	markCorrupt   uint32 = 8
	markCopy      uint32 = 16
)

func (s *shard) device(number uint32) *device { return &s.devices[number>>shardBits] }

// mark returns the mark of a record.
func (d *device) mark(sequence uint64) uint32 {
	if d.marks == nil {
		return 0
	}
	return d.marks.records.at(sequence)
}

// setMark replaces the mark of a record.
func (s *shard) setMark(d *device, sequence uint64, mark uint32) {
	m := s.marksOf(d)
	s.behind -= m.records.bytes()
	m.records.set(sequence, mark)
	s.behind += m.records.bytes()
}

func (s *shard) marksOf(d *device) *marks {
	if d.marks == nil {
		d.marks = new(marks)
		s.behind += int64(unsafe.Sizeof(marks{}))
	}
	return d.marks
}

func (s *shard) open(number uint32, due time.Duration) uint64 {
	d := s.device(number)
	sequence := d.next
	d.next++
	s.sent++
	s.latest = max(s.latest, due)
	if d.own.state == 0 {
		d.own = entry{due: due, sequence: sequence, state: entryOpen, flags: d.own.flags}
	} else {
		s.table.add(number, entry{due: due, sequence: sequence, state: entryOpen})
	}
	return sequence
}

// find returns the entry of a record of the device, or nil. It is valid until the next open or drop.
func (s *shard) find(d *device, number uint32, sequence uint64) *entry {
	if e := &d.own; e.state != 0 && e.sequence == sequence {
		return e
	}
	return s.table.find(number, sequence)
}

// waiting returns a device and the entry of its record without outcome, which is nil after having noted the misuse.
func (s *shard) waiting(call string, number uint32, sequence uint64) (*device, *entry) {
	d := s.device(number)
	e := s.find(d, number, sequence)
	if e == nil || e.acked() {
		s.ledger.misuses(call, number, sequence, "it has its outcome, or was never handed over")
		return d, nil
	}
	return d, e
}

func (s *shard) withdraw(number uint32, sequence uint64) {
	d, e := s.waiting("withdraw", number, sequence)
	if e == nil {
		return
	}
	if sequence != d.next-1 {
		s.ledger.misuses("withdraw", number, sequence, "it is not the device's last")
		return
	}
	if e.seen() {
		s.ledger.report(phantoms, offence{
			due: e.due, device: number, named: true, sequence: int64(sequence), place: e.place(),
			note: "the producer refused it",
		})
	}
	if d.mark(sequence) != 0 {
		s.setMark(d, sequence, 0)
	}
	s.drop(d, number, e)
	d.next--
	s.sent--
	s.ledger.unsent.Add(1)
}

// offsetUntold stands for the offset of an acknowledgement that names none.
const offsetUntold int64 = -1

func (s *shard) ack(number uint32, sequence uint64, at place) bool {
	d, e := s.waiting("acknowledge", number, sequence)
	if e == nil {
		return false
	}
	s.acked++
	switch {
	case at.offset == offsetUntold:
		s.noOffset++
	case at.offset < 0:
		s.ledger.report(offsetMismatches, offence{
			due: e.due, device: number, named: true, sequence: int64(sequence), place: at, note: "acknowledged at an offset that no record can have",
		})
		at.offset = offsetUntold // there is nothing more to compare it with
	}
	id, first := identity{number, sequence}, e.place()
	if e.seen() && (at.offset == offsetUntold || at == first || slices.Contains(s.further[id], at)) {
		s.drop(d, number, e)
		return true
	}
	e.state |= entryAcked
	e.partition, e.offset = at.partition, at.offset
	if e.seen() {
		s.keep(id, []place{first})
	}
	return true
}

func (s *shard) fail(number uint32, sequence uint64) bool {
	d, e := s.waiting("fail", number, sequence)
	if e == nil {
		return false
	}
	s.failed++
	if e.seen() {
		s.ledger.report(failedButStored, offence{
			due: e.due, device: number, named: true, sequence: int64(sequence), place: e.place(),
		})
	}
	s.settle(d, number, e, markFailed)
	return true
}

func (s *shard) forget(number uint32, sequence uint64) bool {
	d, e := s.waiting("give up", number, sequence)
	if e == nil {
		return false
	}
	s.unknown++
	s.settle(d, number, e, markUnknown)
	return true
}

// settle ends a record that was not acknowledged.
func (s *shard) settle(d *device, number uint32, e *entry, state uint32) {
	if e.seen() {
		state = markStored
	}
	s.setMark(d, e.sequence, d.mark(e.sequence)|state)
	s.drop(d, number, e)
}

// drop removes an entry.
func (s *shard) drop(d *device, number uint32, e *entry) {
	if e.seen() && s.further != nil {
		if delete(s.further, identity{number, e.sequence}); len(s.further) == 0 {
			s.further = nil // a map gives nothing back of what it grew to
		}
	}
	if e == &d.own {
		*e = entry{flags: e.flags}
	} else {
		s.table.remove(number, e.sequence)
	}
}

// keep remembers where a record was seen, beside the place that its entry holds.
func (s *shard) keep(id identity, places []place) {
	if s.further == nil {
		s.further = make(map[identity][]place)
	}
	s.further[id] = places
}

// sighting is where the record of an entry was first seen.
func (s *shard) sighting(number uint32, e *entry) place {
	if e.acked() {
		return s.further[identity{number, e.sequence}][0]
	}
	return e.place()
}

// bytes returns the memory behind the shard.
func (s *shard) bytes() int64 {
	// A map entry of identity and slice header with one place, at the map's usual load.
	const furtherSize = 96
	s.Lock()
	defer s.Unlock()
	return int64(len(s.devices))*int64(unsafe.Sizeof(device{})) + s.table.bytes() + s.behind +
		int64(len(s.scan))*int64(unsafe.Sizeof(rescanned{})) + int64(len(s.further))*furtherSize
}
