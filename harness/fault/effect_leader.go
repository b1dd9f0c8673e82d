package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// leaderEffect gives partitions other leaders. The replica that is to lead becomes the first, which is the preferred one,
// before an election of the preferred ones is held: from outside Kafka elects nobody else. An embedded cluster accepts the
// first in silence, and elects whoever comes next: it is asked until the right one leads.
type leaderEffect struct {
	sighted
	spec  Spec
	moves []move
}

// move is a partition as it was, and the node that is to lead it.
type move struct {
	partition
	to int32
}

func (e *leaderEffect) inject(ctx context.Context) error {
	return e.field.withAdmin(func(admin *admin) error {
		partitions, err := admin.aimed(ctx, e.spec.Target, e.field.World)
		if err != nil {
			return err
		}
		for _, p := range partitions {
			if to, found := e.next(p); found {
				e.moves = append(e.moves, move{p, to})
			}
		}
		if err := again(ctx, func() error { return admin.lead(ctx, e.moves) }); err != nil {
			return err
		}
		e.see(len(e.moves))
		return nil
	})
}

// next is who is to lead a partition; false: nobody else can.
func (e *leaderEffect) next(p partition) (to int32, found bool) {
	able := func(id int32) bool { return id != p.leader && slices.Contains(p.isr, id) }
	switch {
	case p.leader < 0:
		return 0, false
	case e.spec.To != nil:
		to = e.field.Cluster.Nodes()[*e.spec.To-1].ID
		return to, able(to)
	case e.spec.Do == ElectLeader && able(p.replicas[0]):
		return p.replicas[0], true
	}
	after := slices.Index(p.replicas, p.leader) + 1
	for _, id := range slices.Concat(p.replicas[after:], p.replicas[:after]) {
		if able(id) {
			return id, true
		}
	}
	return 0, false
}

// undo lets those lead again that led before, as far as they are in sync.
func (e *leaderEffect) undo(ctx context.Context) error {
	if e.spec.For == 0 || len(e.moves) == 0 {
		return nil
	}
	return e.field.withAdmin(func(admin *admin) error {
		var back []move
		for _, m := range e.moves {
			now, err := admin.aimed(ctx, Target{Topic: m.topic, Partition: m.number}, e.field.World)
			if err != nil {
				return err
			}
			if slices.Contains(now[0].isr, m.leader) {
				back = append(back, move{m.partition, m.leader})
			}
		}
		return admin.lead(ctx, back)
	})
}

// healed looks whether the partitions have leaders that are in sync. Other replicas may be down.
func (e *leaderEffect) healed(ctx context.Context) error {
	return e.field.withAdmin(func(admin *admin) error {
		partitions, err := admin.aimed(ctx, e.spec.Target, e.field.World)
		if err != nil {
			return err
		}
		var leaders []int
		for _, p := range partitions {
			node, err := e.field.leaderOf(p)
			if err != nil {
				return err
			}
			if !slices.Contains(leaders, node) {
				leaders = append(leaders, node)
			}
		}
		return targets{leaders, e.field}.rejoined(ctx)
	})
}

// lead looks whether partitions are led by whom they are to be led, and asks for it where they are not. The error says
// what was not as wanted.
func (a *admin) lead(ctx context.Context, moves []move) error {
	var topics []string
	for _, m := range moves {
		if !slices.Contains(topics, m.topic) {
			topics = append(topics, m.topic)
		}
	}
	partitions, err := a.describe(ctx, topics...)
	if err != nil {
		return err
	}
	var order kadm.AlterPartitionAssignmentsReq
	var preferred kadm.TopicsSet
	var errs []error
	for _, m := range moves {
		i := slices.IndexFunc(partitions, func(p partition) bool { return p.topic == m.topic && p.number == m.number })
		if i < 0 {
			return fmt.Errorf("there is no partition %s", m)
		}
		now := partitions[i]
		if now.leader == m.to {
			continue
		}
		errs = append(errs, fmt.Errorf("%s is led by node %d and not by node %d", m, now.leader, m.to))
		preferred.Add(m.topic, m.number)
		if now.replicas[0] != m.to {
			order.Assign(m.topic, m.number, append([]int32{m.to}, without(slices.Clone(now.replicas), m.to)...))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	assigned, err := a.AlterPartitionAssignments(ctx, order)
	if err == nil {
		err = assigned.Error()
	}
	if err != nil {
		return fmt.Errorf("order replicas: %w", err)
	}
	elected, err := a.ElectLeaders(ctx, kadm.ElectPreferredReplica, preferred)
	if err != nil {
		return fmt.Errorf("elect leaders: %w", err)
	}
	for _, results := range elected {
		for _, result := range results {
			if result.Err != nil && !errors.Is(result.Err, kerr.ElectionNotNeeded) {
				errs = append(errs, fmt.Errorf("elect the leader of %s/%d: %w", result.Topic, result.Partition, result.Err))
			}
		}
	}
	return errors.Join(errs...)
}
