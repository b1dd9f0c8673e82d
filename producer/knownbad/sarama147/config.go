package sarama147

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// settings translates the configuration. What is not mentioned here is as Sarama has it by default. The reasons are those
// of producer/sarama, so that the two versions run under the same settings; they differ where v1.47.0 has less to offer.
func (p *asyncProducer) settings(config producer.Config) (*sarama.Config, error) {
	if config.Timeout.Read <= config.Timeout.Request {
		return nil, fmt.Errorf("timeout.read (%s) must be longer than timeout.request (%s)", config.Timeout.Read, config.Timeout.Request)
	}
	s := sarama.NewConfig()
	s.ClientID = config.ClientID
	s.Version = sarama.V3_7_0_0 // as for the version in use; v1.47.0 has Produce up to v7
	s.Producer.Return.Successes = true
	s.Producer.Return.Errors = true
	s.Metadata.Full = false
	s.Metadata.AllowAutoTopicCreation = false
	if config.MetadataRefresh > 0 {
		s.Metadata.RefreshFrequency = config.MetadataRefresh
	}

	var err error
	if s.Producer.RequiredAcks, err = choose("acks", config.Acks, map[producer.Acks]sarama.RequiredAcks{
		producer.AcksAll: sarama.WaitForAll, producer.AcksLeader: sarama.WaitForLocal, producer.AcksNone: sarama.NoResponse,
	}); err != nil {
		return nil, err
	}
	if s.Producer.Compression, err = choose("compression", config.Compression, map[producer.Compression]sarama.CompressionCodec{
		producer.CompressionNone: sarama.CompressionNone, producer.CompressionGzip: sarama.CompressionGZIP,
		producer.CompressionSnappy: sarama.CompressionSnappy, producer.CompressionLZ4: sarama.CompressionLZ4,
		producer.CompressionZstd: sarama.CompressionZSTD,
	}); err != nil {
		return nil, err
	}
	if s.Producer.Partitioner, err = choose("partitioner", config.Partitioner, map[producer.Partitioner]sarama.PartitionerConstructor{
		producer.PartitionerHash:          sarama.NewHashPartitioner,
		producer.PartitionerReferenceHash: sarama.NewReferenceHashPartitioner,
		producer.PartitionerCRC32:         sarama.NewConsistentCRCHashPartitioner,
	}); err != nil {
		return nil, err
	}
	s.Producer.Idempotent = config.Idempotent
	switch {
	case config.MaxInFlight > 0:
		s.Net.MaxOpenRequests = config.MaxInFlight
	case config.Idempotent:
		s.Net.MaxOpenRequests = 1 // or what it has by itself, 5
	}

	s.Producer.Flush.Frequency = config.Batch.Linger
	if config.Batch.Linger > 0 { // without a timer Sarama would wait for the bytes for ever
		s.Producer.Flush.Bytes = int(config.Batch.Bytes)
	}

	s.Producer.Retry.Max = config.Retry.Max
	s.Producer.Retry.Backoff = config.Retry.Backoff
	s.Producer.Retry.BackoffFunc = func(attempt, _ int) time.Duration {
		if attempt > 0 { // 0: a record failed for want of a leader, without an attempt
			p.retries.Add(1)
		}
		return p.unlessHurried(config.Retry.Backoff)
	}
	// The metadata get the patience of the records: three refreshes that gave up open a circuit breaker for ten seconds.
	patient := func(int, int) time.Duration { return p.unlessHurried(config.Retry.Backoff) }
	s.Metadata.Retry.Max, s.Metadata.Retry.BackoffFunc = config.Retry.Max, patient
	s.Producer.Transaction.Retry.Max, s.Producer.Transaction.Retry.BackoffFunc = config.Retry.Max, patient

	s.Net.DialTimeout = config.Timeout.Dial
	s.Net.ReadTimeout = config.Timeout.Read
	s.Net.WriteTimeout = config.Timeout.Read
	s.Producer.Timeout = config.Timeout.Request
	return s, s.Validate()
}

func (p *asyncProducer) unlessHurried(pause time.Duration) time.Duration {
	if p.hurry.Load() {
		return 0
	}
	return pause
}

// choose looks up what v1.47.0 has for a value.
func choose[K ~string, V any](setting string, value K, known map[K]V) (V, error) {
	chosen, found := known[value]
	if !found {
		return chosen, fmt.Errorf("%s: v1.47.0 has no %q", setting, string(value))
	}
	return chosen, nil
}
