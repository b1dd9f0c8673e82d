package fault

import "time"

// phase is where a fault is in its planned life.
type phase int

const (
	ahead   phase = iota // it has not begun
	inForce              // it has begun and is not to be healed yet
	over                 // it is to be healed
)

// phaseAt is where the fault is to be at a moment of the run, and how long until its next phase. It depends on nothing
// else: what a fault does is late when the machine is, but never shifts what follows.
func (s Spec) phaseAt(elapsed time.Duration) (now phase, left time.Duration) {
	switch end := s.At + s.For; {
	case elapsed < s.At:
		return ahead, s.At - elapsed
	case elapsed < end:
		return inForce, end - elapsed
	default:
		return over, 0
	}
}
