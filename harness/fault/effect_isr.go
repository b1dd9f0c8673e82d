package fault

import (
	"context"
	"fmt"
	"slices"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// shrinkEffect leaves a partition fewer in-sync replicas than a write needs, by stopping followers one after the other.
// A follower that shuts down has itself taken out of the ISR, as long as there are enough controllers to do so. Followers
// that die or freeze and leave too few controllers stay in sync for ever, and writes time out instead of being refused.
type shrinkEffect struct {
	*containerEffect
	target Target
}

// shrunk are the brokers that a shrink_isr hits: the followers that have to go, or, on embedded brokers, the leader that
// refuses to write.
func (f Field) shrunk(ctx context.Context, target Target) (nodes []int, err error) {
	err = f.withAdmin(func(admin *admin) error {
		partitions, err := admin.aimed(ctx, target, f.World)
		if err != nil {
			return err
		}
		p := partitions[0]
		ids := []int32{p.leader}
		if f.World.Broker == broker.Docker {
			topic, _ := f.World.topic(p.topic)
			surplus := len(p.isr) - topic.MinInsyncReplicas + 1
			if ids = without(slices.Clone(p.isr), p.leader); surplus < 1 || surplus > len(ids) {
				return fmt.Errorf("%s has %d in-sync replicas already and needs %d", p, len(p.isr), topic.MinInsyncReplicas)
			}
			ids = ids[:surplus]
		}
		for _, id := range ids {
			node, err := f.node(id)
			if err != nil {
				return fmt.Errorf("%s has no leader: %w", p, err)
			}
			nodes = append(nodes, node)
		}
		return nil
	})
	slices.Sort(nodes)
	return nodes, err
}

func (e *shrinkEffect) inject(ctx context.Context) error {
	for _, node := range e.nodes {
		if err := e.hit(ctx, node); err != nil {
			return err
		}
	}
	return again(ctx, func() error { return e.look(ctx) })
}

// look counts the partitions that are under their min.insync.replicas. The target has to be one of them.
func (e *shrinkEffect) look(ctx context.Context) error {
	return e.field.withAdmin(func(admin *admin) error {
		partitions, err := admin.describe(ctx, e.field.World.topicNames()...)
		if err != nil {
			return err
		}
		under := 0
		for _, p := range partitions {
			topic, _ := e.field.World.topic(p.topic)
			switch {
			case len(p.isr) < topic.MinInsyncReplicas:
				under++
			case p.topic == e.target.Topic && p.number == e.target.Partition:
				return fmt.Errorf("%s still has %d in-sync replicas", p, len(p.isr))
			}
		}
		e.see(under)
		return nil
	})
}
