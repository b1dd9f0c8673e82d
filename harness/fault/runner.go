// Package fault hurts the brokers and the way to them, on schedule, and heals what it hurt.
//
// It takes the faults of a scenario (Spec), which Validate and Conflicts have found good, and a Field: the cluster, the
// links in front of it and the run's clock. It gives the Life of each fault: when it was injected, when its effect was
// first seen, when it was proven healed, when acknowledgements came again, and what it hit. It does not know who produces,
// what was sent, or what any of it proves.
//
//	schedule ─▶ inject ─▶ hits > 0 ─▶ wait ─▶ undo ─▶ a probe succeeds ─▶ an acknowledgement
//	            InjectedAt  ProvenAt                     HealedAt            ResumedAt
//
// A fault that is repeated (Repeat) has so many lives, one after the other.
//
// Everything that was injected is healed, whatever happens: at the end of `for`, when the run ends, after an error, after
// a panic; the last first. What cannot be proven healed is an error.
//
// The kinds of fault are a table (Kinds). Those between client and broker live in the links: one TCP proxy per broker,
// in this process (Links), which understands no more of Kafka than lengths, API keys and correlation ids. Those that take
// a broker down do so to its container; those that only move things ask the cluster, past the links (admin).
//
// Faults may overlap. What they take down together is held against what the topics promise, before anything starts
// (Conflicts) and once more when a fault is to begin: it waits until there is room for it, unless it says allow_loss.
package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// Field is where faults take place.
type Field struct {
	World   World // what the faults have been held against
	Cluster *broker.Cluster
	Links   *Links               // nil: the run has none
	Clock   func() time.Duration // since the start of the first stage; monotonic

	// Grows is told before a topic gets more partitions; nil: nobody asks.
	Grows func(topic string, partitions int)

	HealTimeout time.Duration // for one fault to be undone, and again to be proven healed
	Seed        uint64

	leader func(ctx context.Context, target Target) (node int, err error) // who leads the target now: askLeader
	seen   func()                                                         // tells the runner that the effect of the fault has been seen
}

// Runner plays the faults of a run. A nil *Runner is a run without faults. Its methods are safe for concurrent use.
type Runner struct {
	field  Field
	effect func(Spec, []int, Field, *rand.Rand) (effect, error) // newEffect

	awaiting atomic.Int64 // faults healed and without an acknowledgement since: what Acked looks at first

	series [][]*playing // by fault; the slices never change

	mutex  sync.Mutex
	faults []*playing // all of them, in the order of the scenario; the slice never changes
	begun  []*playing // those injected, or half injected, in order
}

// NewRunner prepares to play faults in which neither Validate nor Conflicts has found a problem.
func NewRunner(specs []Spec, field Field) *Runner {
	field.leader = field.askLeader
	r := &Runner{field: field, effect: newEffect}
	for _, spec := range specs {
		row, _ := spec.Do.Row()
		begin := len(r.faults)
		for n := range spec.Times(field.World) {
			place := len(r.faults)
			f := &playing{
				place: place, spec: spec.once(n), row: row, undone: make(chan struct{}),
				random: rand.New(rand.NewPCG(field.Seed, uint64(place))),
				life: Life{
					Name: spec.Name, Do: string(spec.Do), Target: spec.Target.String(), Proof: row.Proof,
					InjectedAt: Never, ProvenAt: Never, HealedAt: Never, ResumedAt: Never,
				},
			}
			if spec.Repeat != nil {
				f.life.Repetition = n + 1
			}
			r.faults = append(r.faults, f)
		}
		r.series = append(r.series, r.faults[begin:])
	}
	return r
}

// Run plays the schedule and returns when every fault has had its time and was proven healed. When ctx ends, or a fault
// gives an error or panics, what is still ahead is left out, and everything in effect is undone and then proven healed,
// the last injected first, each within Field.HealTimeout. The error says what could not be injected, undone or proven
// healed; the end of ctx is none.
func (r *Runner) Run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(r.series))
	var group sync.WaitGroup
	for i, series := range r.series {
		group.Go(func() {
			if errs[i] = r.playSeries(ctx, series); errs[i] != nil {
				stop()
			}
		})
	}
	group.Wait()
	return errors.Join(append(errs, r.healAll(ctx))...)
}

