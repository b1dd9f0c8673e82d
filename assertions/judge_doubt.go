package assertions

import (
	"fmt"
	"math"
	"time"
)

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

// unfinished widens a value of a phase that was not played to its end by what the rest of it could have shown.
func (j *judge) unfinished(p phase, v value, low, high float64) value {
	if !j.cuts(p) {
		return v
	}
	return v.between(low, high, j.cutWhy())
}

// cuts says whether the load ended early and before the phase was over. What was over by then is known.
func (j *judge) cuts(p phase) bool {
	switch {
	case !j.endedEarly():
		return false
	case p.unplayed:
		return true
	}
	last := time.Duration(0)
	for _, span := range p.spans {
		last = max(last, span.To)
	}
	for i := range p.slices {
		last = max(last, p.slices[i].To)
	}
	return last >= j.Run.LoadEnded
}

// endedEarly says whether the load was not played to its end, whoever ended it. Who interrupts a run after its load was
// played has only been impatient.
func (j *judge) endedEarly() bool { return j.Run.CutShort != "" || j.Run.LoadEnded < j.planned() }

// planned is when the load was to end.
func (j *judge) planned() time.Duration {
	if len(j.Stages) == 0 {
		return 0
	}
	return j.Stages[len(j.Stages)-1].To
}

// cutWhy says why the load ended early.
func (j *judge) cutWhy() string {
	if j.Run.CutShort != "" {
		return fmt.Sprintf("the load was cut short at %s: %s", moment(j.Run.LoadEnded), j.Run.CutShort)
	}
	how := "ended"
	if j.Run.Interrupted {
		how = "was interrupted"
	}
	return fmt.Sprintf("the load %s at %s of %s, and what was left of it is not known", how, moment(j.Run.LoadEnded), moment(j.planned()))
}

// keptBack is how many records were never handed over through no fault of the client, at most: those that the generator
// was late with beyond the time that the client blocked, and those that a stall of the machine can have held up.
func (j *judge) keptBack(parts []Slice) int64 {
	var total int64
	for i := range parts {
		s := &parts[i]
		var held float64
		for _, stall := range j.Stalls {
			held += s.heldUp(stall)
		}
		total += min(s.Unsent, s.Late+int64(math.Ceil(held)))
	}
	return total
}

// delivering raises a rate to what it would be at most if the records that the harness kept back had been handed over.
func (v value) delivering(high float64, kept int64) value {
	if kept == 0 {
		return v
	}
	return v.between(v.low, high, fmt.Sprintf(
		"%s records were not handed over, which can be the fault of the harness", grouped(kept)))
}

// heldUp is how many records of a slice a stall can have held up: those that fell due in it and those on their way when
// it began. How long those had been on their way is not known. It is taken to be the stall's own length, a second at
// most: what is missed then had been slow before the stall, or is hardly slower for it.
func (s *Slice) heldUp(stall Stall) float64 {
	if s.length() <= 0 {
		return 0
	}
	reach := Span{stall.From - min(stall.length(), time.Second), stall.To}
	return float64(s.Due) * float64(s.shared(reach)) / float64(s.length())
}
