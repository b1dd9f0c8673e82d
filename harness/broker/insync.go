package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// askTimeout bounds one request for metadata. A broker that is frozen, or cut off, does not answer at all.
const askTimeout = 2 * time.Second

// AwaitInSync waits until brokers take part in the cluster again, all of them when none is named: they answer, every
// broker that answers lists them, and they are in the ISR of each partition of the run that is placed on them, which has a
// leader on which all views agree. Other brokers may be down.
//
// Asking one broker would not do: one that was frozen or cut off describes the cluster as it was before, in perfect order,
// until it has caught up.
//
// The error says what was still missing when ctx ended, or, at once, that the container of one of these brokers has
// exited, with its last lines.
func (c *Cluster) AwaitInSync(ctx context.Context, nodes ...int) error {
	if len(nodes) == 0 {
		for node := range c.nodes {
			nodes = append(nodes, node)
		}
	}
	var missing error
	err := poll(ctx, func() (bool, error) {
		if err := c.Exited(ctx, nodes...); err != nil {
			return false, err
		}
		now := c.missing(ctx, nodes)
		if missing == nil || ctx.Err() == nil { // the last look is cut short
			missing = now
		}
		return now == nil, nil
	})
	if missing != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("wait for brokers to be in sync: %w: %w", missing, err)
	}
	if err != nil {
		return fmt.Errorf("wait for brokers to be in sync: %w", err)
	}
	return nil
}

// Exited is an ExitedError when the container of one of these brokers has exited, or says why that could not be found out.
// It is nil for brokers that have no container.
func (c *Cluster) Exited(ctx context.Context, nodes ...int) error {
	if d, found := c.kafka.(*docker); found {
		return d.exited(ctx, nodes)
	}
	return nil
}

// view is the cluster as one broker describes it.
type view struct {
	*kmsg.MetadataResponse
	err error
}

// missing says what is not as AwaitInSync wants it, the first that is found.
func (c *Cluster) missing(ctx context.Context, nodes []int) error {
	views := c.views(ctx)
	for _, node := range nodes {
		if err := views[node].err; err != nil {
			return fmt.Errorf("broker %d does not answer: %w", node+1, err)
		}
	}
	var first *view
	for i := range views {
		v := &views[i]
		if v.err != nil {
			continue
		}
		for _, node := range nodes {
			if err := c.lacks(v, node); err != nil {
				return fmt.Errorf("to broker %d, %w", i+1, err)
			}
		}
		if first == nil {
			first = v
		}
		if err := first.differs(v); err != nil {
			return fmt.Errorf("brokers disagree: %w", err)
		}
	}
	return nil
}

// views asks every broker for its view, side by side.
func (c *Cluster) views(ctx context.Context) []view {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	views := make([]view, len(c.nodes))
	var asking sync.WaitGroup
	for node := range c.nodes {
		asking.Go(func() {
			request := kmsg.NewPtrMetadataRequest()
			request.Version = 7 // the first with leader epochs
			request.Topics = []kmsg.MetadataRequestTopic{}
			for _, name := range c.topics {
				topic := kmsg.NewMetadataRequestTopic()
				topic.Topic = &name
				request.Topics = append(request.Topics, topic)
			}
			response, err := c.ask(ctx, node, request)
			if err != nil {
				views[node].err = err
				return
			}
			views[node].MetadataResponse = response.(*kmsg.MetadataResponse)
			slices.SortFunc(views[node].Topics, func(a, b kmsg.MetadataResponseTopic) int { return strings.Compare(*a.Topic, *b.Topic) })
			for _, topic := range views[node].Topics {
				slices.SortFunc(topic.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition) - int(b.Partition) })
			}
		})
	}
	asking.Wait()
	return views
}

// lacks says in what respect a broker does not take part in the cluster that a view describes.
func (c *Cluster) lacks(v *view, node int) error {
	id := c.nodes[node].ID
	if !slices.ContainsFunc(v.Brokers, func(known kmsg.MetadataResponseBroker) bool { return known.NodeID == id }) {
		return fmt.Errorf("broker %d is not in the cluster", node+1)
	}
	for _, topic := range v.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
			return fmt.Errorf("topic %s is not ready: %w", *topic.Topic, err)
		}
		for _, partition := range topic.Partitions {
			switch {
			case !slices.Contains(partition.Replicas, id):
			case partition.Leader < 0:
				return fmt.Errorf("%s/%d has no leader", *topic.Topic, partition.Partition)
			case !slices.Contains(partition.ISR, id):
				return fmt.Errorf("broker %d is not in sync for %s/%d (%d of %d replicas are)",
					node+1, *topic.Topic, partition.Partition, len(partition.ISR), len(partition.Replicas))
			}
		}
	}
	return nil
}

// differs says where two views name different leaders.
func (v *view) differs(other *view) error {
	for i, topic := range v.Topics {
		others := other.Topics[i].Partitions
		if len(others) != len(topic.Partitions) {
			return fmt.Errorf("%s has %d or %d partitions", *topic.Topic, len(topic.Partitions), len(others))
		}
		for p, partition := range topic.Partitions {
			if partition.Leader != others[p].Leader || partition.LeaderEpoch != others[p].LeaderEpoch {
				return fmt.Errorf("%s/%d is led by node %d in epoch %d or by node %d in epoch %d", *topic.Topic, partition.Partition,
					partition.Leader, partition.LeaderEpoch, others[p].Leader, others[p].LeaderEpoch)
			}
		}
	}
	return nil
}

// Controller is the broker that is the active controller of a docker cluster: the leader of the metadata quorum
// (KIP-595), as the brokers that answer know it. What metadata calls the controller is any broker that passes requests on.
func (c *Cluster) Controller(ctx context.Context) (node int, err error) {
	if _, found := c.kafka.(*docker); !found {
		return 0, errors.New("find the controller: only a docker cluster has one of its own")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	type answer struct {
		leader, epoch int32
		err           error
	}
	answers := make(chan answer, len(c.nodes))
	for node := range c.nodes {
		go func() {
			leader, epoch, err := c.quorumLeader(ctx, node)
			answers <- answer{leader, epoch, err}
		}()
	}
	latest := answer{leader: -1, epoch: -1}
	var errs []error
	for range c.nodes {
		given := <-answers
		errs = append(errs, given.err)
		if given.err == nil && given.epoch > latest.epoch {
			latest = given
		}
	}
	for node, known := range c.nodes {
		if known.ID == latest.leader {
			return node, nil
		}
	}
	return 0, fmt.Errorf("find the controller: no broker knows one: %w", errors.Join(errs...))
}

// quorumLeader asks a broker who leads the metadata quorum.
func (c *Cluster) quorumLeader(ctx context.Context, node int) (leader, epoch int32, err error) {
	partition := kmsg.NewDescribeQuorumRequestTopicPartition()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, partition)
	request := kmsg.NewPtrDescribeQuorumRequest()
	request.Topics = append(request.Topics, topic)
	response, err := c.ask(ctx, node, request)
	if err != nil {
		return 0, 0, err
	}
	quorum := response.(*kmsg.DescribeQuorumResponse)
	if err := kerr.ErrorForCode(quorum.ErrorCode); err != nil {
		return 0, 0, err
	}
	if len(quorum.Topics) != 1 || len(quorum.Topics[0].Partitions) != 1 {
		return 0, 0, errors.New("it described another quorum")
	}
	described := quorum.Topics[0].Partitions[0]
	return described.LeaderID, described.LeaderEpoch, kerr.ErrorForCode(described.ErrorCode)
}
