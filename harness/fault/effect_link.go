package fault

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// link is the link of a target.
func (t targets) link(node int) *link { return t.field.Links.links[node] }

// change changes the faults in effect on every target's link.
func (t targets) change(edit func(*linkFaults)) {
	for _, node := range t.nodes {
		t.link(node).change(edit)
	}
}

const (
	glances = 5                // answers through the link, and as many around it, of which the fastest are compared
	ownCost = time.Millisecond // what the link itself may cost an answer; it is some 100 µs on a machine at rest
)

type latencyEffect struct {
	targets
	delay *delay
}

func newLatency(spec Spec, at targets) *latencyEffect {
	d := &delay{latency: *spec.Latency, random: at.field.Links.random()}
	if spec.Jitter != nil {
		d.jitter = *spec.Jitter
	}
	return &latencyEffect{at, d}
}

func (e *latencyEffect) inject(context.Context) error {
	e.change(func(f *linkFaults) { f.delays = append(f.delays, e.delay) })
	return nil
}

func (e *latencyEffect) hits() int64 { return e.delay.hits.Load() }

func (e *latencyEffect) undo(context.Context) error {
	e.change(func(f *linkFaults) { f.delays = without(f.delays, e.delay) })
	return nil
}

// healed compares answers of each target through the link with answers around it, in turn, so that a busy broker or
// machine slows down both: the fastest through the link has to come sooner than the least that the latency would add. The
// links must not have delayed any of them by this fault either, which holds for latencies too small to be seen in time.
// Other latencies may still be in effect on the same link, and are allowed for.
func (e *latencyEffect) healed(ctx context.Context) error {
	for _, node := range e.nodes {
		before := e.delay.held.Load()
		through, around, err := e.fastest(ctx, node)
		if err != nil {
			return err
		}
		if delayed := e.delay.held.Load() - before; delayed > 0 {
			return fmt.Errorf("broker %d: the link has delayed %d more responses", node+1, delayed)
		}
		limit := around + max(e.delay.latency-e.delay.jitter, ownCost) + e.link(node).longest()
		if through >= limit {
			return fmt.Errorf("broker %d answers in %s through the link, not below %s, and in %s around it", node+1, through, limit, around)
		}
	}
	return nil
}

// fastest times answers of a broker through its link and around it.
func (e *latencyEffect) fastest(ctx context.Context, node int) (through, around time.Duration, err error) {
	through, around = math.MaxInt64, math.MaxInt64
	timed := func(fastest *time.Duration, probe func(context.Context, int) error) error {
		asked := time.Now()
		err := probe(ctx, node)
		*fastest = min(*fastest, time.Since(asked))
		return err
	}
	for range glances {
		if err := timed(&around, e.field.Cluster.ProbeDirect); err != nil {
			return 0, 0, err
		}
		if err := timed(&through, e.field.Cluster.Probe); err != nil {
			return 0, 0, err
		}
	}
	return through, around, nil
}

type cutEffect struct {
	targets
	cut cut
}

func (e *cutEffect) inject(context.Context) error {
	for _, node := range e.nodes {
		e.link(node).sever(&e.cut)
	}
	return nil
}

func (e *cutEffect) hits() int64 { return e.cut.hits.Load() }

func (e *cutEffect) undo(context.Context) error {
	e.change(func(f *linkFaults) { f.cuts = without(f.cuts, &e.cut) })
	return nil
}

type lossEffect struct {
	targets
	loss *loss
}

func (e *lossEffect) inject(context.Context) error {
	e.change(func(f *linkFaults) { f.losses = append(f.losses, e.loss) })
	return nil
}

func (e *lossEffect) hits() int64 { return e.loss.hits.Load() }

func (e *lossEffect) undo(context.Context) error {
	e.change(func(f *linkFaults) { f.losses = without(f.losses, e.loss) })
	return nil
}

// without is the list without one of its members.
func without[T comparable](list []T, member T) []T {
	return slices.DeleteFunc(list, func(each T) bool { return each == member })
}