// playSeries plays a fault as often as it comes, one life after the other. A repetition whose time was over before the one
// before it was healed is left out: it would be undone as soon as it is injected.
func (r *Runner) playSeries(ctx context.Context, series []*playing) error {
	for i, f := range series {
		if now, _ := f.spec.phaseAt(r.field.Clock()); i > 0 && now == over && f.spec.For > 0 {
			continue
		}
		if err := r.guard(f, func() error { return r.play(ctx, f) }); err != nil {
			return err
		}
	}
	return nil
}

// guard names the fault in its error, and makes a panic an error: others still have to be healed.
func (r *Runner) guard(f *playing, step func() error) error {
	err := withoutPanic(step)
	switch {
	case err == nil:
		return nil
	case f.life.Repetition > 0:
		return fmt.Errorf("fault %s, repetition %d: %w", f.spec.Name, f.life.Repetition, err)
	default:
		return fmt.Errorf("fault %s: %w", f.spec.Name, err)
	}
}

func withoutPanic(step func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return step()
}

// play lives the life of one fault. Where ctx ends it leaves the rest to healAll.
func (r *Runner) play(ctx context.Context, f *playing) error {
	if !r.await(ctx, f, inForce) {
		return nil
	}
	if err := r.inject(ctx, f); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("inject: %w", err)
	}
	if !f.inEffect() || !r.await(ctx, f, over) {
		return nil
	}
	if err := r.undo(ctx, f); err != nil {
		return err
	}
	return r.prove(ctx, f)
}

const (
	watchEvery = 5 * time.Millisecond   // a fault in force is looked at for its first hit
	waitPause  = 100 * time.Millisecond // before a fault that had to wait may begin
)

// await waits until the schedule has the fault in a phase, and watches for its first hit meanwhile. False says that ctx
// ended first.
func (r *Runner) await(ctx context.Context, f *playing, wanted phase) bool {
	for {
		now, left := f.spec.phaseAt(r.field.Clock())
		if now >= wanted {
			return ctx.Err() == nil
		}
		if r.unproven(f) {
			left = min(left, watchEvery)
		}
		if !pause(ctx, left) {
			return false
		}
	}
}

// unproven says whether the fault is in force and has hit nothing yet. It notes the moment when it has.
func (r *Runner) unproven(f *playing) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if f.state != injected || f.life.ProvenAt != Never {
		return false
	}
	if f.effect.hits() == 0 {
		return true
	}
	f.life.ProvenAt = r.field.Clock()
	return false
}

// inject puts a fault into effect as soon as what others did leaves room for it. A fault whose time is over before that
// is left out.
func (r *Runner) inject(ctx context.Context, f *playing) error {
	for {
		begun, err := r.resolve(ctx, f)
		if err != nil {
			return err
		}
		if begun {
			break
		}
		if now, _ := f.spec.phaseAt(r.field.Clock()); now == over && f.spec.For > 0 {
			return nil
		}
		if !pause(ctx, waitPause) {
			return ctx.Err()
		}
	}
	turns := 1
	if f.row.inTurn {
		turns = len(f.nodes)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(turns)*r.field.HealTimeout)
	defer cancel()
	if err := f.effect.inject(ctx); err != nil {
		return err
	}
	r.enter(f, injected)
	return nil
}

// resolve finds out what a fault is to hit, and whether it may begin.
func (r *Runner) resolve(ctx context.Context, f *playing) (begun bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.field.HealTimeout)
	defer cancel()
	nodes, target, err := r.field.resolve(ctx, f.spec)
	if err != nil {
		return false, err
	}
	field := r.field
	field.seen = func() { r.see(f) }
	effect, err := r.effect(f.spec, nodes, field, f.random)
	if err != nil {
		return false, err
	}
	return r.begin(f, nodes, target, effect)
}
