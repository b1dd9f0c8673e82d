package broker

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// createTimeout bounds the creation of the topics on the cluster's side.
const createTimeout = 10 * time.Second

// checkTopics finds what no cluster of so many brokers would create, so that the message says more than an error code.
func checkTopics(topics []Topic, brokers int) error {
	legal := regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	names := map[string]string{} // by their name in Kafka's metrics, which have no dots
	for _, topic := range topics {
		metric := strings.ReplaceAll(topic.Name, ".", "_")
		switch {
		case !legal.MatchString(topic.Name) || topic.Name == "." || topic.Name == "..":
			return fmt.Errorf("create topic %q: a name is not . or .. and has 1 to 249 of the characters a-z A-Z 0-9 . _ -", topic.Name)
		case names[metric] == topic.Name:
			return fmt.Errorf("create topic %s: it is listed twice", topic.Name)
		case names[metric] != "":
			return fmt.Errorf("create topic %s: Kafka does not tell it from %s", topic.Name, names[metric])
		case topic.Partitions < 1:
			return fmt.Errorf("create topic %s: a topic has at least 1 partition, got %d", topic.Name, topic.Partitions)
		case topic.ReplicationFactor < 1 || topic.ReplicationFactor > brokers:
			return fmt.Errorf("create topic %s: its replication factor must be between 1 and the number of brokers, %d, got %d",
				topic.Name, brokers, topic.ReplicationFactor)
		case topic.MinInsyncReplicas < 1 || topic.MinInsyncReplicas > topic.ReplicationFactor:
			return fmt.Errorf("create topic %s: its min.insync.replicas must be between 1 and its replication factor, %d, got %d",
				topic.Name, topic.ReplicationFactor, topic.MinInsyncReplicas)
		}
		names[metric] = topic.Name
	}
	return nil
}

// createTopics creates the topics by a request to the controller, and gives partition p of every topic to the broker
// p modulo their number: kfake draws leaders by dice, which no seed reaches.
func (c *Cluster) createTopics(ctx context.Context, topics []Topic) error {
	if len(topics) == 0 {
		return nil
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Version = 7
	request.TimeoutMillis = int32(createTimeout.Milliseconds())
	for _, topic := range topics {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name = "min.insync.replicas"
		config.Value = kmsg.StringPtr(fmt.Sprint(topic.MinInsyncReplicas))
		wanted := kmsg.NewCreateTopicsRequestTopic()
		wanted.Topic = topic.Name
		wanted.NumPartitions = int32(topic.Partitions)
		wanted.ReplicationFactor = int16(topic.ReplicationFactor)
		wanted.Configs = append(wanted.Configs, config)
		request.Topics = append(request.Topics, wanted)
	}
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	controller := c.nodes[len(c.nodes)-1] // kfake's is always the last
	conn, err := c.Dial(ctx, "tcp", controller.Direct)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	defer func() { _ = conn.Close() }()
	response, err := ask(ctx, conn, request)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, created := range response.(*kmsg.CreateTopicsResponse).Topics {
		if err := kerr.ErrorForCode(created.ErrorCode); err != nil {
			return fmt.Errorf("create topic %s: %w", created.Topic, err)
		}
	}
	return c.embedded.spreadLeaders(topics)
}
