package assertions

import (
	"slices"
	"unsafe"
)

// intervals maps numbers to values, with zero for every number nobody spoke of. Neighbours with the same value share
// one run of 16 bytes, so that what is alike for long stretches costs next to nothing, however long it is.
type intervals struct {
	runs []run // in order, disjoint, no value zero, no two that could be one
}

// run is count consecutive numbers from first on, all with the same value.
type run struct {
	first uint64
	count uint32
	value uint32
}

// runSize is the size of a run in bytes.
const runSize = int64(unsafe.Sizeof(run{}))

func (r run) end() uint64 { return r.first + uint64(r.count) }

// joins says whether next can be swallowed by r without its count overflowing.
func (r run) joins(next run) bool {
	return r.value == next.value && r.end() == next.first && r.count+next.count >= r.count
}

// find returns the index of the first run that ends beyond n: the run that holds n, or the place where it belongs.
func (s *intervals) find(n uint64) int {
	// Nearly everything happens at the end, where the newest numbers are.
	if last := len(s.runs) - 1; last < 0 || n >= s.runs[last].end() {
		return last + 1
	}
	low, high := 0, len(s.runs)-1
	for low < high {
		middle := int(uint(low+high) >> 1)
		if s.runs[middle].end() <= n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// at returns the value of n.
func (s *intervals) at(n uint64) uint32 {
	i := s.find(n)
	if i == len(s.runs) || n < s.runs[i].first {
		return 0
	}
	return s.runs[i].value
}

// set gives n a value; zero forgets it.
func (s *intervals) set(n uint64, value uint32) {
	from := s.find(n)
	to := from
	var fresh [5]run // what replaces runs[from:to]: at most two neighbours, two halves and n itself
	used := 0
	add := func(r run) {
		switch {
		case r.count == 0 || r.value == 0:
		case used > 0 && fresh[used-1].joins(r):
			fresh[used-1].count += r.count
		default:
			fresh[used] = r
			used++
		}
	}
	var left, right run
	if from < len(s.runs) && s.runs[from].first <= n {
		old := s.runs[from]
		if old.value == value {
			return
		}
		left = run{first: old.first, count: uint32(n - old.first), value: old.value}
		right = run{first: n + 1, count: uint32(old.end() - n - 1), value: old.value}
		to++
	}
	if from > 0 {
		from--
		add(s.runs[from])
	}
	add(left)
	add(run{first: n, count: 1, value: value})
	add(right)
	if to < len(s.runs) {
		add(s.runs[to])
		to++
	}
	s.runs = slices.Replace(s.runs, from, to, fresh[:used]...)
}

// absent calls yield for every longest stretch [first, end) below limit whose numbers have no value, in order.
func (s *intervals) absent(limit uint64, yield func(first, end uint64)) {
	from := uint64(0)
	for _, r := range s.runs {
		if r.first >= limit {
			break
		}
		if r.first > from {
			yield(from, r.first)
		}
		from = r.end()
	}
	if from < limit {
		yield(from, limit)
	}
}

// bytes returns the memory behind the runs.
func (s *intervals) bytes() int64 { return int64(cap(s.runs)) * runSize }
