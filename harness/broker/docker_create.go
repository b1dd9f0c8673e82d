package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// formTimeout bounds the time from when the containers run until their brokers have formed a cluster and brought up the
// topics. Three brokers on two cores need ten seconds.
const formTimeout = 3 * time.Minute

// MinimumHeap is what the JVM of a docker broker does not start without, in bytes.
const MinimumHeap = 128 << 20

func (s Spec) checkDocker() error {
	switch {
	case s.Run == "":
		return errors.New("a docker broker needs the identity of the run")
	case s.Image == "":
		return errors.New("a docker broker needs an image, such as apache/kafka:4.3.1")
	case s.Heap < MinimumHeap:
		return fmt.Errorf("the heap of a docker broker is at least %d MiB, got %d bytes", MinimumHeap>>20, s.Heap)
	}
	if err := CheckConfig(s.Config); err != nil {
		return fmt.Errorf("config of a docker broker: %w", err)
	}
	return nil
}

// create waits until the brokers have found each other, and creates the topics.
func (d *docker) create(ctx context.Context, c *Cluster, topics []Topic) error {
	ctx, cancel := context.WithTimeout(ctx, formTimeout)
	defer cancel()
	if err := c.AwaitInSync(ctx); err != nil {
		return err
	}
	if err := d.checkSettings(ctx, c); err != nil {
		return err
	}
	release, err := c.release(ctx, 0)
	if err != nil {
		return err
	}
	d.release = release
	for _, topic := range topics {
		if err := d.createTopic(ctx, c, topic); err != nil {
			return err
		}
	}
	return c.AwaitInSync(ctx)
}

// createTopic tries again while the cluster is not settled. An answer may have been lost.
func (d *docker) createTopic(ctx context.Context, c *Cluster, topic Topic) error {
	replicas := place(topic, c.nodes)
	tried := false
	return poll(ctx, func() (bool, error) {
		err := c.createTopic(ctx, 0, topic, replicas)
		if tried && errors.Is(err, kerr.TopicAlreadyExists) {
			c.topics = append(c.topics, topic.Name)
			return true, nil
		}
		tried = true
		if kerr.IsRetriable(err) {
			return false, nil
		}
		return true, err
	})
}

// place spreads a topic over the nodes as Kafka does, but always from the first: partition p is led by node p modulo
// their number, and what follows it is shifted by one with every round, so that a broker's leaderships would be taken
// over by all others. A scenario meets the same leaders in every run.
//
// org.apache.kafka.admin.AdminUtils, assignReplicasToBrokersRackUnaware.
func place(topic Topic, nodes []Node) [][]int32 {
	placed := make([][]int32, topic.Partitions)
	for p := range placed {
		first, shift := p%len(nodes), p/len(nodes)
		placed[p] = []int32{nodes[first].ID}
		for follower := range topic.ReplicationFactor - 1 {
			next := first + 1 + (shift+follower)%(len(nodes)-1)
			placed[p] = append(placed[p], nodes[next%len(nodes)].ID)
		}
	}
	return placed
}

// checkSettings finds the settings of a scenario that Kafka has never heard of. It ignores them in silence.
func (d *docker) checkSettings(ctx context.Context, c *Cluster) error {
	if len(d.spec.Config) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(d.spec.Config))
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeBroker
	resource.ResourceName = strconv.Itoa(int(c.nodes[0].ID))
	resource.ConfigNames = names
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Version = 3 // the first with types
	request.Resources = append(request.Resources, resource)
	response, err := c.ask(ctx, 0, request)
	if err != nil {
		return fmt.Errorf("check settings of the brokers: %w", err)
	}
	for _, described := range response.(*kmsg.DescribeConfigsResponse).Resources {
		if err := kerr.ErrorForCode(described.ErrorCode); err != nil {
			return fmt.Errorf("check settings of the brokers: %w", err)
		}
		for _, config := range described.Configs {
			if config.ConfigType == 0 {
				return fmt.Errorf("check settings of the brokers: Kafka knows no %s", config.Name)
			}
		}
	}
	return nil
}
