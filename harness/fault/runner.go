// Package fault hurts the brokers and the way to them, on schedule, and heals what it hurt.
//
// It takes the faults of a scenario (Spec), which Validate has found good, and a Field: the cluster, the links in front
// of it and the run's clock. It gives the Life of each fault: when it was injected, when its effect was first seen, when
// it was proven healed, when acknowledgements came again, and what it hit. It does not know who produces, what was sent,
// or what any of it proves.
//
//	schedule ─▶ inject ─▶ hits > 0 ─▶ wait ─▶ undo ─▶ a probe succeeds ─▶ an acknowledgement
//	            InjectedAt  ProvenAt                     HealedAt            ResumedAt
//
// Everything that was injected is healed, whatever happens: at the end of `for`, when the run ends, after an error, after
// a panic; the last first. What cannot be proven healed is an error.
//
// The kinds of fault are a table (Kinds). Those between client and broker live in the links: one TCP proxy per broker,
// in this process (Links), which understands no more of Kafka than lengths, API keys and correlation ids.
package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// Field is where faults take place.
type Field struct {
	Cluster *broker.Cluster
	Links   *Links               // nil: the run has none
	Clock   func() time.Duration // since the start of the first stage; monotonic

	// Leader is the broker that leads a partition now, by its place in Cluster.Nodes.
	Leader func(ctx context.Context, topic string, partition int32) (node int, err error)

	HealTimeout time.Duration // for one fault to be undone, and again to be proven healed
	Seed        uint64
}

// Runner plays the faults of a run. A nil *Runner is a run without faults. Its methods are safe for concurrent use.
type Runner struct {
	field  Field
	effect func(Spec, []int, Field, *rand.Rand) (effect, error) // newEffect

	awaiting atomic.Int64 // faults healed and without an acknowledgement since: what Acked looks at first

	mutex  sync.Mutex
	faults []*playing // in the order of the scenario; the slice never changes
	begun  []*playing // those injected, or half injected, in order
}

// NewRunner prepares to play faults in which Validate has found no problem.
func NewRunner(specs []Spec, field Field) *Runner {
	r := &Runner{field: field, effect: newEffect}
	for i, spec := range specs {
		row, _ := spec.Do.Row()
		r.faults = append(r.faults, &playing{
			spec: spec, row: row, undone: make(chan struct{}),
			random: rand.New(rand.NewPCG(field.Seed, uint64(i))),
			life: Life{
				Name: spec.Name, Do: string(spec.Do), Target: spec.Target.String(), Proof: row.Proof,
				InjectedAt: Never, ProvenAt: Never, HealedAt: Never, ResumedAt: Never,
			},
		})
	}
	return r
}

// Run plays the schedule and returns when every fault has had its time and was proven healed. When ctx ends, or a fault
// gives an error or panics, what is still ahead is left out, and everything in effect is undone and then proven healed,
// the last injected first, each within Field.HealTimeout. The error says what could not be injected, undone or proven
// healed; the end of ctx is none.
func (r *Runner) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(r.faults))
	var group sync.WaitGroup
	for i, f := range r.faults {
		group.Go(func() {
			errs[i] = r.guard(f, func() error { return r.play(ctx, f) })
			if errs[i] != nil {
				stop()
			}
		})
	}
	group.Wait()
	return errors.Join(append(errs, r.healAll(ctx))...)
}

// healAll undoes what is still in effect, and proves all of it healed. Nothing is in play any more.
func (r *Runner) healAll(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(r.begun) {
		if f.inEffect() {
			errs = append(errs, r.guard(f, func() error { return r.undo(ctx, f) }))
		}
		if f.inEffect() {
			r.enter(f, given) // undoing it panicked
		}
	}
	for _, f := range slices.Backward(r.begun) {
		if f.state == undone {
			errs = append(errs, r.guard(f, func() error { return r.prove(ctx, f) }))
		}
	}
	return errors.Join(errs...)
}

