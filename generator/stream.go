package generator

import (
	"cmp"
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
// It keeps eight bytes a device, and 24 for each reading that jitter has moved ahead.
type stream struct {
	pace    Pace
	first   uint32  // number of the fleet's first device
	key     uint64  // of the fleet
	jitter  float64 // share of the interval
	records float64 // that all fleets together send in this fleet's interval
	draws   *draws

	order   []uint64 // ascending: phase, in parts of a lap, as the high half; index as the low half
	dealt   int      // how many of order have been dealt in this lap
	buckets uint64   // in a lap
	ring    [][]tick // bucket n is at n modulo the length
	turn    uint64   // number of the bucket whose turn it is, counted over all laps
	handed  int      // how many of its ticks have been handed out
	ended   bool
}

// tick is a reading of a device of the fleet, at the time it is due.
type tick struct {
	at     time.Duration
	index  int64
	device uint32 // index within the fleet
}

const (
	lap        = 1 << 32 // parts in which phases are counted
	bucketSize = 32      // readings in a bucket, about: few enough to be sorted in no time
)

func newStream(spec Fleet, first uint32, key uint64, pace Pace, own float64, draws *draws) *stream {
	s := &stream{
		pace:    pace,
		first:   first,
		key:     key,
		jitter:  float64(spec.Jitter),
		records: spec.Interval.Seconds() * own,
		draws:   draws,
		order:   make([]uint64, spec.Devices),
		buckets: uint64(spec.Devices/bucketSize + 1),
	}
	for index := range s.order {
		phase := uint64(draws.uniform(forPhase.of(mix(key, uint64(index)))) * lap)
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

// position is where in the lap, or in the one after it, the device's reading of that lap is due.
func (s *stream) position(round int64, device uint64) uint64 {
	position, index := device>>32, device&(lap-1)
	if s.jitter > 0 {
		late := s.draws.uniform(forJitter.of(mix(mix(s.key, index), uint64(round))))
		position += uint64(late * s.jitter * lap)
	}
	return position
}

// put puts the device's reading of that lap into its bucket.
func (s *stream) put(round int64, position, device uint64) {
	bucket := s.bucket(uint64(round*int64(s.buckets) + int64(position*s.buckets/lap)))
	*bucket = append(*bucket, tick{at: s.at(round, float64(position)/lap), index: round, device: uint32(device)})
}

// head is the next tick. There is one after fill.
func (s *stream) head() tick { return (*s.bucket(s.turn))[s.handed] }

// fill moves on to the next bucket that is not handed out; it is false when the load has ended.
func (s *stream) fill() bool {
	for !s.ended && s.handed == len(*s.bucket(s.turn)) {
		*s.bucket(s.turn) = (*s.bucket(s.turn))[:0]
		s.handed = 0
		s.turn++
		s.deal()
	}
	return !s.ended
}

// deal deals out the stretch of the lap whose turn it is, and completes its bucket: with what is due from its beginning
// up to the next one's, in order.
func (s *stream) deal() {
	begin, end := s.begin(s.turn), s.begin(s.turn+1)
	if begin >= s.pace.End() {
		s.ended = true
		return
	}
	round, part := int64(s.turn/s.buckets), s.turn%s.buckets
	if part == 0 {
		s.dealt = 0
	}
	for ; s.dealt < len(s.order); s.dealt++ {
		device := s.order[s.dealt]
		if device>>32*s.buckets/lap != part {
			break
		}
		s.put(round, s.position(round, device), device)
	}
	bucket, next := s.bucket(s.turn), s.bucket(s.turn+1)
	for i := range *bucket {
		(*bucket)[i].at = max((*bucket)[i].at, begin) // rounding may put it a nanosecond before
	}
	slices.SortFunc(*bucket, func(a, b tick) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		if a.device != b.device {
			return cmp.Compare(a.device, b.device)
		}
		return cmp.Compare(a.index, b.index)
	})
	for n := len(*bucket); n > 0 && (*bucket)[n-1].at >= end; n-- { // rounding again, and what lies beyond the load
		*next = append(*next, (*bucket)[n-1])
		*bucket = (*bucket)[:n-1]
	}
}

func (s *stream) bucket(turn uint64) *[]tick { return &s.ring[turn%uint64(len(s.ring))] }

// begin is when the bucket begins.
func (s *stream) begin(turn uint64) time.Duration {
	return s.at(int64(turn/s.buckets), float64(turn%s.buckets)/float64(s.buckets))
}

// at is when the fleet is at that position of a lap.
func (s *stream) at(round int64, position float64) time.Duration {
	return s.pace.When((float64(round) + position) * s.records)
}
