package kafkago

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/fleetproof/fleetproof/producer"
)

const (
	// atOnce stands for a duration of zero, which kafka-go takes for its own default.
	atOnce = time.Nanosecond

	// smallest is below the size of any record of a fleet. The Writer limits a batch by its number of records too, and
	// gets room for as many each time it begins one, so that the number can be neither left out nor very large.
	smallest = 128

	leastBatch, mostBatch = 100, 10_000 // records: kafka-go's default, and what it gets room for at most
)

// configure translates the configuration. What is not mentioned here is as kafka-go has it by default. Encoding is not the
// client's business.
func configure(config producer.Config) (*kafka.Writer, *wire, error) {
	timeout := config.Timeout
	switch {
	case len(config.Bootstrap) == 0:
		return nil, nil, errors.New("bootstrap: want at least one address")
	case config.Idempotent:
		return nil, nil, errors.New("idempotent: kafka-go has no idempotent producer; set idempotent: false")
	case config.MaxInFlight > 1:
		return nil, nil, fmt.Errorf("max_in_flight (%d): kafka-go has one request on a connection, and opens more of them; leave it out", config.MaxInFlight)
	case timeout.Read <= timeout.Request:
		// The client would give up on a request that the broker still works on, and send it again.
		return nil, nil, fmt.Errorf("timeout.read (%s) must be longer than timeout.request (%s)", timeout.Read, timeout.Request)
	}
	transport := &kafka.Transport{ClientID: config.ClientID, DialTimeout: timeout.Dial, MetadataTTL: config.MetadataRefresh}
	wire := newWire(transport, timeout.Request)
	settings := &kafka.Writer{
		Addr:            kafka.TCP(config.Bootstrap...),
		Transport:       wire,
		Async:           true,
		MaxAttempts:     config.Retry.Max + 1,
		WriteBackoffMin: max(config.Retry.Backoff, atOnce),
		WriteBackoffMax: max(config.Retry.Backoff, atOnce), // or each pause would be longer than the one before
		BatchTimeout:    max(config.Batch.Linger, atOnce),
		BatchBytes:      int64(config.Batch.Bytes), // also the largest record
		BatchSize:       min(max(int(config.Batch.Bytes)/smallest, leastBatch), mostBatch),
		ReadTimeout:     timeout.Read,
		WriteTimeout:    timeout.Read, // from the request to its response, despite the name
	}
	var err error
	if settings.RequiredAcks, err = acks(config.Acks); err != nil {
		return nil, nil, err
	}
	if settings.Compression, err = compression(config.Compression); err != nil {
		return nil, nil, err
	}
	if settings.Balancer, err = balancer(config.Partitioner); err != nil {
		return nil, nil, err
	}
	return settings, wire, nil
}

// partitioned is a balancer that tells each message its partition: the Writer does not, unless a response has come.
type partitioned struct{ kafka.Balancer }

func (p partitioned) Balance(m kafka.Message, partitions ...int) int {
	number := p.Balancer.Balance(m, partitions...)
	m.WriterData.(*message).partition = int32(number)
	return number
}

// balancer returns kafka-go's own balancer of that name. Where it sends a key is not asked of it by anyone:
// producer.Partition says it independently. None of them knows which partitions have a leader, so that there is no failover.
func balancer(name producer.Partitioner) (kafka.Balancer, error) {
	switch name {
	case producer.PartitionerHash:
		return partitioned{&kafka.Hash{}}, nil
	case producer.PartitionerReferenceHash:
		return partitioned{&kafka.ReferenceHash{}}, nil
	case producer.PartitionerMurmur2:
		return partitioned{kafka.Murmur2Balancer{Consistent: true}}, nil
	case producer.PartitionerCRC32:
		return partitioned{kafka.CRC32Balancer{Consistent: true}}, nil
	case producer.PartitionerFailover:
		return nil, errors.New("partitioner: kafka-go has no failover, since its balancers do not know the leaders")
	default:
		return nil, unknown("partitioner", name)
	}
}

func acks(acks producer.Acks) (kafka.RequiredAcks, error) {
	switch acks {
	case producer.AcksAll:
		return kafka.RequireAll, nil
	case producer.AcksLeader:
		return kafka.RequireOne, nil
	case producer.AcksNone:
		return kafka.RequireNone, nil
	default:
		return 0, unknown("acks", acks)
	}
}

func compression(compression producer.Compression) (kafka.Compression, error) {
	switch compression {
	case producer.CompressionNone:
		return 0, nil
	case producer.CompressionGzip:
		return kafka.Gzip, nil
	case producer.CompressionSnappy:
		return kafka.Snappy, nil
	case producer.CompressionLZ4:
		return kafka.Lz4, nil
	case producer.CompressionZstd:
		return kafka.Zstd, nil
	default:
		return 0, unknown("compression", compression)
	}
}

func unknown[T interface {
	~string
	Known() []string
}](setting string, got T) error {
	return fmt.Errorf("%s: want one of %s, got %q", setting, strings.Join(got.Known(), ", "), string(got))
}