// guard names the fault in its error, and makes a panic an error: others still have to be healed.
func (r *Runner) guard(f *playing, step func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
		if err != nil {
			err = fmt.Errorf("fault %s: %w", f.spec.Name, err)
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
	if !r.await(ctx, f, over) {
		return nil
	}
	if err := r.undo(ctx, f); err != nil {
		return err
	}
	return r.prove(ctx, f)
}

// watchEvery is how often a fault in force is looked at for its first hit.
const watchEvery = 5 * time.Millisecond

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

func (r *Runner) inject(ctx context.Context, f *playing) error {
	ctx, cancel := context.WithTimeout(ctx, r.field.HealTimeout)
	defer cancel()
	nodes, target, err := r.resolve(ctx, f.spec.Target)
	if err != nil {
		return err
	}
	effect, err := r.effect(f.spec, nodes, r.field, f.random)
	if err != nil {
		return err
	}
	r.mutex.Lock()
	f.nodes, f.effect, f.state = nodes, effect, injecting
	f.life.Target, f.life.InjectedAt = target, r.field.Clock()
	r.begun = append(r.begun, f)
	r.mutex.Unlock()
	if err := effect.inject(ctx); err != nil {
		return err
	}
	r.enter(f, injected)
	return nil
}

// resolve finds the brokers that are meant now.
func (r *Runner) resolve(ctx context.Context, target Target) (nodes []int, resolved string, err error) {
	brokers := len(r.field.Cluster.Nodes())
	if target.All {
		for node := range brokers {
			nodes = append(nodes, node)
		}
		return nodes, target.String(), nil
	}
	node := target.Broker - 1
	if target.Leader {
		node, err = r.field.Leader(ctx, target.Topic, target.Partition)
		if err != nil {
			return nil, "", fmt.Errorf("find the %s: %w", target, err)
		}
	}
	if node < 0 || node >= brokers {
		return nil, "", fmt.Errorf("there is no broker %d", node+1)
	}
	return []int{node}, Target{Broker: node + 1}.String(), nil
}

// undo takes the effect back. It outlives ctx, and tries again until the deadline.
func (r *Runner) undo(ctx context.Context, f *playing) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.field.HealTimeout)
	defer cancel()
	err := again(ctx, func() error { return f.effect.undo(ctx) })
	if err != nil {
		r.enter(f, given)
		return fmt.Errorf("heal: not undone within %s: %w", r.field.HealTimeout, err)
	}
	r.enter(f, undone)
	return nil
}

// prove waits until the targets are well. While another fault lets no connection through to them that cannot be seen:
// the deadline starts anew when that one has been undone. Where ctx ends before, healAll proves the rest.
func (r *Runner) prove(ctx context.Context, f *playing) error {
	for {
		if other := r.severing(f); other != nil {
			select {
			case <-other.undone:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		severed := false
		proving, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.field.HealTimeout)
		err := again(proving, func() error {
			err := f.effect.healed(proving)
			if err != nil && r.severing(f) != nil {
				severed = true
				cancel()
			}
			return err
		})
		cancel()
		switch {
		case err == nil:
			r.enter(f, healed)
			return nil
		case !severed:
			r.enter(f, given)
			return fmt.Errorf("heal: not proven within %s: %w", r.field.HealTimeout, err)
		}
	}
}

// severing finds another fault in effect that lets no connection through to a target of f.
func (r *Runner) severing(f *playing) *playing {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, other := range r.begun {
		if other != f && other.row.severs && other.inEffect() &&
			slices.ContainsFunc(f.nodes, func(node int) bool { return slices.Contains(other.nodes, node) }) {
			return other
		}
	}
	return nil
}

// again takes a step until it succeeds or ctx ends, and returns the last error that was not ctx's own doing.
func again(ctx context.Context, step func() error) error {
	const most = 100 * time.Millisecond
	var last error
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, most) {
		err := step()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if !pause(ctx, wait) {
			return last
		}
	}
}

// pause waits, and says whether ctx still lives.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
