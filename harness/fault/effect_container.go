package fault

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const lookTimeout = 5 * time.Second // for one look at whether a broker takes part in the cluster

// States of a container (broker.State).
const (
	running = "running"
	paused  = "paused"
	exited  = "exited"
)

// containerEffect keeps brokers from taking part in the cluster by what it does to their containers.
type containerEffect struct {
	sighted
	strike func(ctx context.Context, node int) error // returns when its effect has been seen

	mutex  sync.Mutex
	struck []int // of nodes, those that may have to be brought back
}

func newContainerEffect(at targets, strike func(context.Context, int) error) *containerEffect {
	return &containerEffect{sighted: sighted{targets: at}, strike: strike}
}

func (e *containerEffect) inject(ctx context.Context) error {
	replicas, err := e.field.replicas(ctx)
	if err != nil {
		return err
	}
	return e.sideBySide(func(node int) error {
		if err := e.hit(ctx, node); err != nil {
			return err
		}
		e.see(replicas[node])
		return nil
	})
}

// hit strikes one broker. It refuses one that something else has brought down: what healed that would heal this, and the
// other way round.
func (e *containerEffect) hit(ctx context.Context, node int) error {
	state, err := e.field.Cluster.State(ctx, node)
	if err != nil {
		return err
	}
	if state.Status != running || state.Isolated {
		return fmt.Errorf("broker %d is %v already", node+1, state)
	}
	e.mutex.Lock()
	e.struck = append(e.struck, node)
	e.mutex.Unlock()
	return e.strike(ctx, node)
}

func (e *containerEffect) undo(ctx context.Context) error {
	return targets{e.struck, e.field}.sideBySide(func(node int) error { return e.field.revive(ctx, node) })
}

func (e *containerEffect) healed(ctx context.Context) error { return e.rejoined(ctx) }

// rollingEffect restarts brokers one after the other.
type rollingEffect struct{ *containerEffect }

func (e rollingEffect) inject(ctx context.Context) error {
	replicas, err := e.field.replicas(ctx)
	if err != nil {
		return err
	}
	for _, node := range e.nodes {
		if err := e.restart(ctx, node, replicas[node]); err != nil {
			return err
		}
	}
	return nil
}

// restart plays one broker's turn, until it is in sync.
func (e rollingEffect) restart(ctx context.Context, node, replicas int) error {
	ctx, cancel := context.WithTimeout(ctx, e.field.HealTimeout)
	defer cancel()
	if err := e.hit(ctx, node); err != nil {
		return err
	}
	e.see(replicas)
	if err := again(ctx, func() error { return e.field.revive(ctx, node) }); err != nil {
		return err
	}
	return again(ctx, func() error { return targets{[]int{node}, e.field}.rejoined(ctx) })
}

func (t targets) kill(ctx context.Context, node int) error { return t.field.Cluster.Kill(ctx, node) }

// stop gives a broker as long to shut down as it would have to come back.
func (t targets) stop(ctx context.Context, node int) error {
	return t.field.Cluster.Stop(ctx, node, t.field.HealTimeout)
}

func (t targets) pause(ctx context.Context, node int) error {
	if err := t.field.Cluster.Pause(ctx, node); err != nil {
		return err
	}
	return again(ctx, func() error { return t.field.silent(ctx, node) })
}

func (t targets) isolate(ctx context.Context, node int) error {
	if err := t.field.Cluster.Isolate(ctx, node); err != nil {
		return err
	}
	return again(ctx, func() error { return t.field.gone(ctx, node) })
}

// revive brings the container of a broker back from whatever befell it.
func (f Field) revive(ctx context.Context, node int) error {
	state, err := f.Cluster.State(ctx, node)
	if err != nil {
		return err
	}
	if state.Isolated {
		if err := f.Cluster.Reconnect(ctx, node); err != nil {
			return err
		}
	}
	switch state.Status {
	case running:
		return nil
	case paused:
		return f.Cluster.Unpause(ctx, node)
	default:
		return f.Cluster.StartAgain(ctx, node)
	}
}

// rejoined looks whether the targets take part in the cluster: they are in everybody's metadata and in sync for every
// partition of the run that they have a replica of. The error says what one of them wrote last.
func (t targets) rejoined(ctx context.Context) error {
	for _, node := range t.nodes {
		looking, cancel := context.WithTimeout(ctx, lookTimeout)
		err := t.field.Cluster.AwaitInSync(looking, node)
		cancel()
		if err != nil {
			return t.field.withLogs(ctx, node, err)
		}
	}
	return nil
}

// withLogs adds to an error about a broker what that wrote last, unless it is in there because the container has exited.
func (f Field) withLogs(ctx context.Context, node int, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	if state, failed := f.Cluster.State(ctx, node); failed != nil || state.Status == exited {
		return err
	}
	lines, failed := f.Cluster.LastLogs(ctx, node)
	if failed != nil {
		lines = failed.Error()
	}
	return fmt.Errorf("broker %d: %w; its last lines:\n%s", node+1, err, lines)
}

// replicas are how many replicas of the run's partitions there are on each broker.
func (f Field) replicas(ctx context.Context) (map[int]int, error) {
	count := map[int]int{}
	err := f.withAdmin(func(admin *admin) error {
		partitions, err := admin.describe(ctx, f.World.topicNames()...)
		if err != nil {
			return err
		}
		for _, p := range partitions {
			for _, id := range p.replicas {
				node, err := f.node(id)
				if err != nil {
					return err
				}
				count[node]++
			}
		}
		return nil
	})
	return count, err
}
