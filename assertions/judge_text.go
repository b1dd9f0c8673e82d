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
	pieces, err := j.pieces(metric, e, j.phase(e.Scope, metric.timed), 0)
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

// exact are the significant digits of a figure in a sentence, so that what just misses a limit does not look like it.
const exact = 6

// span writes a length of time in seconds with the unit that suits it: 61.2 ms.
func span(s float64) string {
	if s == 0 {
		return "0 s" // a sentence needs the unit
	}
	return human(s, "s", exact, " ")
}

// percent writes a share: 99.9%.
func percent(share float64) string { return human(share, hundredths, exact, " ") }

// grouped writes a whole number with its thousands apart: 120,000.
func grouped(n int64) string { return thousands(strconv.FormatInt(n, 10)) }

// figure writes a figure with its unit.
func figure(v float64, m measure) string {
	if math.IsInf(v, 0) {
		return "more than can be measured"
	}
	unit := ""
	switch m.kind {
	case share:
		unit = hundredths
	case duration:
		if !m.slope {
			return span(v)
		}
		unit = "s"
	case size, sizeRate:
		unit = "B"
	}
	switch {
	case m.slope:
		unit += "/h"
	case m.perSecond():
		unit += "/s"
	}
	return human(v, unit, exact, " ")
}
