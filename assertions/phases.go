package assertions

import (
	"fmt"
	"slices"
	"time"
)

// phase is the part of a run that an expectation looks at.
type phase struct {
	name   string  // as the language writes it: run, stage hold, outside faults
	whole  bool    // no part at all: counters and findings come from the streams
	slices []Slice // the slices that belong to it
	spans  []Span  // where it begins and ends exactly
	spare  []Span  // outside faults: what a gap must not touch

	unplayed bool   // of a fault that is repeated: some repetition was never injected
	nothing  string // why there is no such phase: the fault was never injected
}

// phase finds what a scope means for a metric.
//
// Without a scope, and during run, latencies and rates look at the judged stages, everything else at the whole run. A
// stage is its whole span. A fault runs from its injection until its healing was proven, or to the end, each time that it
// is repeated. Outside
// faults is every judged stage without any slice that a fault, or the recovery after it, touches.
func (j *judge) phase(scope Scope, timed bool) phase {
	switch scope.Kind {
	case DuringStage:
		return j.stretch("stage "+scope.Name, j.stage(scope.Name).Span)
	case DuringAnomaly:
		return j.stretch("anomaly "+scope.Name, j.anomaly(scope.Name).Span)
	case DuringFault:
		return j.duringFault(scope.Name)
	case OutsideFaults:
		return j.outsideFaults()
	}
	if !timed {
		return phase{name: "run", whole: true, slices: j.Slices, spans: []Span{{0, j.end()}}}
	}
	judged := j.outside(nil)
	return phase{name: "run", slices: judged, spans: joinSlices(judged)}
}

// stretch is the phase of spans. A slice belongs to it when it shares more with one of them than a border; a span without
// length belongs to the slice around it.
func (j *judge) stretch(name string, spans ...Span) phase {
	p := phase{name: name, spans: spans}
	for _, slice := range j.Slices {
		if slices.ContainsFunc(spans, slice.overlaps) {
			p.slices = append(p.slices, slice)
		}
	}
	return p
}

// outsideFaults is every judged stage without the windows of the faults.
func (j *judge) outsideFaults() phase {
	p := phase{name: string(OutsideFaults), spare: j.windows}
	p.slices = j.outside(j.windows)
	p.spans = joinSlices(p.slices)
	if len(p.slices) == 0 {
		p.nothing = "no judged second lies outside the faults"
	}
	return p
}

// outside are the slices of judged stages that touch none of the spans.
func (j *judge) outside(spans []Span) []Slice {
	var found []Slice
	for _, slice := range j.Slices {
		warming := func(s Stage) bool { return !s.Judged && slice.overlaps(s.Span) }
		if !slices.ContainsFunc(spans, slice.overlaps) && !slices.ContainsFunc(j.Stages, warming) {
			found = append(found, slice)
		}
	}
	return found
}

// end is when the load ended: with the last slice, or before, where it was interrupted or cut short.
func (j *judge) end() time.Duration {
	if len(j.Slices) == 0 {
		return j.Run.LoadEnded
	}
	return min(j.Slices[len(j.Slices)-1].To, j.Run.LoadEnded)
}

func (j *judge) stage(name string) Stage {
	return j.Stages[slices.IndexFunc(j.Stages, func(s Stage) bool { return s.Name == name })]
}

func (j *judge) anomaly(name string) Anomaly {
	return j.Anomalies[slices.IndexFunc(j.Anomalies, func(a Anomaly) bool { return a.Name == name })]
}

// where says where in the run a moment lies: in a fault before all else, in a stage otherwise.
func (j *judge) where(at time.Duration) string {
	for _, fault := range j.Faults {
		if life := j.life(fault, fault.HealedAt); fault.InjectedAt != Never && at >= life.From && at <= life.To {
			return fmt.Sprintf("during fault %s [%s]", fault.label(), interval(life))
		}
	}
	for _, stage := range j.Stages {
		if at >= stage.From && at < stage.To {
			return fmt.Sprintf("in stage %s [%s]", stage.Name, interval(stage.Span))
		}
	}
	return "after the load"
}

// overlaps says whether two spans share time. A span without length shares the time of the span around it.
func (s Span) overlaps(other Span) bool {
	if other.From == other.To {
		return s.From <= other.From && other.From < s.To
	}
	return s.From < other.To && other.From < s.To
}

// shared is how much time two spans share.
func (s Span) shared(other Span) time.Duration {
	return max(0, min(s.To, other.To)-max(s.From, other.From))
}

// length is the time between the ends.
func (s Span) length() time.Duration { return s.To - s.From }

// joinSlices joins neighbouring slices to spans.
func joinSlices(parts []Slice) []Span {
	var spans []Span
	for _, part := range parts {
		if last := len(spans) - 1; last >= 0 && spans[last].To == part.From {
			spans[last].To = part.To
			continue
		}
		spans = append(spans, part.Span)
	}
	return spans
}
