package generator

import (
	"slices"
	"time"
)

// stream is the schedule of one fleet. All its devices have the same interval, so their readings come in laps: in each
// lap all devices once, ordered by phase. Only jitter disturbs that order, and never by more than a lap. So a stream
// walks along a calendar of buckets, a lap cut into equal parts: it deals the readings whose turn it would be to the
// buckets in which jitter makes them due, and sorts the bucket.
//
//	order  ····│····│····│····│   devices by phase, one lap
//	          ╲  ╲   ╲╲            jitter
//	ring       ····│···│··│··│    the bucket whose turn it is, and as many as jitter reaches ahead
//
// It goes through its memory in order, but for the buckets ahead. It keeps eight bytes a device, and 16 for each reading
// that jitter has moved ahead.
type stream struct {
	pace    follower
	end     time.Duration // of the load
	first   uint32        // number of the fleet's first device
	key     uint64        // of the fleet
	jitter  float64       // share of the interval
	records float64       // that all fleets together send in this fleet's interval

	order   []uint64 // ascending: phase, in parts of a lap, as the high half; index as the low half
	dealt   int      // how many of order have been dealt in this lap
	buckets uint64   // in a lap
	lap     int64    // the lap whose turn it is,
	part    uint64   // and the bucket in it
	begin   time.Duration
	ring    [][]tick // the buckets from the one whose turn it is,
	slot    int      // which is this one, on around the end
	turn    []tick   // what is in that one
	handed  int      // how many of those have been handed out
	ended   bool
}

// tick is a reading of a device of the fleet, at the time it is due.
type tick struct {
	at     time.Duration
	device uint32 // index within the fleet
	lap    int32  // number of the reading, but for its high half
}

const (
	lap        = 1 << 32 // parts in which phases are counted
	bucketSize = 8       // readings in a bucket, about: few enough to be sorted by insertion
)

func newStream(spec Fleet, first uint32, key uint64, pace Pace, own float64) *stream {
	s := &stream{
		pace:    follower{pace: &pace},
		end:     pace.End(),
		first:   first,
		key:     key,
		jitter:  float64(spec.Jitter),
		records: spec.Interval.Seconds() * own,
		order:   make([]uint64, spec.Devices),
		buckets: uint64(spec.Devices/bucketSize + 1),
	}
	for index := range s.order {
		phase := uint64(uniform(forPhase.of(mix(key, uint64(index)))) * lap)
		s.order[index] = phase<<32 | uint64(index)
	}
	slices.Sort(s.order)
	// The bucket whose turn it is, as many whole ones as jitter is long, and one because a phase lies inside a bucket.
	s.ring = make([][]tick, int(s.jitter*float64(s.buckets))+2)
	s.before()
	s.deal()
	return s
}

// before deals the lap before the first, of which jitter moves readings past the start: without them the load would
// begin thin and fill up over as long as jitter is.
func (s *stream) before() {
	for _, device := range s.order {
		if position := s.position(-1, device); position >= lap {
			s.put(-1, position, device)
		}
	}
}

// head is the next tick. There is one after fill.
func (s *stream) head() *tick { return &s.turn[s.handed] }

// fill moves on to the next bucket that is not handed out; it is false when the load has ended.
func (s *stream) fill() bool {
	for s.handed == len(s.turn) && !s.ended {
		s.ring[s.slot] = s.turn[:0]
		s.handed = 0
		if s.slot++; s.slot == len(s.ring) {
			s.slot = 0
		}
		if s.part++; s.part == s.buckets {
			s.part, s.dealt = 0, 0
			s.lap++
		}
		s.deal()
	}
	return !s.ended
}

// deal deals out the stretch of the lap whose turn it is, and completes its bucket: with what is due from its beginning
// up to the next one's, in order.
func (s *stream) deal() {
	if s.begin >= s.end {
		s.turn, s.ended = nil, true
		return
	}
	for ; s.dealt < len(s.order); s.dealt++ {
		device := s.order[s.dealt]
		if device>>32*s.buckets/lap != s.part {
			break
		}
		s.put(s.lap, s.position(s.lap, device), device)
	}
	bucket := s.ring[s.slot]
	for i := range bucket {
		bucket[i].at = max(bucket[i].at, s.begin) // rounding may put it a nanosecond before
	}
	sortTicks(bucket)
	s.begin = s.at(s.lap, float64(s.part+1)/float64(s.buckets))
	next := s.ahead(1)
	for n := len(bucket); n > 0 && bucket[n-1].at >= s.begin; n-- { // rounding again, and what lies beyond the load
		*next = append(*next, bucket[n-1])
		bucket = bucket[:n-1]
	}
	s.turn = bucket
}

// position is where in the lap, or in the one after it, the device's reading of that lap is due.
func (s *stream) position(round int64, device uint64) uint64 {
	position, index := device>>32, device&(lap-1)
	if s.jitter > 0 {
		late := uniform(forJitter.of(mix(mix(s.key, index), uint64(round))))
		position += uint64(late * s.jitter * lap)
	}
	return position
}

// put puts the device's reading of that lap into its bucket.
func (s *stream) put(round int64, position, device uint64) {
	bucket := s.ahead((round-s.lap)*int64(s.buckets) + int64(position*s.buckets/lap-s.part))
	*bucket = append(*bucket, tick{at: s.at(round, float64(position)/lap), device: uint32(device), lap: int32(round)})
}

// ahead is the bucket that many after the one whose turn it is.
func (s *stream) ahead(n int64) *[]tick {
	slot := s.slot + int(n)
	if slot >= len(s.ring) {
		slot -= len(s.ring)
	}
	return &s.ring[slot]
}

// at is when the fleet is at that position of a lap.
func (s *stream) at(round int64, position float64) time.Duration {
	return s.pace.when((float64(round) + position) * s.records)
}

// number is the number of the reading: a tick is never more than a few laps from the one whose turn it is.
func (s *stream) number(t *tick) int64 { return s.lap + int64(t.lap-int32(s.lap)) }

// sortTicks sorts by time, then by device, then by number. There are few, and without jitter they are in order.
func sortTicks(ticks []tick) {
	for i := 1; i < len(ticks); i++ {
		t, at := ticks[i], i
		for ; at > 0 && t.before(&ticks[at-1]); at-- {
			ticks[at] = ticks[at-1]
		}
		ticks[at] = t
	}
}

func (t *tick) before(other *tick) bool {
	if t.at != other.at {
		return t.at < other.at
	}
	if t.device != other.device {
		return t.device < other.device
	}
	return t.lap-other.lap < 0
}
