package assertions

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// finding is a kind of trouble the ledger can find.
type finding int

const (
	ackedLost finding = iota
	duplicates
	reordered
	affinitySplits
	wrongPartition
	phantoms
	corrupt
	offsetMismatches
	failedButStored
	truncated

	findingCount
)

var findingNames = [findingCount]string{
	ackedLost: "acked_lost", duplicates: "duplicates", reordered: "reordered", affinitySplits: "affinity_splits",
	wrongPartition: "wrong_partition", phantoms: "phantoms", corrupt: "corrupt", offsetMismatches: "offset_mismatches",
	failedButStored: "failed_but_stored", truncated: "truncated",
}

// String returns the metric's name.
func (f finding) String() string { return findingNames[f] }

// offence is an offender before it is written down.
type offence struct {
	due      time.Duration
	sequence int64
	place
	other  place // what the offender is held against, see Ledger.note
	device uint32
	named  bool   // the device is known
	note   string // instead of the finding's own
}

// compare orders offences by due time, then by who and where.
func (o offence) compare(than offence) int {
	return cmp.Or(
		cmp.Compare(o.due, than.due), cmp.Compare(o.device, than.device), cmp.Compare(o.sequence, than.sequence),
		cmp.Compare(o.partition, than.partition), cmp.Compare(o.offset, than.offset),
	)
}

// tally counts the findings of one kind and keeps the first MaxOffenders by due time, whatever the order in which
// they are found.
type tally struct {
	sync.Mutex
	count int64
	kept  []offence // up to twice MaxOffenders, so that sorting them is rare
	full  bool      // the last of kept[:MaxOffenders] is the bar for all others
}

func (t *tally) add(o offence) {
	t.Lock()
	defer t.Unlock()
	t.count++
	if t.full && o.compare(t.kept[MaxOffenders-1]) >= 0 {
		return
	}
	t.kept = append(t.kept, o)
	if len(t.kept) == 2*MaxOffenders {
		t.trim()
	}
}

func (t *tally) trim() {
	slices.SortFunc(t.kept, offence.compare)
	if len(t.kept) >= MaxOffenders {
		t.kept, t.full = t.kept[:MaxOffenders], true
	}
}

// found returns the account of the kind.
func (t *tally) found(write func(offence) Offender) Found {
	t.Lock()
	defer t.Unlock()
	t.trim()
	found := Found{Count: t.count}
	for _, o := range t.kept {
		found.First = append(found.First, write(o))
	}
	return found
}

func (t *tally) bytes() int64 {
	t.Lock()
	defer t.Unlock()
	return int64(cap(t.kept)) * int64(unsafe.Sizeof(offence{}))
}

// strays are the records read back that nobody handed over. Each place counts once, so that a second scan does not
// report them again.
type strays struct {
	sync.Mutex
	count  atomic.Int64
	places map[int32]*intervals // by partition, 1 at the offsets
}

// add is false for a place that was there before.
func (s *strays) add(at place) bool {
	s.Lock()
	defer s.Unlock()
	offsets := s.places[at.partition]
	if offsets == nil {
		if s.places == nil {
			s.places = make(map[int32]*intervals)
		}
		offsets = new(intervals)
		s.places[at.partition] = offsets
	}
	if offsets.at(uint64(at.offset)) != 0 {
		return false
	}
	offsets.set(uint64(at.offset), 1)
	s.count.Add(1)
	return true
}

func (s *strays) bytes() int64 {
	s.Lock()
	defer s.Unlock()
	var bytes int64
	for _, offsets := range s.places {
		bytes += int64(unsafe.Sizeof(*offsets)) + offsets.bytes()
	}
	return bytes
}

// stray reports a record that was read back and never handed over.
func (l *Ledger) stray(f finding, o offence) {
	if l.strays.add(o.place) {
		l.report(f, o)
	}
}

// unsolicited reports a sighting of a record that was never handed over.
func (l *Ledger) unsolicited(g Sighting) {
	o := g.offence()
	if g.Corrupt {
		l.stray(corrupt, offence{due: Never, sequence: -1, place: o.place})
		return
	}
	o.named = int(g.Device) < l.config.Devices
	o.note = fmt.Sprintf("device %d #%d was never handed over", g.Device, g.Sequence)
	l.stray(phantoms, o)
}

// report counts a finding.
func (l *Ledger) report(f finding, o offence) {
	l.findings[f].add(o)
	if l.config.Found != nil && o.due != Never {
		l.config.Found(f.String(), o.due)
	}
}

// offender writes an offence down.
func (l *Ledger) offender(f finding, o offence, ends map[int32]int64) Offender {
	offender := Offender{
		Sequence: o.sequence, Due: o.due, Partition: o.partition, Offset: o.offset, Note: o.note,
	}
	if o.named {
		offender.Device = l.config.Key(o.device)
	}
	if offender.Note == "" {
		offender.Note = note(f, o, ends)
	}
	return offender
}

// note says what was expected of an offender and what was got.
func note(f finding, o offence, ends map[int32]int64) string {
	switch f {
	case ackedLost:
		if end, known := ends[o.partition]; known && o.offset >= end {
			return fmt.Sprintf("acknowledged, never read back: its partition ends at offset %d", end)
		}
		return "acknowledged, never read back"
	case duplicates:
		return fmt.Sprintf("read %d times", o.other.offset)
	case reordered:
		return fmt.Sprintf("read after #%d", o.other.offset)
	case affinitySplits:
		return fmt.Sprintf("also in partition %d", o.other.partition)
	case wrongPartition:
		return fmt.Sprintf("expected in partition %d", o.other.partition)
	case corrupt:
		return "its checksum differs"
	case offsetMismatches:
		return fmt.Sprintf("acknowledged there, read back from partition %d at offset %d", o.other.partition, o.other.offset)
	case failedButStored:
		return "reported as failed, yet in the log"
	default:
		return ""
	}
}
