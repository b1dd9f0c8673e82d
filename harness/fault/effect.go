package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

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
	if row, _ := spec.Do.Row(); row.Link && field.Links == nil {
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
		return &errorEffect{targets: at, api: spec.API, err: spec.Error, strike: newStrikes(spec, field.Clock, random).strike}, nil
	case Crash:
		return &crashEffect{targets: at}, nil
	case Kill:
		return newContainerEffect(at, at.kill), nil
	case Stop, Restart:
		return newContainerEffect(at, at.stop), nil
	case RollingRestart:
		return rollingEffect{newContainerEffect(at, at.stop)}, nil
	case Pause:
		return newContainerEffect(at, at.pause), nil
	case Isolate:
		return newContainerEffect(at, at.isolate), nil
	case ElectLeader, MoveLeader:
		return &leaderEffect{sighted: sighted{targets: at}, spec: spec}, nil
	case AddPartitions:
		return &growthEffect{sighted: sighted{targets: at}, topic: spec.Target.Topic, to: int32(*spec.To)}, nil
	case ShrinkISR:
		if field.World.Broker == broker.Docker {
			return &shrinkEffect{newContainerEffect(at, at.stop), spec.Target}, nil
		}
		return &errorEffect{targets: at, api: "Produce", err: "NOT_ENOUGH_REPLICAS"}, nil
	default: // it may be in the table, and have no case here
		return nil, fmt.Errorf("unknown kind of fault %q", spec.Do)
	}
}

// targets is where an effect takes place.
type targets struct {
	nodes []int
	field Field
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

// sighted is where an effect takes place that touches what it touches at once, and is told when that has been seen.
type sighted struct {
	targets
	touched atomic.Int64
}

func (s *sighted) hits() int64 { return s.touched.Load() }

// see adds what the effect has been seen to touch.
func (s *sighted) see(touched int) {
	if touched > 0 {
		s.touched.Add(int64(touched))
		s.field.seen()
	}
}

// sideBySide does something to each of the targets, all at the same time.
func (t targets) sideBySide(do func(node int) error) error {
	errs := make([]error, len(t.nodes))
	var group sync.WaitGroup
	for i, node := range t.nodes {
		group.Go(func() { errs[i] = withoutPanic(func() error { return do(node) }) })
	}
	group.Wait()
	return errors.Join(errs...)
}
