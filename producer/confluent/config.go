package confluent

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/fleetproof/fleetproof/producer"
)

// The bounds that librdkafka sets itself.
const (
	leastDial    = time.Second
	leastBackoff = time.Millisecond
)

// configure translates the configuration. What is not mentioned here is as librdkafka has it by default: 100,000 records
// or 1 GiB in its queue, records of at most 1,000,000 bytes. What librdkafka refuses, it names by its own names. Encoding
// is not the client's business.
func configure(config producer.Config) (kafka.ConfigMap, error) {
	timeout := config.Timeout
	switch {
	case len(config.Bootstrap) == 0:
		return nil, errors.New("bootstrap: want at least one address")
	case timeout.Read <= timeout.Request:
		// The client would give up on a request that the broker still works on, and send it again.
		return nil, fmt.Errorf("timeout.read (%s) must be longer than timeout.request (%s)", timeout.Read, timeout.Request)
	case timeout.Dial < leastDial:
		return nil, fmt.Errorf("timeout.dial (%s): librdkafka wants at least %s", timeout.Dial, leastDial)
	}
	backoff := int(max(config.Retry.Backoff, leastBackoff).Milliseconds())
	settings := kafka.ConfigMap{
		"bootstrap.servers":                  strings.Join(config.Bootstrap, ","),
		"client.id":                          config.ClientID,
		"log_level":                          0, // or it writes to standard error whenever a broker is gone
		"enable.idempotence":                 config.Idempotent,
		"linger.ms":                          fmt.Sprint(float64(config.Batch.Linger) / float64(time.Millisecond)),
		"message.send.max.retries":           config.Retry.Max,
		"retry.backoff.ms":                   backoff,
		"retry.backoff.max.ms":               backoff, // or each pause would be longer than the one before
		"reconnect.backoff.ms":               backoff,
		"reconnect.backoff.max.ms":           backoff,
		"socket.connection.setup.timeout.ms": int(timeout.Dial.Milliseconds()),
		"socket.timeout.ms":                  int(timeout.Read.Milliseconds()),
		"request.timeout.ms":                 int(timeout.Request.Milliseconds()),
		"go.delivery.report.fields":          "none",
		"go.events.channel.size":             1000, // reports that wait for us; librdkafka queues the others
	}
	if config.Batch.Bytes > 0 {
		settings["batch.size"] = int(config.Batch.Bytes)
	}
	if config.MaxInFlight > 0 {
		settings["max.in.flight.requests.per.connection"] = config.MaxInFlight
	}
	if config.MetadataRefresh > 0 { // by itself librdkafka takes five minutes to see that a topic has got more partitions
		settings["topic.metadata.refresh.interval.ms"] = int(config.MetadataRefresh.Milliseconds())
	}
	for name, translate := range map[string]func(producer.Config) (string, error){
		"acks": acks, "compression.type": compression, "partitioner": partitioner,
	} {
		value, err := translate(config)
		if err != nil {
			return nil, err
		}
		settings[name] = value
	}
	return settings, nil
}

// partitioner returns librdkafka's name of a partitioner. Where it sends a key is not asked of it by anyone:
// producer.Partition says it independently, and a test holds the two against each other.
func partitioner(config producer.Config) (string, error) {
	switch config.Partitioner {
	case producer.PartitionerHash:
		return "fnv1a", nil
	case producer.PartitionerMurmur2:
		return "murmur2", nil
	case producer.PartitionerCRC32:
		return "consistent", nil
	case producer.PartitionerReferenceHash, producer.PartitionerFailover:
		return "", fmt.Errorf("partitioner: librdkafka has no %s", config.Partitioner)
	default:
		return "", unknown("partitioner", config.Partitioner)
	}
}

func acks(config producer.Config) (string, error) {
	switch config.Acks {
	case producer.AcksAll, producer.AcksLeader, producer.AcksNone: // librdkafka's words are ours
		return string(config.Acks), nil
	default:
		return "", unknown("acks", config.Acks)
	}
}

func compression(config producer.Config) (string, error) {
	switch config.Compression {
	case producer.CompressionNone, producer.CompressionGzip, producer.CompressionSnappy, producer.CompressionLZ4, producer.CompressionZstd:
		return string(config.Compression), nil
	default:
		return "", unknown("compression", config.Compression)
	}
}

func unknown[T interface {
	~string
	Known() []string
}](setting string, got T) error {
	return fmt.Errorf("%s: want one of %s, got %q", setting, strings.Join(got.Known(), ", "), string(got))
}
