package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	askTimeout   = 3 * time.Second       // for one question to a broker; a frozen one does not answer
	retryPause   = 50 * time.Millisecond // before it is put to another one
	probeTimeout = time.Second           // by which a broker that is well has answered
)

// admin asks a cluster about its partitions, and tells it what to do with them, past links and crashes.
type admin struct {
	client *kgo.Client
	*kadm.Client
}

// withAdmin does something with a connection to the cluster.
func (f Field) withAdmin(do func(*admin) error) error {
	var direct []string
	for _, node := range f.Cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(direct...),
		kgo.Dialer(f.Cluster.Dial),
		kgo.ClientID("fleetproof-fault"),
		kgo.RequestTimeoutOverhead(askTimeout),
		kgo.RetryBackoffFn(func(int) time.Duration { return retryPause }),
	)
	if err != nil {
		return fmt.Errorf("connect to the cluster: %w", err)
	}
	defer client.Close()
	a := &admin{client, kadm.NewClient(client)}
	a.SetTimeoutMillis(int32(askTimeout.Milliseconds()))
	return do(a)
}

// partition is a partition as a broker describes it. Brokers are node ids.
type partition struct {
	topic    string
	number   int32
	leader   int32 // negative: it has none
	replicas []int32
	isr      []int32
}

func (p partition) String() string { return fmt.Sprintf("%s/%d", p.topic, p.number) }

// describe are the partitions of some topics, in order, as some broker sees them now.
func (a *admin) describe(ctx context.Context, topics ...string) ([]partition, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // nil would be all
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return nil, fmt.Errorf("ask for partitions: %w", err)
	}
	var described []partition
	for _, name := range topics {
		i := slices.IndexFunc(response.Topics, func(topic kmsg.MetadataResponseTopic) bool { return *topic.Topic == name })
		if i < 0 {
			return nil, fmt.Errorf("ask for partitions: no answer about %s", name)
		}
		if err := kerr.ErrorForCode(response.Topics[i].ErrorCode); err != nil {
			return nil, fmt.Errorf("ask for partitions of %s: %w", name, err)
		}
		partitions := response.Topics[i].Partitions
		slices.SortFunc(partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition) - int(b.Partition) })
		for _, p := range partitions {
			described = append(described, partition{name, p.Partition, p.Leader, p.Replicas, p.ISR})
		}
	}
	return described, nil
}

// aimed are the partitions that a target means.
func (a *admin) aimed(ctx context.Context, target Target, world World) ([]partition, error) {
	topics := []string{target.Topic}
	if target.All {
		topics = world.topicNames()
	}
	partitions, err := a.describe(ctx, topics...)
	if err != nil || target.All || target.Whole {
		return partitions, err
	}
	i := slices.IndexFunc(partitions, func(p partition) bool { return p.number == target.Partition })
	if i < 0 {
		return nil, fmt.Errorf("there is no partition %s/%d", target.Topic, target.Partition)
	}
	return partitions[i : i+1], nil
}

// node is the place of a broker in the cluster.
func (f Field) node(id int32) (int, error) {
	for node, known := range f.Cluster.Nodes() {
		if known.ID == id {
			return node, nil
		}
	}
	return 0, fmt.Errorf("there is no node %d", id)
}

// leaderOf is the place of the broker that leads a partition.
func (f Field) leaderOf(p partition) (int, error) {
	node, err := f.node(p.leader)
	if err != nil {
		return 0, fmt.Errorf("%s has no leader: %w", p, err)
	}
	return node, nil
}

// probe wants an answer from a broker itself, past its link, by when one that is well has given it. It gives
// context.DeadlineExceeded for one that does not answer.
func (f Field) probe(ctx context.Context, node int) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return f.Cluster.ProbeDirect(ctx, node)
}

// silent says how a broker differs from one that is frozen; nil: it does not, as far as can be seen.
func (f Field) silent(ctx context.Context, node int) error {
	switch err := f.probe(ctx, node); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil
	case err == nil:
		return fmt.Errorf("broker %d still answers", node+1)
	default:
		return fmt.Errorf("broker %d does not keep silent: %w", node+1, err)
	}
}

// gone says how a broker differs from one that nobody reaches; nil: it does not.
func (f Field) gone(ctx context.Context, node int) error {
	switch err := f.probe(ctx, node); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return fmt.Errorf("broker %d still answers", node+1)
	}
	return nil
}
