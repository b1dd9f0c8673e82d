package assertions

import (
	"math"
	"slices"
	"time"
)

// counter is a metric that counts records in a state.
func counter(of func(*Counts) int64) func(*judge, phase, Expectation) (value, error) {
	return func(j *judge, p phase, e Expectation) (value, error) {
		counts := &j.Streams[0].Counts
		if !p.whole {
			counts = countsOf(p.slices)
		}
		if counts.Due == 0 {
			return nothingDue(p), nil
		}
		v := certain(float64(of(counts)), counts.Due)
		switch e.Metric {
		case "due":
			return v, nil // of itself would say nothing
		case "consumed":
			v = j.unread(v, v.got, math.Inf(1))
		}
		v.of = " of " + grouped(counts.Due)
		return v, nil
	}
}

// countsOf adds slices up.
func countsOf(parts []Slice) *Counts {
	c := new(Counts)
	for i := range parts {
		s := &parts[i]
		c.Due += s.Due
		c.Sent += s.Sent
		c.Acked += s.Acked
		c.Failed += s.Failed
		c.Unknown += s.Unknown
		c.Shed += s.Shed
		c.Unsent += s.Unsent
		c.Consumed += s.Consumed
	}
	return c
}

// tallied is a metric that counts a finding of the ledger, over all streams.
func tallied(f finding) func(*judge, phase, Expectation) (value, error) {
	name := f.String()
	return func(j *judge, p phase, _ Expectation) (value, error) {
		var found, due int64
		if p.whole {
			for _, stream := range j.Streams {
				found += stream.Findings[name].Count
				due += stream.Counts.Due
			}
		} else {
			found = sum(p.slices, func(s *Slice) int64 { return s.Findings[name] })
			due = sum(p.slices, func(s *Slice) int64 { return s.Due })
		}
		if due == 0 && found == 0 {
			return nothingDue(p), nil
		}
		v := certain(float64(found), due)
		v.of = " of " + grouped(due)
		if f == ackedLost || f == truncated {
			return j.unread(v, 0, math.Inf(1)), nil // what was not read may lie in the log, or not
		}
		return j.unread(v, v.got, math.Inf(1)), nil
	}
}

// unread widens a value that rests on what was read back by what more reading could have shown.
func (j *judge) unread(v value, low, high float64) value {
	if j.Readback.Complete {
		return v
	}
	return v.between(low, high, j.unreadWhy())
}

// unreadWhy says that the log was not read to its end, and why.
func (j *judge) unreadWhy() string {
	if j.Readback.Reason == "" {
		return "not everything in the log was read back"
	}
	return "not everything in the log was read back: " + j.Readback.Reason
}

// nothingDue is no value: a phase in which nothing happened proves nothing.
func nothingDue(p phase) value {
	if p.name == "" {
		return absent("no record was due")
	}
	return absent("no record was due in %s", p.name)
}

// succeeded is the metric success_rate.
func succeeded(_ *judge, p phase, _ Expectation) (value, error) {
	counts := countsOf(p.slices)
	if counts.Due == 0 {
		return nothingDue(p), nil
	}
	v := certain(float64(counts.Acked)/float64(counts.Due), counts.Due)
	v.of = " (" + grouped(counts.Acked) + " of " + grouped(counts.Due) + ")"
	return v, nil
}

// achievedRate is the metric achieved_rate.
func achievedRate(_ *judge, p phase, _ Expectation) (value, error) {
	due := sum(p.slices, func(s *Slice) int64 { return s.Due })
	if due == 0 {
		return nothingDue(p), nil
	}
	handed := handedInTime(p.slices)
	v := certain(handed/float64(due), due)
	v.of = " (" + grouped(int64(handed)) + " of " + grouped(due) + ")"
	return v, nil
}

// handedInTime is how many records due in the slices were handed over before the last of them ended. The slice itself
// counts those handed over before its own end. Of an earlier slice, whose records had more time, the histogram of
// schedule_lag tells how many more there were, taking due times as spread evenly over the slice; without a histogram
// its own count stands.
func handedInTime(parts []Slice) float64 {
	var handed float64
	for i := range parts {
		s := &parts[i]
		own := float64(s.OnTime)
		if spare := parts[len(parts)-1].To - s.To; spare > 0 && s.OnTime < s.Sent {
			own = max(own, inTime(s, spare))
		}
		handed += own
	}
	return handed
}

// inTime is how many records of a slice were handed over before its end and some time to spare. A record of lag l was,
// if it was due before end + spare − l.
func inTime(s *Slice, spare time.Duration) float64 {
	h, _, err := mergeHistograms([]Slice{*s}, metricScheduleLag)
	if err != nil {
		return 0
	}
	var handed float64
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			before := s.length() + spare - time.Duration(bar.To)*histogramUnit
			handed += float64(bar.Count) * min(1, max(0, float64(before)/float64(s.length())))
		}
	}
	return handed
}

// throughput is a metric that divides a counter of slices by their length.
func throughput(of func(*Slice) int64, k kind) func(*judge, phase, Expectation) (value, error) {
	return func(j *judge, p phase, _ Expectation) (value, error) {
		due := sum(p.slices, func(s *Slice) int64 { return s.Due })
		var length time.Duration
		for _, slice := range p.slices {
			length += slice.shared(Span{0, j.end()})
		}
		if due == 0 || length == 0 {
			return nothingDue(p), nil
		}
		total := sum(p.slices, of)
		v := certain(float64(total)/seconds(length), due)
		v.of = " (" + figure(float64(total), amountOf(k)) + " in " + span(seconds(length)) + ")"
		return v, nil
	}
}

// amountOf is what a rate counts per second.
func amountOf(k kind) measure {
	if k == sizeRate {
		return measure{kind: size}
	}
	return measure{kind: count}
}

// availabilityGap is the metric availability_gap.
func availabilityGap(j *judge, p phase, _ Expectation) (value, error) {
	due := sum(p.slices, func(s *Slice) int64 { return s.Due })
	if due == 0 {
		return nothingDue(p), nil
	}
	v := certain(0, due)
	for _, gap := range j.Gaps {
		if !slices.ContainsFunc(p.spans, gap.overlaps) || slices.ContainsFunc(p.spare, gap.overlaps) {
			continue
		}
		length := gap.length()
		if got := seconds(length); got > v.got {
			v.got, v.high = got, got
			v.place = gapPlace(gap)
		}
		v.low = max(v.low, seconds(length-j.stalled(gap.Span)))
	}
	if v.low < v.high {
		v.why = stalledWhy
	}
	return v, nil
}
