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
		if e.Metric == "consumed" {
			v = j.unread(v, v.got, math.Inf(1))
		}
		if e.Metric != "due" { // of itself would say nothing
			v.of = " of " + grouped(counts.Due)
		}
		return j.unfinished(p, v, v.got, math.Inf(1)), nil
	}
}

// countsOf adds slices up.
func countsOf(parts []Slice) *Counts {
	c := new(Counts)
	for i := range parts {
		s := &parts[i]
		c.add(&Counts{
			Due: s.Due, Sent: s.Sent, Acked: s.Acked, Failed: s.Failed, Unknown: s.Unknown, Shed: s.Shed,
			Unsent: s.Unsent, Consumed: s.Consumed,
		})
	}
	return c
}

// add adds the states of other records.
func (c *Counts) add(other *Counts) {
	c.Due += other.Due
	c.Sent += other.Sent
	c.Acked += other.Acked
	c.NoOffset += other.NoOffset
	c.Failed += other.Failed
	c.Unknown += other.Unknown
	c.Shed += other.Shed
	c.Unsent += other.Unsent
	c.Consumed += other.Consumed
}

// tallied is a metric that counts a finding of the ledger, over all streams.
func tallied(f finding) func(*judge, phase, Expectation) (value, error) {
	name := f.String()
	return func(j *judge, p phase, _ Expectation) (value, error) {
		if f == truncated && !j.Readback.Rescan {
			return absent("%s needs a second scan: oracle.rescan", name), nil
		}
		var found int64
		var counts Counts
		if p.whole {
			for _, stream := range j.Streams {
				found += stream.Findings[name].Count
				counts.add(&stream.Counts)
			}
		} else {
			found = sum(p.slices, func(s *Slice) int64 { return s.Findings[name] })
			counts = *countsOf(p.slices)
			counts.NoOffset = j.Streams[0].Counts.NoOffset // at most: which slices they are in is not known
		}
		samples, none := f.samples(&counts)
		switch {
		case found > 0 || samples > 0:
		case counts.Due == 0:
			return nothingDue(p), nil
		default:
			return absent("%s%s", none, p.in()), nil
		}
		v := certain(float64(found), samples)
		v.of = " of " + grouped(samples)
		low := v.got
		if f == ackedLost || f == truncated {
			low = 0 // what was not read may lie in the log, or not
		}
		return j.unfinished(p, j.unread(v, low, math.Inf(1)), v.got, math.Inf(1)), nil
	}
}

// samples is how many records could have shown the finding, and what to say where none could: what was not acknowledged
// cannot get lost, and what was not read back could be anything.
func (f finding) samples(c *Counts) (count int64, none string) {
	switch f {
	case ackedLost:
		return c.Acked, "no record was acknowledged"
	case offsetMismatches:
		return max(0, c.Acked-c.NoOffset), "no acknowledgement is known to have told an offset"
	case failedButStored:
		return c.Failed + c.Consumed, "no record failed or was read back"
	default:
		return c.Consumed, "no record was read back"
	}
}

// nothingDue is no value: a phase in which nothing happened proves nothing.
func nothingDue(p phase) value { return absent("no record was due%s", p.in()) }

// in is where a phase is, after a sentence about it; nothing for the whole run.
func (p phase) in() string {
	if p.whole || p.name == "" {
		return ""
	}
	return " in " + p.name
}

// succeeded is the metric success_rate.
func succeeded(j *judge, p phase, _ Expectation) (value, error) {
	counts := countsOf(p.slices)
	if counts.Due == 0 {
		return nothingDue(p), nil
	}
	v := certain(float64(counts.Acked)/float64(counts.Due), counts.Due)
	v.of = " (" + grouped(counts.Acked) + " of " + grouped(counts.Due) + ")"
	kept := j.keptBack(p.slices)
	v = v.delivering(float64(counts.Acked+kept)/float64(counts.Due), kept)
	most := 1.
	if counts.Failed+counts.Unknown > 0 {
		most = math.Nextafter(1, 0) // whatever the rest of the load would have brought, not all succeeded
	}
	return j.unfinished(p, v, 0, most), nil
}

// achievedRate is the metric achieved_rate.
func achievedRate(j *judge, p phase, _ Expectation) (value, error) {
	due := sum(p.slices, func(s *Slice) int64 { return s.Due })
	if due == 0 {
		return nothingDue(p), nil
	}
	handed := handedInTime(p.slices)
	v := certain(float64(handed)/float64(due), due)
	v.of = " (" + grouped(handed) + " of " + grouped(due) + ")"
	kept := j.keptBack(p.slices)
	v = v.delivering(float64(handed+kept)/float64(due), kept)
	return j.unfinished(p, v, 0, 1), nil
}

// handedInTime is how many records due in the slices were handed over before the last of them ended.
func handedInTime(parts []Slice) int64 {
	return sum(parts, func(s *Slice) int64 { return s.handedBefore(parts[len(parts)-1].To) })
}

// handedBefore is how many records due in the slice were handed over before the end of the slice or of a later one.
func (s *Slice) handedBefore(end time.Duration) int64 {
	handed := s.OnTime
	for _, later := range s.Later {
		if later.By <= end {
			handed += later.Count
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
		kept := j.keptBack(p.slices)
		most := math.Inf(1)
		if acked := sum(p.slices, func(s *Slice) int64 { return s.Acked }); acked > 0 {
			most = v.got * float64(acked+kept) / float64(acked)
		}
		v = v.delivering(most, kept)
		return j.unfinished(p, v, 0, math.Inf(1)), nil
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
	return j.unfinished(p, v, v.low, math.Inf(1)), nil
}
