package assertions

import (
	"fmt"
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Judge holds evidence against expectations. It is a pure function: the same evidence and expectations give the same
// result, to the byte, also after the evidence was written down and read back.
//
// The verdict of the run is the most severe of its parts: ERROR where the run itself went wrong or its accounts
// contradict each other, FAIL where an expectation was certainly missed, INCONCLUSIVE where something proves nothing,
// PASS otherwise. Without a record or without an expectation nothing is proven. A load that was interrupted, or that the
// harness itself cut short, is judged as far as it was played: what was found stands, and so does every phase that was
// over by then; that nothing else would have been found is not known, and the run is inconclusive at best.
//
// The error is non-nil where there is nothing to judge: evidence of another format or without the stream of the
// readings, or with a histogram that cannot be read, or an expectation that does not parse or has no meaning in this
// run.
func Judge(evidence *Evidence, stated []Stated) (*Result, error) {
	if evidence.Format != EvidenceFormat {
		return nil, fmt.Errorf("judge evidence: want format %d, got %d", EvidenceFormat, evidence.Format)
	}
	if len(evidence.Streams) == 0 {
		return nil, fmt.Errorf("judge evidence: no stream of readings in it")
	}
	j := &judge{Evidence: evidence, merged: make(map[string]merged)}
	j.windows = j.faultWindows()
	claims, err := j.claims(stated)
	if err != nil {
		return nil, err
	}

	result := j.result()
	for _, claim := range claims {
		judgement, err := j.judge(claim)
		if err != nil {
			return nil, fmt.Errorf("judge evidence: %s: %w", claim, err)
		}
		result.Expectations = append(result.Expectations, judgement)
		result.Verdict = max(result.Verdict, judgement.Verdict)
	}
	if result.Latencies, err = j.latencies(); err != nil {
		return nil, fmt.Errorf("judge evidence: %w", err)
	}
	broken, unproven := j.broken(), j.unproven(len(claims))
	result.Reasons = append(append(result.Reasons, broken...), unproven...)
	switch {
	case len(broken) > 0:
		result.Verdict = Error
	case len(unproven) > 0:
		result.Verdict = max(result.Verdict, Inconclusive)
	}
	return result, nil
}

// judge is one look at one run's evidence.
type judge struct {
	*Evidence
	windows    []Span            // of the faults, with the recovery after them
	objectives []Expectation     // those stated as within … after fault …
	merged     map[string]merged // histograms by metric and slices, because merging them is most of the work
}

// merged is a histogram of a whole phase.
type merged struct {
	*hdrhistogram.Histogram
	beyond int64
}

// claim is one expectation to be judged, and where it comes from.
type claim struct {
	Expectation
	origin  string
	promise string // why it is promised, where it is
}

// String names the claim for an error.
func (c claim) String() string { return c.origin + ": " + c.Expectation.String() }

// claims parses what was stated and writes promised out.
func (j *judge) claims(stated []Stated) ([]claim, error) {
	names := Names{Setting: j.Setting, Faults: j.faultNames()}
	for _, stage := range j.Stages {
		names.Stages = append(names.Stages, stage.Name)
	}
	for _, anomaly := range j.Anomalies {
		names.Anomalies = append(names.Anomalies, anomaly.Name)
	}
	var claims []claim
	for _, s := range stated {
		e, err := ParseExpectation(s.Text)
		if err == nil {
			err = e.Check(names)
		}
		if err != nil {
			return nil, fmt.Errorf("judge evidence: %s: %s: %w", s.Origin, s.Text, err)
		}
		if !e.Promised {
			claims = append(claims, claim{Expectation: e, origin: s.Origin})
		} else {
			for _, promise := range promises(j.Setting) {
				claims = append(claims, claim{promise.zero(), s.Origin, "promised: " + promise.reason})
			}
		}
		if e.Scope.Kind == Within {
			j.objectives = append(j.objectives, e)
		}
	}
	return claims, nil
}

// value is what the evidence says. The truth lies between low and high; where they differ, why says what keeps it from
// being known better.
type value struct {
	got       float64 // as observed; infinite where it lies beyond what can be measured
	low, high float64
	why       string
	nothing   string // why there is no figure: everything else is zero then
	samples   int64  // what got was computed from
	of        string // said after the figure: of 120 000
	place     string // where it comes from, where the metric knows that: partition 3 from 4.0 s to 9.3 s
}

// certain is a value known exactly.
func certain(got float64, samples int64) value {
	return value{got: got, low: got, high: got, samples: samples}
}

// absent is no value.
func absent(format string, args ...any) value { return value{nothing: fmt.Sprintf(format, args...)} }

// between widens what is known of the truth.
func (v value) between(low, high float64, why string) value {
	v.low, v.high = min(v.low, low), max(v.high, high)
	if v.why == "" {
		v.why = why
	}
	return v
}

// doubtful is a value that proves nothing in any direction.
func (v value) doubtful(why string) value {
	v.why = ""
	return v.between(math.Inf(-1), math.Inf(1), why)
}

// judge judges one expectation.
func (j *judge) judge(c claim) (Judgement, error) {
	metric, err := metricOf(c.Metric)
	if err != nil {
		return Judgement{}, err
	}
	judgement := Judgement{
		Expectation: c.Expectation.String(), Limit: c.Limit.Value, Unit: metric.unit(c.Aggregate), Origin: c.origin,
	}
	v, met, known, err := j.weigh(metric, c.Expectation, &judgement)
	if err != nil {
		return Judgement{}, err
	}
	judgement.Samples = v.samples
	if v.nothing == "" && finite(v.got) {
		judgement.Got = &v.got
	}
	var reason string
	switch {
	case v.nothing != "":
		judgement.Verdict, reason = Inconclusive, v.nothing
	case !known:
		judgement.Verdict, reason = Inconclusive, v.why
	case !met:
		judgement.Verdict = Fail
		if reason, err = j.failure(metric, c.Expectation, v); err != nil {
			return Judgement{}, err
		}
	}
	judgement.Reason = joined(c.promise, reason)
	return judgement, nil
}

// weigh says what was got, whether it meets the limit, and whether that is known.
func (j *judge) weigh(metric Metric, e Expectation, judgement *Judgement) (v value, met, known bool, err error) {
	if e.Scope.Kind == Within {
		return j.weighRecovery(metric, e, judgement)
	}
	p := j.phase(e.Scope, metric.timed)
	if v, err = metric.figureIn(j, p, e); err != nil || v.nothing != "" {
		return v, false, false, err
	}
	met, known = e.Op.holds(v.low, v.high, e.Limit.Value)
	return v, met, known, nil
}

// figureIn is the metric's figure in a phase, in doubt where the load was not the one that was asked for.
func (m Metric) figureIn(j *judge, p phase, e Expectation) (value, error) {
	if p.nothing != "" {
		return absent("%s", p.nothing), nil
	}
	v, err := m.figure(j, p, e)
	if err != nil || v.nothing != "" {
		return v, err
	}
	if m.timed || e.Aggregate == Slope { // what a machine without time to spare leaves waiting takes memory, more and more
		if why := j.shortfall(p); why != "" {
			return v.doubtful(why), nil
		}
	}
	return v, nil
}

// lateShare is the share of records late by the generator's own fault above which rates and latencies prove nothing:
// as many as could decide a p99 on their own.
const lateShare = 0.01

// shortfall says why the load of a phase was not the one that was asked for, which leaves its rates and latencies
// without meaning: too many records late beyond the time that the client blocked, or too few handed over in time while
// the machine had no processor time to spare for the client, or may not have had. What a client misses on a machine that
// had, it misses by itself: then the figures are judged as they are. Records in time are only asked for outside the
// faults' windows, where a hurt cluster does not hold the load up.
func (j *judge) shortfall(p phase) string {
	due := sum(p.slices, func(s *Slice) int64 { return s.Due })
	late := sum(p.slices, func(s *Slice) int64 { return s.Late })
	if float64(late) > lateShare*float64(due) {
		return fmt.Sprintf("the generator fell behind its own schedule: %s of %s records due were late by its fault, more than %s",
			grouped(late), grouped(due), percent(lateShare))
	}
	quiet := slices.DeleteFunc(slices.Clone(p.slices), func(s Slice) bool {
		return slices.ContainsFunc(j.windows, s.overlaps)
	})
	due = sum(quiet, func(s *Slice) int64 { return s.Due })
	if due == 0 {
		return ""
	}
	floor, handed := j.Rules.AchievedFloor*float64(due), float64(handedInTime(quiet))
	if handed >= floor {
		return ""
	}
	excused, why := j.excused(quiet)
	if handed+excused < floor {
		return ""
	}
	return fmt.Sprintf("the load was not kept up: only %s of %s records due outside faults were handed over in time, "+
		"below the floor of %s, %s", percent(handed/float64(due)), grouped(due), percent(j.Rules.AchievedFloor), why)
}

// sum adds one counter up over slices.
func sum(parts []Slice, of func(*Slice) int64) int64 {
	var total int64
	for i := range parts {
		total += of(&parts[i])
	}
	return total
}
