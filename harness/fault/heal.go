package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

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

// prove waits until the targets are well. While another fault lets no answer through from them nobody looks: that fault
// would count it as a hit. While another fault keeps other brokers out of the cluster they may be well or not, and the
// deadline starts anew until it does not. Where ctx ends before, healAll proves the rest.
//
// A broker whose container has exited by itself after it was brought back will not be well: nobody waits for the deadline.
// It takes two looks to say so, because another fault may have brought the container back after the first.
func (r *Runner) prove(ctx context.Context, f *playing) error {
	var exits int // looks in a row that found a container exited, with no fault that holds it down
	for {
		if other := r.severing(f); other != nil {
			select {
			case <-other.undone:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		severed, hindered := false, false
		proving, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.field.HealTimeout)
		err := again(proving, func() error {
			err := f.effect.healed(proving)
			severed = err != nil && r.severing(f) != nil
			hindering := err != nil && r.hindering(f)
			hindered = hindered || hindering
			if exits++; severed || hindering || !isExited(err) {
				exits = 0
			}
			if severed || hindered && ctx.Err() != nil || exits == 2 {
				cancel()
			}
			return err
		})
		cancel()
		switch {
		case err == nil:
			r.enter(f, healed)
			return nil
		case exits == 2:
			r.enter(f, given)
			return fmt.Errorf("heal: %w", err)
		case hindered && ctx.Err() != nil:
			return nil
		case !severed && !hindered:
			r.enter(f, given)
			return fmt.Errorf("heal: not proven within %s: %w", r.field.HealTimeout, err)
		}
	}
}

func isExited(err error) bool {
	var exited *broker.ExitedError
	return errors.As(err, &exited)
}

// severing finds another fault in effect that lets no answer through from a target of f.
func (r *Runner) severing(f *playing) *playing {
	return r.other(f, func(other *playing) bool {
		return other.row.severs && meet(f.nodes, other.nodes)
	})
}

// hindering says whether another fault in effect keeps brokers out of the cluster that f's targets are to be part of.
func (r *Runner) hindering(f *playing) bool {
	return f.row.joins && r.other(f, func(other *playing) bool { return other.row.downs }) != nil
}

// other finds another fault in effect.
func (r *Runner) other(f *playing, is func(*playing) bool) *playing {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, other := range r.begun {
		if other != f && other.inEffect() && is(other) {
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
