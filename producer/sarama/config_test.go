package sarama

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

func TestSettings(t *testing.T) {
	var p asyncProducer
	s, err := p.settings(producer.Config{
		Bootstrap:   []string{"127.0.0.1:9092"},
		ClientID:    "fleetproof-7",
		Acks:        producer.AcksAll,
		Idempotent:  true,
		Compression: producer.CompressionZstd,
		Partitioner: producer.PartitionerMurmur2,
		Batch:       producer.Batch{Bytes: 32 << 10, Linger: 5 * time.Millisecond},
		MaxInFlight: 1,
		Retry:       producer.Retry{Max: 200, Backoff: 100 * time.Millisecond},
		Timeout:     producer.Timeout{Dial: 2 * time.Second, Read: 5 * time.Second, Request: 3 * time.Second},
	})
	require.NoError(t, err)
	assert.Equal(t, "fleetproof-7", s.ClientID)
	assert.Equal(t, sarama.V3_7_0_0, s.Version)
	assert.Equal(t, sarama.WaitForAll, s.Producer.RequiredAcks)
	assert.True(t, s.Producer.Idempotent)
	assert.Equal(t, sarama.CompressionZSTD, s.Producer.Compression)
	assert.IsType(t, sarama.NewMurmur2Partitioner(""), s.Producer.Partitioner(""))
	assert.Equal(t, 32<<10, s.Producer.Flush.Bytes)
	assert.Equal(t, 5*time.Millisecond, s.Producer.Flush.Frequency)
	assert.Equal(t, 1<<20, s.Producer.MaxMessageBytes)
	assert.Equal(t, 1, s.Net.MaxOpenRequests)
	assert.Equal(t, 2*time.Second, s.Net.DialTimeout)
	assert.Equal(t, 5*time.Second, s.Net.ReadTimeout)
	assert.Equal(t, 5*time.Second, s.Net.WriteTimeout)
	assert.Equal(t, 3*time.Second, s.Producer.Timeout)
	assert.Equal(t, 200, s.Producer.Retry.Max)
	assert.Equal(t, 100*time.Millisecond, s.Producer.Retry.Backoff)
	assert.Equal(t, 100*time.Millisecond, s.Producer.Retry.BackoffFunc(1, 200))
	assert.Equal(t, 200, s.Metadata.Retry.Max)
	assert.Equal(t, 100*time.Millisecond, s.Metadata.Retry.BackoffFunc(1, 200))
	assert.Equal(t, 100*time.Millisecond, s.Producer.Transaction.Retry.BackoffFunc(1, 200))
	assert.True(t, s.Producer.Return.Successes)
	assert.True(t, s.Producer.Return.Errors)
	assert.False(t, s.Metadata.AllowAutoTopicCreation)
	assert.False(t, s.Net.Proxy.Enable)
	assert.Empty(t, s.Producer.Interceptors)
}

// TestMetadataRefresh: without a wish Sarama keeps its own ten minutes; 0 would turn the refreshes off.
func TestMetadataRefresh(t *testing.T) {
	for wanted, set := range map[time.Duration]time.Duration{0: 10 * time.Minute, time.Second: time.Second} {
		config := settings([]string{"127.0.0.1:9092"})
		config.MetadataRefresh = wanted
		var p asyncProducer
		s, err := p.settings(config)
		require.NoError(t, err)
		assert.Equal(t, set, s.Metadata.RefreshFrequency)
	}
}

// TestLinger: bytes without a linger would never be sent.
func TestLinger(t *testing.T) {
	config := settings([]string{"127.0.0.1:9092"})
	config.Batch = producer.Batch{Bytes: 16 << 10}
	var p asyncProducer
	s, err := p.settings(config)
	require.NoError(t, err)
	assert.Zero(t, s.Producer.Flush.Frequency)
	assert.Zero(t, s.Producer.Flush.Bytes)
}

func TestVersion(t *testing.T) { assert.Regexp(t, `^v\d+\.\d+\.\d+`, Version()) }

// TestStats holds the counters against what happened, since they hang on when Sarama registers its metrics.
func TestStats(t *testing.T) {
	const brokers = 3
	c := start(t, brokers)
	for partition := range int32(partitions) {
		require.NoError(t, c.MoveTopicPartition(topic, partition, partition%brokers))
	}
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	assert.Equal(t, producer.Stats{Connections: 2, RetriesKnown: true}, p.Stats(), "the bootstrap, and the one that gave out the producer's id")

	for i := range 50 { // 50 keys, which reach every partition
		send(t, p, record(i))
	}
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	stats := p.Stats()
	assert.EqualValues(t, 1+brokers, stats.Connections, "the bootstrap and every broker")
	assert.GreaterOrEqual(t, stats.Batches, int64(partitions))
	assert.LessOrEqual(t, stats.Batches, int64(50))
	assert.Zero(t, stats.Retries)

	c.cut()
	for i := range 50 {
		send(t, p, record(50+i))
	}
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	y.once(t, 100)
	after := p.Stats()
	assert.GreaterOrEqual(t, after.Batches, stats.Batches+partitions, "a lost connection does not set it back")
	assert.Positive(t, after.Retries)

	require.NoError(t, p.Close(within(t, 20*time.Second)))
	for ctx := within(t, 20*time.Second); p.Stats().Connections > 0; {
		require.NoError(t, ctx.Err())
	}
	closed := p.Stats()
	assert.Equal(t, producer.Stats{Batches: after.Batches, Retries: after.Retries, RetriesKnown: true}, closed)
}
