package assertions

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String writes a judgement as one line: where it was stated, what was expected, and what there is to say about it.
//
//	scenarios/crash.yaml:40: acked_lost == 0: got 3 of 120,000; first device climate-0042 #118 due 4.1 s,
//	during fault crash [4.0 s – 9.3 s]; replay: --set seed=7
func (j Judgement) String() string {
	line := j.Origin + ": " + j.Expectation
	if j.Reason != "" {
		line += ": " + j.Reason
	}
	return line
}

// failure says what was got instead, where, and how to see it again.
func (j *judge) failure(metric Metric, e Expectation, v value) (string, error) {
	place, err := j.place(metric, e, v)
	got := "got " + figure(v.got, metric.measure(e.Aggregate)) + v.of
	return joined(got, place, fmt.Sprintf("replay: --set seed=%d", j.Run.Seed)), err
}

// place says where a failure comes from: the first offender of a finding, what the metric knows itself, or the worst
// slice of what slices carry.
func (j *judge) place(metric Metric, e Expectation, v value) (string, error) {
	switch _, finding := j.Streams[0].Findings[e.Metric]; {
	case finding && v.got > 0 && e.Scope.Kind != Within:
		return j.firstOffender(e), nil
	case v.place != "":
		return v.place, nil
	case metric.scopes != anywhere:
		return "", nil
	}
	pieces, err := j.pieces(metric, e, j.phase(e.Scope, metric.timed))
	worst, telling := e.worst(pieces)
	if err != nil || !telling {
		return "", err
	}
	got := figure(worst.got, metric.measure(e.Aggregate))
	return fmt.Sprintf("worst at %s: %s, %s", interval(worst.Span), got, j.where(worst.From)), nil
}

// firstOffender describes the first offender of a finding that was due in the scope, the readings' before the alerts'.
func (j *judge) firstOffender(e Expectation) string {
	p := j.phase(e.Scope, false)
	for i, stream := range j.Streams {
		for _, offender := range stream.Findings[e.Metric].First {
			inside := func(s Slice) bool { return s.From <= offender.Due && offender.Due < s.To }
			if !p.whole && !slices.ContainsFunc(p.slices, inside) {
				continue
			}
			text := "first " + offender.String()
			if i > 0 {
				text = "first in the " + stream.Name + ": " + offender.String()
			}
			if offender.Due != Never {
				text += ", " + j.where(offender.Due)
			}
			if offender.Note != "" {
				text += " (" + offender.Note + ")"
			}
			return text
		}
		if !p.whole {
			break // slices count the readings
		}
	}
	return ""
}

// String names the offender: device climate-0042 #118 due 4.1 s, or where it lies, if no device is known.
func (o Offender) String() string {
	if o.Device == "" {
		return fmt.Sprintf("partition %d offset %d", o.Partition, o.Offset)
	}
	text := "device " + o.Device
	if o.Sequence >= 0 {
		text += fmt.Sprintf(" #%d", o.Sequence)
	}
	if o.Due != Never {
		text += " due " + moment(o.Due)
	}
	return text
}

// gapPlace says where and when nothing was acknowledged.
func gapPlace(g Gap) string {
	if g.Partition == nowhere {
		return "all partitions, " + interval(g.Span)
	}
	return fmt.Sprintf("partition %d, %s", g.Partition, interval(g.Span))
}

// bound is the expectation without its scope.
func (e Expectation) bound() string {
	e.Scope = Scope{}
	return e.String()
}

// joined puts two parts of a sentence together where both exist.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// moment writes a time since the start of the first stage: 4.1 s.
func moment(at time.Duration) string { return fmt.Sprintf("%.1f s", seconds(at)) }

// exactly writes a time since the start of the first stage where a tenth of a second matters: 4.083 s.
func exactly(at time.Duration) string { return fmt.Sprintf("%.3f s", seconds(at)) }

// interval writes a span: 4.0 s – 9.3 s.
func interval(s Span) string { return moment(s.From) + " – " + moment(s.To) }

// span writes a length of time in seconds with the unit that suits it: 61.2 ms.
func span(s float64) string {
	switch abs := math.Abs(s); {
	case abs >= 1 || abs == 0:
		return digits6(s) + " s"
	case abs >= 1e-3:
		return digits6(s*1e3) + " ms"
	default:
		return digits6(s*1e6) + " µs"
	}
}

// percent writes a share: 99.9%.
func percent(share float64) string { return digits6(share*100) + "%" }

// grouped writes a whole number with its thousands apart: 120,000.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(digits) - 3; i > first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// digits6 writes a number with six significant digits at most, so that what just misses a limit does not look like it.
func digits6(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return grouped(int64(v))
	}
	if math.Abs(v) >= 1e6 {
		return grouped(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// figure writes a figure with its unit.
func figure(v float64, m measure) string {
	if math.IsInf(v, 0) {
		return "more than can be measured"
	}
	var text string
	switch m.kind {
	case share:
		text = percent(v)
	case duration:
		text = span(v)
	case size, sizeRate:
		text = binary(v)
	default:
		text = digits6(v)
	}
	switch {
	case m.slope:
		text += "/h"
	case m.kind == rate || m.kind == sizeRate:
		text += "/s"
	}
	return text
}

// binary writes a number of bytes: 1.5 MiB.
func binary(v float64) string {
	unit := "B"
	for _, larger := range []string{"KiB", "MiB", "GiB"} {
		if math.Abs(v) < 1<<10 {
			break
		}
		v, unit = v/(1<<10), larger
	}
	return digits6(v) + " " + unit
}
