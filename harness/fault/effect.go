package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// effect is what a fault of some kind does to its targets. Every method returns before its context ends or soon after.
type effect interface {
	// inject puts it into effect. After an error, part of it may be.
	inject(ctx context.Context) error
	// hits is what it has touched so far.
	hits() int64
	// undo takes back whatever inject did. It may be called again after an error.
	undo(ctx context.Context) error
	// healed looks once whether the targets are well after undo; nil: they are.
	healed(ctx context.Context) error
}

// newEffect is the effect of a fault on the brokers at these places of the cluster.
func newEffect(spec Spec, nodes []int, field Field, random *rand.Rand) (effect, error) {
	row, found := spec.Do.Row()
	switch {
	case !found:
		return nil, fmt.Errorf("unknown kind of fault %q", spec.Do)
	case row.Link && field.Links == nil:
		return nil, errors.New("the run has no links")
	}
	at := targets{nodes, field}
	switch spec.Do {
	case Latency:
		return newLatency(spec, at), nil
	case Cut:
		return &cutEffect{targets: at}, nil
	case LoseAck:
		return &lossEffect{at, &loss{strike: newStrikes(spec, field.Clock, random).strike}}, nil
	case Error:
		return &errorEffect{targets: at, spec: spec, strike: newStrikes(spec, field.Clock, random).strike}, nil
	default:
		return &crashEffect{targets: at}, nil
	}
}

// targets is where an effect takes place.
type targets struct {
	nodes []int
	field Field
}

// link is the link of a target.
func (t targets) link(node int) *link { return t.field.Links.links[node] }

// change changes the faults in effect on every target's link.
func (t targets) change(edit func(*linkFaults)) {
	for _, node := range t.nodes {
		t.link(node).change(edit)
	}
}

// healed wants an answer from every target, the way a client would get it.
func (t targets) healed(ctx context.Context) error {
	for _, node := range t.nodes {
		if err := t.field.Cluster.Probe(ctx, node); err != nil {
			return err
		}
	}
	return nil
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

type errorEffect struct {
	targets
	spec      Spec
	strike    func() bool
	answering *broker.Answering // nil: not in effect yet
}

func (e *errorEffect) inject(context.Context) (err error) {
	e.answering, err = e.field.Cluster.Answer(broker.ErrorAnswer{
		API: e.spec.API, Error: e.spec.Error, Nodes: e.nodes, Strike: e.strike,
	})
	return err
}

func (e *errorEffect) hits() int64 {
	if e.answering == nil {
		return 0
	}
	return e.answering.Hits()
}

func (e *errorEffect) undo(context.Context) error {
	if e.answering != nil {
		e.answering.Remove()
	}
	return nil
}

type crashEffect struct {
	targets
	crashed []int   // of nodes, those that are down now
	before  []int64 // what earlier crashes had hit, in the order of nodes
}

func (e *crashEffect) inject(context.Context) error {
	for _, node := range e.nodes {
		e.before = append(e.before, e.field.Cluster.Refused(node))
		if err := e.field.Cluster.Crash(node); err != nil {
			return err
		}
		e.crashed = append(e.crashed, node)
	}
	return nil
}

func (e *crashEffect) hits() (sum int64) {
	for i, before := range e.before {
		sum += e.field.Cluster.Refused(e.nodes[i]) - before
	}
	return sum
}

func (e *crashEffect) undo(context.Context) error {
	for len(e.crashed) > 0 {
		if err := e.field.Cluster.Restore(e.crashed[0]); err != nil {
			return err
		}
		e.crashed = e.crashed[1:]
	}
	return nil
}
