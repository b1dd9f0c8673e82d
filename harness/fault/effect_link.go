package fault

import (
	"context"
	"fmt"
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

// busy is how long an answer may take on a link without latency when the machine has other things to do.
const busy = 20 * time.Millisecond

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

// healed wants an answer from each target sooner than the latency would allow. Other latencies may still be in effect
// on the same link, and are allowed for.
func (e *latencyEffect) healed(ctx context.Context) error {
	for _, node := range e.nodes {
		limit := max(e.delay.latency, busy) + e.link(node).longest()
		asked := time.Now()
		if err := e.field.Cluster.Probe(ctx, node); err != nil {
			return err
		}
		if took := time.Since(asked); took >= limit {
			return fmt.Errorf("broker %d answered in %s, not below %s", node+1, took, limit)
		}
	}
	return nil
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
