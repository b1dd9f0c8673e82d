package broker

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// createTimeout bounds the creation of the topics on the cluster's side.
const createTimeout = 10 * time.Second

// MaxTopicName is how long the name of a topic may be, in characters.
const MaxTopicName = 249

// LegalTopicName says whether Kafka allows a name for a topic.
func LegalTopicName(name string) bool {
	strange := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
	return !strange && 1 <= len(name) && len(name) <= MaxTopicName && name != "." && name != ".."
}

// CollidingTopicNames says whether Kafka takes two names for the same topic: its metrics have underscores for dots, and it
// refuses a topic that they would take for another.
func CollidingTopicNames(a, b string) bool {
	return strings.ReplaceAll(a, ".", "_") == strings.ReplaceAll(b, ".", "_")
}

// checkTopics finds what no cluster of so many brokers would create, so that the message says more than an error code.
func checkTopics(topics []Topic, brokers int) error {
	for i, topic := range topics {
		other := slices.IndexFunc(topics[:i], func(other Topic) bool { return CollidingTopicNames(other.Name, topic.Name) })
		switch {
		case !LegalTopicName(topic.Name):
			return fmt.Errorf("create topic %q: a name is not . or .. and has 1 to 249 of the characters a-z A-Z 0-9 . _ -", topic.Name)
		case other >= 0 && topics[other].Name == topic.Name:
			return fmt.Errorf("create topic %s: it is listed twice", topic.Name)
		case other >= 0:
			return fmt.Errorf("create topic %s: Kafka does not tell it from %s", topic.Name, topics[other].Name)
		case topic.Partitions < 1:
			return fmt.Errorf("create topic %s: a topic has at least 1 partition, got %d", topic.Name, topic.Partitions)
		case topic.ReplicationFactor < 1 || topic.ReplicationFactor > brokers:
			return fmt.Errorf("create topic %s: its replication factor must be between 1 and the number of brokers, %d, got %d",
				topic.Name, brokers, topic.ReplicationFactor)
		case topic.MinInsyncReplicas < 1 || topic.MinInsyncReplicas > topic.ReplicationFactor:
			return fmt.Errorf("create topic %s: its min.insync.replicas must be between 1 and its replication factor, %d, got %d",
				topic.Name, topic.ReplicationFactor, topic.MinInsyncReplicas)
		}
	}
	return nil
}

// setting is one setting of a topic, by its name in Kafka.
type setting struct{ name, value string }

// settings are what the topic needs beside its size. Records carry event times, which may lie months ago or ahead: Kafka
// deletes what seems a week old half a minute after it started, and refuses what seems to come from the future. Neither
// may happen to records that are to be accounted for.
func (t Topic) settings() []setting {
	return []setting{
		{"min.insync.replicas", fmt.Sprint(t.MinInsyncReplicas)},
		{"retention.ms", "-1"},
		{"retention.bytes", "-1"},
		{"message.timestamp.before.max.ms", fmt.Sprint(math.MaxInt64)},
		{"message.timestamp.after.max.ms", fmt.Sprint(math.MaxInt64)},
	}
}

// createTopic creates a topic by a request to one broker, which must be the controller or pass it on. Replicas are the
// nodes on which its partitions are placed; without them Kafka places the partitions.
func (c *Cluster) createTopic(ctx context.Context, node int, topic Topic, replicas [][]int32) error {
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic = topic.Name
	for _, setting := range topic.settings() {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = setting.name, kmsg.StringPtr(setting.value)
		wanted.Configs = append(wanted.Configs, config)
	}
	wanted.NumPartitions, wanted.ReplicationFactor = int32(topic.Partitions), int16(topic.ReplicationFactor)
	if replicas != nil {
		wanted.NumPartitions, wanted.ReplicationFactor = -1, -1
	}
	for partition, nodes := range replicas {
		placed := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		placed.Partition, placed.Replicas = int32(partition), nodes
		wanted.ReplicaAssignment = append(wanted.ReplicaAssignment, placed)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Version = 5
	request.TimeoutMillis = int32(createTimeout.Milliseconds())
	request.Topics = append(request.Topics, wanted)

	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	response, err := c.ask(ctx, node, request)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic.Name, err)
	}
	for _, created := range response.(*kmsg.CreateTopicsResponse).Topics {
		if err := kerr.ErrorForCode(created.ErrorCode); err != nil {
			return fmt.Errorf("create topic %s: %w", topic.Name, err)
		}
	}
	c.topics = append(c.topics, topic.Name)
	return nil
}

// ask sends a request to a broker, past links and faults, on a connection of its own.
func (c *Cluster) ask(ctx context.Context, node int, request kmsg.Request) (kmsg.Response, error) {
	conn, err := c.kafka.dial(ctx, "tcp", node)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return ask(ctx, conn, request)
}

// release asks a broker which requests it understands: by them the release of Kafka is guessed.
func (c *Cluster) release(ctx context.Context, node int) (string, error) {
	request := kmsg.NewPtrApiVersionsRequest()
	request.Version = 3
	request.ClientSoftwareName, request.ClientSoftwareVersion = "fleetproof", "1"
	response, err := c.ask(ctx, node, request)
	if err != nil {
		return "", fmt.Errorf("ask for the version of broker %d: %w", node+1, err)
	}
	return kversion.FromApiVersionsResponse(response.(*kmsg.ApiVersionsResponse)).VersionGuess(), nil
}
