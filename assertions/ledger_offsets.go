package assertions

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// taken knows the places in the topic at which the latest scan met records that were handed over. An acknowledgement may
// name the place of another record while its own is nowhere, which only the place can tell. A log that is read in order
// takes one run of intervals a partition.
type taken struct {
	growing    sync.Mutex
	partitions atomic.Pointer[[]*takenOffsets]
}

// takenOffsets are those of one partition: 1 at each.
type takenOffsets struct {
	sync.Mutex
	offsets intervals
	_       [64]byte // keeps the next partition's lock off this one's cache line
}

// add takes in a place.
func (t *taken) add(at place) {
	p := t.partition(at.partition)
	p.Lock()
	defer p.Unlock()
	// Nearly always it is the offset that follows the last one.
	if last := len(p.offsets.runs) - 1; last >= 0 {
		if r := &p.offsets.runs[last]; r.end() == uint64(at.offset) && r.count < math.MaxUint32 {
			r.count++
			return
		}
	}
	p.offsets.set(uint64(at.offset), 1)
}

// has says whether a place was taken.
func (t *taken) has(at place) bool {
	list := t.partitions.Load()
	if list == nil || at.partition < 0 || int(at.partition) >= len(*list) || at.offset < 0 {
		return false
	}
	p := (*list)[at.partition]
	p.Lock()
	defer p.Unlock()
	return p.offsets.at(uint64(at.offset)) != 0
}

// partition returns the offsets of a partition. Partitions are few, and each is grown once.
func (t *taken) partition(number int32) *takenOffsets {
	if list := t.partitions.Load(); list != nil && int(number) < len(*list) {
		return (*list)[number]
	}
	t.growing.Lock()
	defer t.growing.Unlock()
	var grown []*takenOffsets
	if list := t.partitions.Load(); list != nil {
		grown = slices.Clone(*list)
	}
	for int(number) >= len(grown) {
		grown = append(grown, new(takenOffsets))
	}
	t.partitions.Store(&grown)
	return grown[number]
}

// forget begins a scan anew.
func (t *taken) forget() { t.partitions.Store(nil) }

// bytes returns the memory behind the places.
func (t *taken) bytes() int64 {
	list := t.partitions.Load()
	if list == nil {
		return 0
	}
	var bytes int64
	for _, p := range *list {
		p.Lock()
		bytes += int64(unsafe.Sizeof(*p)) + p.offsets.bytes()
		p.Unlock()
	}
	return bytes
}
