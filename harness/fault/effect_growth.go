package fault

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// growthEffect gives a topic more partitions, for good.
type growthEffect struct {
	sighted
	topic string
	to    int32
}

func (e *growthEffect) inject(ctx context.Context) error {
	topic, _ := e.field.World.topic(e.topic)
	if e.field.Grows != nil {
		e.field.Grows(e.topic, int(e.to))
	}
	return e.field.withAdmin(func(admin *admin) error {
		before, err := admin.describe(ctx, e.topic)
		if err != nil {
			return err
		}
		err = admin.grow(ctx, e.topic, e.to, e.place(int32(len(before)), topic.ReplicationFactor))
		if err != nil {
			return fmt.Errorf("add partitions to %s: %w", e.topic, err)
		}
		return again(ctx, func() error {
			now, err := admin.describe(ctx, e.topic)
			if err != nil {
				return err
			}
			if len(now) != int(e.to) {
				return fmt.Errorf("%s has %d of %d partitions", e.topic, len(now), e.to)
			}
			e.see(len(now) - len(before))
			return nil
		})
	})
}

// place spreads the partitions from one on, in turn, so that a scenario meets the same leaders in every run.
func (e *growthEffect) place(from int32, replicas int) [][]int32 {
	nodes := e.field.Cluster.Nodes()
	var placed [][]int32
	for p := from; p < e.to; p++ {
		var ids []int32
		for i := range replicas {
			ids = append(ids, nodes[(int(p)+i)%len(nodes)].ID)
		}
		placed = append(placed, ids)
	}
	return placed
}

func (e *growthEffect) undo(context.Context) error { return nil }

// healed looks whether every broker has the partitions.
func (e *growthEffect) healed(ctx context.Context) error { return e.rejoined(ctx) }

// grow gives a topic partitions on the given nodes, the first of which is to lead.
func (a *admin) grow(ctx context.Context, topic string, to int32, placed [][]int32) error {
	grown := kmsg.NewCreatePartitionsRequestTopic()
	grown.Topic, grown.Count = topic, to
	for _, ids := range placed {
		assignment := kmsg.NewCreatePartitionsRequestTopicAssignment()
		assignment.Replicas = ids
		grown.Assignment = append(grown.Assignment, assignment)
	}
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = int32(askTimeout.Milliseconds())
	request.Topics = append(request.Topics, grown)
	response, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	for _, result := range response.Topics {
		if err := kerr.ErrorForCode(result.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
