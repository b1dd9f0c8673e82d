package assertions

import (
	"math/bits"
	"time"
	"unsafe"
)

// entry is a record that is not settled: without outcome, acknowledged and not seen, or seen only where it was not
// acknowledged. Of the last kind there are few, and the shard keeps where they were seen.
type entry struct {
	due       time.Duration
	sequence  uint64
	offset    int64 // where it was acknowledged, or else first seen
	partition int32
	state     entryState
	flags     deviceFlags // of the device whose own entry this is: here there is room for them
}

// entryState is what is known of an entry. Acked and seen together mean that it was seen elsewhere than acknowledged.
type entryState uint8

const (
	entryOpen entryState = 1 << iota // the slot is taken
	entryAcked
	entrySeen
)

func (e *entry) acked() bool  { return e.state&entryAcked != 0 }
func (e *entry) seen() bool   { return e.state&entrySeen != 0 }
func (e *entry) place() place { return place{e.partition, e.offset} }

// deviceFlags are what is known of a device.
type deviceFlags uint8

const (
	deviceSighted deviceFlags = 1 << iota // track is set
	deviceSeveral                         // seen in more than one partition
	deviceStray                           // seen in a partition that no partition count explains
	deviceSplit                           // counted as split
)

// table holds the unsettled records of a shard but for the one that each device holds itself: a hash table with linear
// probing whose entries lie in one slice, so that a record costs neither an allocation nor a pointer, and whose size
// follows what is in flight.
type table struct {
	slots []slot // a power of two; none before the first record
	shift uint8  // 64 − log2(len(slots)): the hash's upper bits choose the slot
	used  int
	idle  int // removals in a row that found the table nearly empty
}

// slot is an entry in the table, and whose it is.
type slot struct {
	entry
	device uint32
}

// tableFirst is the number of slots a table begins with.
const tableFirst = 16

// home is the slot where the search for a record begins.
func (t *table) home(device uint32, sequence uint64) int {
	high, low := bits.Mul64(uint64(device)<<32^sequence^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return int((high ^ low) >> t.shift)
}

// find returns the entry of a record, or nil. It is valid until the next add or remove.
func (t *table) find(device uint32, sequence uint64) *entry {
	if t.used == 0 {
		return nil
	}
	if e := &t.slots[t.slot(device, sequence)].entry; e.state != 0 {
		return e
	}
	return nil
}

// slot is where a record's entry is, or would be.
func (t *table) slot(device uint32, sequence uint64) int {
	mask := len(t.slots) - 1
	for i := t.home(device, sequence) & mask; ; i = (i + 1) & mask {
		if e := &t.slots[i]; e.state == 0 || e.sequence == sequence && e.device == device {
			return i
		}
	}
}

// add takes in a record that is not in the table.
func (t *table) add(device uint32, e entry) {
	if t.used >= len(t.slots)/4*3 {
		t.resize(max(2*len(t.slots), tableFirst))
	}
	t.place(slot{e, device})
	t.used++
}

func (t *table) place(e slot) { t.slots[t.slot(e.device, e.sequence)] = e }

// remove takes out an entry that is in the table. Entries behind it move up, so that no search ends at the hole.
func (t *table) remove(device uint32, sequence uint64) {
	mask, hole := len(t.slots)-1, t.slot(device, sequence)
	for i := (hole + 1) & mask; t.slots[i].state != 0; i = (i + 1) & mask {
		e := &t.slots[i]
		// An entry may fill the hole unless its search begins behind it.
		if (i-t.home(e.device, e.sequence))&mask >= (i-hole)&mask {
			t.slots[hole] = *e
			hole = i
		}
	}
	t.slots[hole] = slot{}
	t.used--
	t.relax()
}

// relax halves a table that has long been nearly empty: what an outage filled is given back after it, while the ebb
// and flow of batches never costs an allocation.
func (t *table) relax() {
	if t.used > len(t.slots)/8 || len(t.slots) <= tableFirst {
		t.idle = 0
		return
	}
	if t.idle++; t.idle > len(t.slots) {
		t.resize(len(t.slots) / 2)
		t.idle = 0
	}
}

func (t *table) resize(slots int) {
	old := t.slots
	t.slots, t.shift = make([]slot, slots), uint8(64-bits.TrailingZeros(uint(slots)))
	for i := range old {
		if old[i].state != 0 {
			t.place(old[i])
		}
	}
}

// bytes returns the memory behind the slots.
func (t *table) bytes() int64 { return int64(len(t.slots)) * int64(unsafe.Sizeof(slot{})) }
