package fault

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Never stands for a moment that did not come.
const Never time.Duration = -1

// Life is what happened to one fault, or to one repetition of it. Moments are by the run's clock; one that did not come is
// Never.
type Life struct {
	Name       string
	Repetition int // counted from 1; 0: the fault is not repeated
	Do         string
	Target     string        // as resolved: broker 2. As the scenario has it until the fault is injected
	InjectedAt time.Duration // when injecting began
	ProvenAt   time.Duration // when its effect was first seen
	HealedAt   time.Duration // when the healing was proven
	ResumedAt  time.Duration // first acknowledgement, after healing, of a record handed over after healing
	Hits       int64         // what it touched
	Proof      string        // what the hits are
}

// playing is a fault, or one repetition of it, and how far it has come. The runner's mutex guards what changes, except that
// the goroutine that plays the fault may read what only it writes.
type playing struct {
	place  int // among all lives, in the order of the scenario
	spec   Spec
	row    Row
	random *rand.Rand
	nodes  []int
	effect effect
	life   Life
	state  state
	undone chan struct{} // closed when it has no effect any more
}

type state int

const (
	scheduled state = iota
	injecting
	injected
	undone
	healed
	given // up: it could not be undone or proven healed
)

// inEffect says whether there is something of the fault to undo.
func (f *playing) inEffect() bool { return f.state == injecting || f.state == injected }

// see notes when the effect of a fault was first seen.
func (r *Runner) see(f *playing) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if f.life.ProvenAt == Never {
		f.life.ProvenAt = r.field.Clock()
	}
}

// enter moves a fault to its next state, and notes what only that moment knows.
func (r *Runner) enter(f *playing, next state) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if f.inEffect() && next > injected {
		f.life.Hits = f.effect.hits()
		if f.life.Hits > 0 && f.life.ProvenAt == Never {
			f.life.ProvenAt = r.field.Clock()
		}
	}
	f.state = next
	switch next {
	case undone:
		close(f.undone)
	case healed:
		f.life.HealedAt = r.field.Clock()
		r.awaiting.Add(1)
	}
}

// Acked is told of every acknowledgement: when the record was handed over, and when it was acknowledged. It costs next
// to nothing unless a fault was healed and waits for the first one.
func (r *Runner) Acked(handed, at time.Duration) {
	if r == nil || r.awaiting.Load() == 0 {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, f := range r.faults {
		if f.state == healed && f.life.ResumedAt == Never && handed >= f.life.HealedAt {
			f.life.ResumedAt = at
			r.awaiting.Add(-1)
		}
	}
}

// Current is the name of the fault in effect, the latest where there are several; empty: there is none.
func (r *Runner) Current() string {
	if r == nil {
		return ""
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, f := range slices.Backward(r.begun) {
		if f.inEffect() {
			return f.spec.Name
		}
	}
	return ""
}

// Lives is what has happened so far, in the order of the scenario, the repetitions of a fault one after the other.
func (r *Runner) Lives() []Life {
	if r == nil {
		return nil
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	lives := make([]Life, len(r.faults))
	for i, f := range r.faults {
		lives[i] = f.life
		if f.state == injected {
			lives[i].Hits = f.effect.hits()
		}
	}
	return lives
}
