package generator

import (
	"math"
	"sort"
	"time"
)

// Pace says how many records are due by when: the integral of the stages' rate over time, and its inverse. It is a pure
// function of elapsed time; whoever follows it holds the clock.
//
//	rate   ┌────┐            a stage with a burst
//	      ╱│    │            after one that holds the rate
//	  ───╱ │    └────        after a linear ramp
//	 0      time      End
type Pace struct {
	segments []segment
	total    float64
	end      time.Duration
}

// segment is a stage with all rates in records per second.
type segment struct {
	start    time.Duration
	length   float64 // seconds
	from, to float64 // rate at its beginning and end
	before   float64 // records due before its start
}

// NewPace lays the stages end to end. own is the fleets' own pace in records per second, which rates like 20x multiply.
// A linear ramp starts from the rate at which the stage before it ended, the first stage's from 0.
func NewPace(stages []Stage, own float64) Pace {
	var p Pace
	last := 0.
	for _, stage := range stages {
		s := segment{start: p.end, length: stage.For.Seconds(), from: last, to: stage.Rate.Of(own), before: p.total}
		if stage.Ramp != RampLinear {
			s.from = s.to
		}
		p.segments = append(p.segments, s)
		p.end += stage.For
		p.total += (s.from + s.to) / 2 * s.length
		last = s.to
	}
	return p
}

// OwnPace is the rate, in records per second, at which the fleets send when every device keeps its interval.
func OwnPace(fleets []Fleet) float64 {
	own := 0.
	for _, fleet := range fleets {
		own += float64(fleet.Devices) / fleet.Interval.Seconds()
	}
	return own
}

// End is when the last stage ends.
func (p Pace) End() time.Duration { return p.end }

// Rate is the rate at that moment in records per second. Outside the load it is 0; at a border it is the later stage's.
func (p Pace) Rate(elapsed time.Duration) float64 {
	if elapsed < 0 || elapsed >= p.end {
		return 0
	}
	s := p.segmentAt(elapsed)
	return s.from + (s.to-s.from)*(elapsed-s.start).Seconds()/s.length
}

// Records is how many records are due by then. It grows from 0 to the total, which it keeps after the end.
func (p Pace) Records(elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	if elapsed >= p.end {
		return p.total
	}
	s := p.segmentAt(elapsed)
	x := (elapsed - s.start).Seconds()
	return s.before + x*(s.from+(s.to-s.from)*x/(2*s.length))
}

// When is the moment by which so many records are due, rounded to the nanosecond: 0 for none, End for the total and
// whatever exceeds it.
func (p Pace) When(records float64) time.Duration {
	if records <= 0 {
		return 0
	}
	if records >= p.total {
		return p.end
	}
	return p.segments[sort.Search(len(p.segments), func(i int) bool { return p.segments[i].before > records })-1].when(records)
}

// when is the moment by which so many records are due, within the segment.
func (s *segment) when(records float64) time.Duration {
	// The root of slope/2·x² + from·x = rest, in the form that cancels nothing.
	rest, slope, x := records-s.before, (s.to-s.from)/s.length, 0.
	switch {
	case slope == 0:
		x = rest / s.from
	case rest > 0:
		x = 2 * rest / (s.from + math.Sqrt(s.from*s.from+2*slope*rest))
	}
	return s.start + time.Duration(round(x*1e9))
}

func (p Pace) segmentAt(elapsed time.Duration) segment {
	return p.segments[sort.Search(len(p.segments), func(i int) bool { return p.segments[i].start > elapsed })-1]
}

// follower asks a Pace for moments that mostly lie in the stage of the last one.
type follower struct {
	pace  *Pace
	stage int
}

// when is Pace.When.
func (f *follower) when(records float64) time.Duration {
	segments := f.pace.segments
	if records <= 0 || records >= f.pace.total {
		return f.pace.When(records)
	}
	for segments[f.stage].before > records {
		f.stage--
	}
	for f.stage+1 < len(segments) && segments[f.stage+1].before <= records {
		f.stage++
	}
	return segments[f.stage].when(records)
}
