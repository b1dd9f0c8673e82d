package sarama

import (
	"fmt"
	"strings"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// settings translates the configuration. What is not mentioned here is as Sarama has it by default: MaxMessageBytes
// (1 MiB), ChannelBufferSize (256 messages per topic and per partition). Encoding is not the client's business.
func (p *asyncProducer) settings(config producer.Config) (*sarama.Config, error) {
	s := sarama.NewConfig()
	s.ClientID = config.ClientID

	// The version chooses the requests, and Sarama lowers each to what the broker offers. 3.7 is the first with Produce
	// v10, the newest that Sarama speaks; its default, 2.8, would test a path that current brokers keep for old clients.
	// Headers need 0.11, zstd 2.1.
	s.Version = sarama.V3_7_0_0

	// Both channels are on, since an outcome comes through one of them. What counts or stamps records must not sit in an
	// interceptor: those run again for every attempt and for messages of Sarama's own.
	s.Producer.Return.Successes = true
	s.Producer.Return.Errors = true

	var err error
	if s.Producer.RequiredAcks, err = acks(config.Acks); err != nil {
		return nil, err
	}
	if s.Producer.Compression, err = compression(config.Compression); err != nil {
		return nil, err
	}
	if s.Producer.Partitioner, err = p.partitioner(config.Partitioner); err != nil {
		return nil, err
	}
	// Sarama wants acks from all, at least one retry and a single open request with it, and says so itself.
	s.Producer.Idempotent = config.Idempotent
	switch {
	case config.MaxInFlight > 0:
		s.Net.MaxOpenRequests = config.MaxInFlight
	case config.Idempotent:
		s.Net.MaxOpenRequests = 1 // or what it has by itself, 5
	}

	p.batches(s, config.Batch)
	p.patience(s, config.Retry)
	if err := timeouts(s, config.Timeout); err != nil {
		return nil, err
	}

	// Ask only for the topics that are written to, as Kafka's own client does. It also lets New have the client before
	// it is connected, so that it can stop it. A topic that does not exist must stay an error.
	s.Metadata.Full = false
	s.Metadata.AllowAutoTopicCreation = false
	if config.MetadataRefresh > 0 { // by itself Sarama takes ten minutes to see that a topic has got more partitions
		s.Metadata.RefreshFrequency = config.MetadataRefresh
	}

	p.metrics = &registry{metrics: s.MetricRegistry}
	s.MetricRegistry = p.metrics
	return s, s.Validate()
}

// batches sets when a request is sent. Flush.Bytes counts the bytes of all partitions that wait for the same broker; what
// limits the batch of one partition is MaxMessageBytes, which limits a single record too and therefore must not follow
// batch.bytes down. Nor up: at 1 MiB it is what a broker takes by default, and beyond that the broker would refuse batches.
func (p *asyncProducer) batches(s *sarama.Config, batch producer.Batch) {
	s.Producer.Flush.Frequency = batch.Linger
	if batch.Linger > 0 {
		s.Producer.Flush.Bytes = int(batch.Bytes)
	}
	// Without a linger Flush.Bytes must be off: Sarama would wait for the bytes and have no timer to stop waiting. With
	// both off it sends at once, in batches of what came while the request before was under way.
}

// patience sets how long Sarama keeps trying.
//
// The metadata get the same patience as the records. Each topic and each partition has a circuit breaker that is not
// configurable: after three refreshes that gave up it opens for ten seconds, in which every record fails without an
// attempt, whatever Retry.Max is. A refresh that lasts as long as the outage never gives up, so retry.max × retry.backoff
// has to be longer than the longest outage; else the client's blackout would be taken for the broker's recovery time.
func (p *asyncProducer) patience(s *sarama.Config, retry producer.Retry) {
	s.Producer.Retry.Max = retry.Max
	s.Producer.Retry.Backoff = retry.Backoff // used beside BackoffFunc when a leader is abandoned
	s.Producer.Retry.BackoffFunc = p.trouble.retryPause(retry.Backoff)
	s.Metadata.Retry.Max = retry.Max
	s.Metadata.Retry.BackoffFunc = p.trouble.metadataPause(retry.Backoff)
	// Not only for transactions: these bound how an idempotent producer asks for its identity.
	s.Producer.Transaction.Retry.Max = retry.Max
	s.Producer.Transaction.Retry.BackoffFunc = p.trouble.metadataPause(retry.Backoff)
}

// timeouts sets the client's waits. Sarama's defaults of 30 s would hide a frozen broker for half a minute. The dialer
// stays Sarama's own: one of ours (Net.Proxy) would not get the dial timeout.
func timeouts(s *sarama.Config, timeout producer.Timeout) error {
	if timeout.Read <= timeout.Request {
		// The client would give up on a request that the broker still works on, and send it again.
		return fmt.Errorf("timeout.read (%s) must be longer than timeout.request (%s)", timeout.Read, timeout.Request)
	}
	s.Net.DialTimeout = timeout.Dial
	s.Net.ReadTimeout = timeout.Read
	s.Net.WriteTimeout = timeout.Read // a broker that reads nothing is as frozen as one that writes nothing
	s.Producer.Timeout = timeout.Request
	return nil
}

func acks(acks producer.Acks) (sarama.RequiredAcks, error) {
	switch acks {
	case producer.AcksAll:
		return sarama.WaitForAll, nil
	case producer.AcksLeader:
		return sarama.WaitForLocal, nil
	case producer.AcksNone:
		return sarama.NoResponse, nil
	default:
		return 0, unknown("acks", acks)
	}
}

func compression(compression producer.Compression) (sarama.CompressionCodec, error) {
	switch compression {
	case producer.CompressionNone:
		return sarama.CompressionNone, nil
	case producer.CompressionGzip:
		return sarama.CompressionGZIP, nil
	case producer.CompressionSnappy:
		return sarama.CompressionSnappy, nil
	case producer.CompressionLZ4:
		return sarama.CompressionLZ4, nil
	case producer.CompressionZstd:
		return sarama.CompressionZSTD, nil
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

// Settings is what New gives to Sarama for a configuration. It is for a program that drives a Sarama of its own with the
// settings that are put under test, to have something to compare with.
func Settings(config producer.Config) (*sarama.Config, error) {
	p := new(asyncProducer)
	if config.Partitioner == producer.PartitionerFailover { // which asks the producer's own client for leaders
		return nil, fmt.Errorf("partitioner: %q works only in a producer made by New", config.Partitioner)
	}
	return p.settings(config)
}
