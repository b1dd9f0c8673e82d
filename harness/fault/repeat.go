package fault

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Repeat has a fault come again. Each repetition has a life of its own, and has to bite: one that touched nothing is not
// made good by the others.
type Repeat struct {
	Every time.Duration `yaml:"every"` // from the beginning of one repetition to that of the next
	Times *int          `yaml:"times"` // how often in all; without it, as often as fits before the load ends
}

// MaxRepetitions is how often those faults of a scenario that are repeated may come in all: ten hours of one a minute. Each
// is told apart in the evidence, which has to stay a file that can be sent around.
const MaxRepetitions = 600

// breath is the least time from the end of a repetition to the beginning of the next: its healing is proven in it, and
// something is outside faults. Brokers that were down need longer (healing).
const breath = time.Second

// Times is how often the fault comes in a world whose load ends at a moment: once, unless it is repeated. It is meant for a fault
// in which Validate has found no problem; of any other it is at most MaxRepetitions + 1.
func (s Spec) Times(world World) int {
	switch {
	case s.Repeat == nil:
		return 1
	case s.Repeat.Times != nil:
		return min(max(1, *s.Repeat.Times), MaxRepetitions+1)
	default:
		return min(s.fit(world, s.rest(world)), MaxRepetitions+1)
	}
}

// Begin is when the fault begins for the nth time, counted from 0.
func (s Spec) Begin(n int) time.Duration {
	if s.Repeat == nil {
		return s.At
	}
	return s.At + time.Duration(n)*s.Repeat.Every
}

// fit is how many repetitions are over, each with so much time behind it, before the load ends.
func (s Spec) fit(world World, behind time.Duration) int {
	left := world.End - s.At - s.For - behind
	if s.Repeat.Every <= 0 || left < 0 {
		return 1
	}
	return int(left/s.Repeat.Every) + 1
}

// rest is how long after its end the fault may come again.
func (s Spec) rest(world World) time.Duration {
	if o, downs := s.planned(world); downs {
		return o.healed - s.At - s.For
	}
	return breath
}

// once is the nth repetition of the fault, counted from 0, by itself.
func (s Spec) once(n int) Spec {
	s.At, s.Repeat = s.Begin(n), nil
	return s
}

// occurrence is one of the times that a fault comes.
type occurrence struct {
	Spec      // by itself
	fault int // its place among the faults
}

// occurrences are all the times that faults come, in the order in which they begin.
func occurrences(specs []Spec, world World) []occurrence {
	var all []occurrence
	for i, spec := range specs {
		for n := range spec.Times(world) {
			all = append(all, occurrence{spec.once(n), i})
		}
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return cmp.Compare(a.At, b.At) })
	return all
}

// validateRepeat finds what is wrong with how the fault is repeated.
func (s Spec) validateRepeat(row Row, world World) []Problem {
	if s.Repeat == nil {
		return nil
	}
	if !row.Repeats() {
		return []Problem{{Field: "repeat", Problem: fmt.Sprintf("does not apply to %s", row.Kind), Remedy: "what it does is there to stay: write one fault for each time"}}
	}
	var problems []Problem
	add := func(field, remedy, problem string, arguments ...any) {
		problems = append(problems, Problem{Field: "repeat." + field, Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy})
	}
	every, least := s.Repeat.Every, s.For+s.rest(world)
	if every < least {
		add("every", s.whyLeast(world), "must be at least %s, got %s", least, every)
		return problems
	}
	switch times := s.Repeat.Times; {
	case times == nil:
	case *times < 1:
		add("times", "leave it out for as often as fits before the load ends", "must be at least 1, got %d", *times)
	case world.End > 0 && s.At+s.For <= world.End && *times > s.fit(world, 0):
		add("times", "leave it out for as often as fits", "must be at most %d, for the last to be over when the load ends, at %s, got %d",
			s.fit(world, 0), world.End, *times)
	}
	return problems
}

// whyLeast says what a fault needs until it may come again.
func (s Spec) whyLeast(world World) string {
	if _, downs := s.planned(world); downs {
		return fmt.Sprintf("it lasts %s, and brokers that were down are reckoned to need %s until they take part again", s.For, s.rest(world))
	}
	return fmt.Sprintf("it lasts %s, and %s are for it to heal and for what is outside faults", s.For, breath)
}

// tooMany finds the fault with which faults that are repeated come more often than they may, if there is one.
func tooMany(specs []Spec, world World) (place int, many bool) {
	all := 0
	for i, spec := range specs {
		if spec.Repeat == nil {
			continue
		}
		if all += spec.Times(world); all > MaxRepetitions {
			return i, true
		}
	}
	return 0, false
}
