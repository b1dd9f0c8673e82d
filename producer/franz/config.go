package franz

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
)

const (
	// inFlightIdempotent is how many requests an idempotent franz-go has without a response on a connection, from its
	// first response on. There is no option for it.
	inFlightIdempotent = 5

	// The bounds that franz-go sets itself.
	leastRequestTimeout = 100 * time.Millisecond
	leastMetadataAge    = 10 * time.Millisecond
	leastBatch          = 512
)

// options translates the configuration. What is not mentioned here is as franz-go has it by default: 50,000 records in its
// buffer. Encoding is not the client's business.
func (p *asyncProducer) options(config producer.Config) ([]kgo.Opt, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(config.Bootstrap...),
		kgo.ClientID(config.ClientID),
		kgo.WithHooks(&p.trouble),
		kgo.ProducerLinger(config.Batch.Linger),
		kgo.DisableClientMetrics(), // or Close spends a second on telling a broker that is gone
	}
	if len(config.Bootstrap) == 0 {
		return nil, fmt.Errorf("bootstrap: want at least one address") // or franz-go would try port 9092 of this machine
	}
	for _, translate := range []func(producer.Config) ([]kgo.Opt, error){
		acks, compression, p.batches, patience(&p.trouble), timeouts, inFlight,
	} {
		some, err := translate(config)
		if err != nil {
			return nil, err
		}
		options = append(options, some...)
	}
	partitioner, err := p.partitioner(config.Partitioner)
	if err != nil {
		return nil, err
	}
	return append(options, kgo.RecordPartitioner(partitioner)), nil
}

// batches sets when a batch is sent. franz-go has one number for that and for the largest record it takes, so that
// batch.bytes limits both: a record beyond it fails.
func (p *asyncProducer) batches(config producer.Config) ([]kgo.Opt, error) {
	if config.Batch.Bytes == 0 {
		p.largest = 1_000_012 // franz-go's own
		return nil, nil
	}
	if config.Batch.Bytes < leastBatch {
		return nil, fmt.Errorf("batch.bytes (%s): franz-go wants at least %d B", config.Batch.Bytes, leastBatch)
	}
	p.largest = int(config.Batch.Bytes)
	return []kgo.Opt{kgo.ProducerBatchMaxBytes(int32(config.Batch.Bytes))}, nil
}

// patience sets how long franz-go keeps trying. Idempotent, it obeys the number only where it knows that the batch is not
// stored: a batch whose response was lost is repeated until there is one.
//
// New leaders are looked for as often as a record is attempted, instead of every five seconds: franz-go repeats what a
// broker refused only after it has got new metadata, so that this is the pause.
func patience(t *trouble) func(producer.Config) ([]kgo.Opt, error) {
	return func(config producer.Config) ([]kgo.Opt, error) {
		age := max(config.Retry.Backoff, leastMetadataAge)
		options := []kgo.Opt{
			kgo.RecordRetries(config.Retry.Max),
			kgo.UnknownTopicRetries(config.Retry.Max),
			kgo.RequestRetries(config.Retry.Max),
			kgo.RetryTimeout(0),
			kgo.RetryBackoffFn(t.pause(config.Retry.Backoff)),
			kgo.MetadataMinAge(age),
		}
		if config.MetadataRefresh > 0 { // by itself franz-go takes five minutes to see that a topic has got more partitions
			options = append(options, kgo.MetadataMaxAge(max(config.MetadataRefresh, age)))
		}
		return options, nil
	}
}

// timeouts sets the client's waits. franz-go waits for the response to a produce request as long as the broker may take
// and then a while, which it also waits for every other response: so that it is the difference.
func timeouts(config producer.Config) ([]kgo.Opt, error) {
	timeout := config.Timeout
	if timeout.Request < leastRequestTimeout {
		return nil, fmt.Errorf("timeout.request (%s): franz-go wants at least %s", timeout.Request, leastRequestTimeout)
	}
	if timeout.Read < timeout.Request+leastRequestTimeout {
		return nil, fmt.Errorf("timeout.read (%s) must be longer than timeout.request (%s) by at least %s",
			timeout.Read, timeout.Request, leastRequestTimeout)
	}
	return []kgo.Opt{
		kgo.DialTimeout(timeout.Dial),
		kgo.ProduceRequestTimeout(timeout.Request),
		kgo.RequestTimeoutOverhead(timeout.Read - timeout.Request),
	}, nil
}

func inFlight(config producer.Config) ([]kgo.Opt, error) {
	if config.Idempotent {
		if config.MaxInFlight != 0 && config.MaxInFlight != inFlightIdempotent {
			return nil, fmt.Errorf("max_in_flight (%d): an idempotent franz-go has %d, whatever is asked; leave it out",
				config.MaxInFlight, inFlightIdempotent)
		}
		return nil, nil
	}
	options := []kgo.Opt{kgo.DisableIdempotentWrite()}
	if config.MaxInFlight > 0 {
		options = append(options, kgo.MaxProduceRequestsInflightPerBroker(config.MaxInFlight))
	}
	return options, nil
}

func acks(config producer.Config) ([]kgo.Opt, error) {
	switch config.Acks {
	case producer.AcksAll:
		return []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks())}, nil
	case producer.AcksLeader:
		return []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck())}, nil
	case producer.AcksNone:
		return []kgo.Opt{kgo.RequiredAcks(kgo.NoAck())}, nil
	default:
		return nil, unknown("acks", config.Acks)
	}
}

func compression(config producer.Config) ([]kgo.Opt, error) {
	var codec kgo.CompressionCodec
	switch config.Compression {
	case producer.CompressionNone:
		codec = kgo.NoCompression()
	case producer.CompressionGzip:
		codec = kgo.GzipCompression()
	case producer.CompressionSnappy:
		codec = kgo.SnappyCompression()
	case producer.CompressionLZ4:
		codec = kgo.Lz4Compression()
	case producer.CompressionZstd:
		codec = kgo.ZstdCompression()
	default:
		return nil, unknown("compression", config.Compression)
	}
	return []kgo.Opt{kgo.ProducerBatchCompression(codec)}, nil
}

func unknown[T interface {
	~string
	Known() []string
}](setting string, got T) error {
	return fmt.Errorf("%s: want one of %s, got %q", setting, strings.Join(got.Known(), ", "), string(got))
}
