package assertions

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// label names the fault, and which time it was where it is repeated: crash #7.
func (f Fault) label() string {
	if f.Repetition == 0 {
		return f.Name
	}
	return fmt.Sprintf("%s #%d", f.Name, f.Repetition)
}

// lives are the lives of the fault of a name: one, or one for each repetition.
func (j *judge) lives(name string) []Fault {
	var lives []Fault
	for _, fault := range j.Faults {
		if fault.Name == name {
			lives = append(lives, fault)
		}
	}
	return lives
}

// faultNames are the names of the faults, in the order of the scenario.
func (j *judge) faultNames() []string {
	var names []string
	for _, fault := range j.Faults {
		if fault.Repetition <= 1 {
			names = append(names, fault.Name)
		}
	}
	return names
}

// life is the time from a fault's injection to a later moment of it, or to the end of the run where that never came.
func (j *judge) life(fault Fault, until time.Duration) Span {
	if until == Never {
		until = max(j.end(), fault.InjectedAt)
	}
	return Span{fault.InjectedAt, until}
}

// faultWindows are the times from each fault's injection until acknowledgements progressed again.
func (j *judge) faultWindows() []Span {
	var windows []Span
	for _, fault := range j.Faults {
		if fault.InjectedAt != Never {
			windows = append(windows, j.life(fault, fault.ResumedAt))
		}
	}
	return windows
}

// duringFault is the phase of a fault: of all its lives.
func (j *judge) duringFault(name string) phase {
	lives := j.lives(name)
	var spans []Span
	for _, fault := range lives {
		if fault.InjectedAt != Never {
			spans = append(spans, j.life(fault, fault.HealedAt))
		}
	}
	if len(spans) == 0 {
		return phase{name: "fault " + name, nothing: fmt.Sprintf("fault %s was never injected", name)}
	}
	p := j.stretch("fault "+name, spans...)
	p.unplayed = len(spans) < len(lives)
	return p
}

// unprovenFaults says which faults prove nothing, and why. What is so of many repetitions of a fault is said once: each has
// to bite, whatever the others did.
func (j *judge) unprovenFaults() []string {
	var reasons []string
	for _, name := range j.faultNames() {
		lives := j.lives(name)
		for _, doubt := range []struct {
			is  func(Fault) bool
			why func(Fault) string
		}{
			{
				func(f Fault) bool { return f.InjectedAt == Never },
				func(Fault) string { return "was never injected" },
			},
			{
				func(f Fault) bool { return f.InjectedAt != Never && f.Hits == 0 },
				func(f Fault) string { return fmt.Sprintf("touched nothing (%s: 0)", cmp.Or(f.Proof, "hits")) },
			},
			{
				func(f Fault) bool { return f.InjectedAt != Never && f.Hits > 0 && f.ProvenAt == Never },
				func(Fault) string { return "was not proven: its effect was not seen" },
			},
			{
				func(f Fault) bool {
					return f.Proven() && f.HealedAt != Never && f.ResumedAt == Never && j.handedAfter(f) > 0
				},
				func(f Fault) string {
					return fmt.Sprintf("was healed at %s, and no record handed over afterwards was acknowledged", moment(f.HealedAt))
				},
			},
		} {
			found := slices.DeleteFunc(slices.Clone(lives), func(f Fault) bool { return !doubt.is(f) })
			if len(found) > 0 {
				reasons = append(reasons, fmt.Sprintf("fault %s %s", name, doubt.why(found[0]))+among(found, lives))
			}
		}
	}
	return reasons
}

// among says of how many repetitions of a fault something is so, and of which first. Of a fault that is not repeated it
// says nothing.
func among(found, lives []Fault) string {
	switch {
	case lives[0].Repetition == 0:
		return ""
	case len(found) == 1:
		return fmt.Sprintf(", in repetition %d of %d", found[0].Repetition, len(lives))
	default:
		return fmt.Sprintf(", in %d of %d repetitions, first in repetition %d", len(found), len(lives), found[0].Repetition)
	}
}

// handedAfter counts the records handed over in slices after a fault's healing.
func (j *judge) handedAfter(fault Fault) int64 {
	return sum(j.Slices, func(s *Slice) int64 {
		if s.From < fault.HealedAt {
			return 0
		}
		return s.Sent
	})
}
