package sarama

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

func TestStateOfError(t *testing.T) {
	const failed, unknown = producer.Failed, producer.Unknown
	for _, c := range []struct {
		name          string
		err           error
		calm, trouble producer.State // without and with trouble before
	}{
		{"too large for the client", sarama.ConfigurationError("message larger than"), failed, failed},
		{"no such partition", sarama.ErrInvalidPartition, failed, failed},
		{"request not encodable", sarama.PacketEncodingError{Info: "invalid request size"}, failed, unknown},
		{"too large for the broker", sarama.ErrMessageSizeTooLarge, failed, unknown},
		{"timestamp", sarama.ErrInvalidTimestamp, failed, unknown},
		{"topic authorization", sarama.ErrTopicAuthorizationFailed, failed, unknown},
		{"cluster authorization", sarama.ErrClusterAuthorizationFailed, failed, unknown},
		{"authorization in metadata", fmt.Errorf("refresh: %w", sarama.ErrTopicAuthorizationFailed), unknown, unknown},
		{"request timeout", sarama.ErrRequestTimedOut, unknown, unknown},
		{"not the leader", sarama.ErrNotLeaderForPartition, unknown, unknown},
		{"too few replicas", sarama.ErrNotEnoughReplicas, unknown, unknown},
		{"too few replicas after append", sarama.ErrNotEnoughReplicasAfterAppend, unknown, unknown},
		{"out of order", sarama.ErrOutOfOrderSequenceNumber, unknown, unknown},
		{"unknown topic", sarama.ErrUnknownTopicOrPartition, unknown, unknown},
		{"no brokers", sarama.Wrap(sarama.ErrOutOfBrokers, io.EOF), unknown, unknown},
		{"shutdown", sarama.ErrShuttingDown, unknown, unknown},
		{"connection", io.EOF, unknown, unknown},
		{"breaker", errors.New("circuit breaker is open"), unknown, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calm trouble
			assert.Equal(t, c.calm, calm.state(c.err))
			assert.Equal(t, c.calm == unknown, calm.seen.Load(), "an unknown outcome is trouble, a failed one is not")

			for name, happen := range map[string]func(*trouble){
				"retry":    func(y *trouble) { y.retryPause(0)(1, 9) },
				"metadata": func(y *trouble) { y.metadataPause(0)(1, 9) },
				"unknown":  func(y *trouble) { y.state(io.ErrUnexpectedEOF) },
			} {
				var y trouble
				happen(&y)
				assert.Equal(t, c.trouble, y.state(c.err), "after %s", name)
				happen(&y)
				y.forget()
				assert.Equal(t, c.calm, y.state(c.err), "after %s was forgotten", name)
			}
		})
	}
}

func TestPauses(t *testing.T) {
	var y trouble
	retry, metadata := y.retryPause(time.Second), y.metadataPause(2*time.Second)
	assert.Equal(t, time.Second, retry(0, 9)) // for want of a leader: no attempt
	assert.Zero(t, y.retries.Load())
	assert.Equal(t, time.Second, retry(1, 9))
	assert.Equal(t, time.Second, retry(2, 9))
	assert.Equal(t, 2*time.Second, metadata(1, 9))
	assert.EqualValues(t, 2, y.retries.Load())
	y.hurry.Store(true)
	assert.Zero(t, retry(3, 9))
	assert.Zero(t, metadata(2, 9))
	assert.EqualValues(t, 3, y.retries.Load())
}

// sendOne sends a record and returns what became of it.
func sendOne(t *testing.T, p producer.Producer, y *tally, r *producer.Record) producer.Outcome {
	send(t, p, r)
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	return y.of(r.Token.Sequence)
}

func TestOversizeFails(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	large := record(1)
	large.Value = make([]byte, 1<<20)
	send(t, p, record(0), large, record(2))
	require.NoError(t, p.Flush(within(t, 20*time.Second)))

	assert.Equal(t, map[producer.State]int{producer.Acked: 2, producer.Failed: 1}, y.once(t, 3))
	o := y.of(1)
	assert.Equal(t, producer.Failed, o.State)
	require.ErrorContains(t, o.Err, "larger than configured Producer.MaxMessageBytes")
	assert.Equal(t, producer.OffsetUnset, o.Offset)
	assert.EqualValues(t, -1, o.Partition, "it never came to a partition")
	assert.EqualValues(t, 2, c.stored())
}

func TestBrokerRefusal(t *testing.T) {
	for _, refusal := range []*kerr.Error{
		kerr.MessageTooLarge, kerr.InvalidTimestamp, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	} {
		for _, idempotent := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s idempotent %t", refusal.Message, idempotent), func(t *testing.T) {
				c := start(t, 1)
				config := settings(c.ListenAddrs())
				config.Idempotent = idempotent
				config.Retry.Max = 1
				var y tally
				p := connect(t, config, y.outcome)
				fault := kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: refusal}

				c.Fault(fault)
				assert.Equal(t, producer.Failed, sendOne(t, p, &y, record(0)).State, "in a calm run")
				c.Fault(fault)
				assert.Equal(t, producer.Failed, sendOne(t, p, &y, record(1)).State, "after another refusal")
				assert.Zero(t, c.stored())
				assert.Equal(t, producer.Acked, sendOne(t, p, &y, record(2)).State)

				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition})
				assert.Equal(t, producer.Acked, sendOne(t, p, &y, record(3)).State, "by the second attempt")
				c.Fault(fault)
				assert.Equal(t, producer.Unknown, sendOne(t, p, &y, record(4)).State, "after trouble")
				y.once(t, 5)
			})
		}
	}
}

func TestGivingUpIsUnknown(t *testing.T) {
	for _, c := range []struct {
		err    *kerr.Error
		stored bool
	}{
		{kerr.NotEnoughReplicas, false},
		{kerr.NotEnoughReplicasAfterAppend, true}, // an error, and yet in the log
		{kerr.RequestTimedOut, true},
		{kerr.NotLeaderForPartition, false},
	} {
		t.Run(c.err.Message, func(t *testing.T) {
			cluster := start(t, 1)
			config := settings(cluster.ListenAddrs())
			config.Idempotent = false
			config.Retry = producer.Retry{Max: 2, Backoff: time.Millisecond}
			var y tally
			p := connect(t, config, y.outcome)
			fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: c.err, Count: -1})
			o := sendOne(t, p, &y, record(0))
			assert.Equal(t, producer.Unknown, o.State)
			require.Error(t, o.Err)
			assert.Equal(t, producer.OffsetUnset, o.Offset)
			assert.Equal(t, c.stored, cluster.stored() > 0)
			assert.Equal(t, 3, fault.Hits())
			stats := p.Stats()
			assert.EqualValues(t, 2, stats.Retries)
			assert.EqualValues(t, 3, stats.Batches)

			large := record(1)
			large.Value = make([]byte, 1<<20)
			assert.Equal(t, producer.Failed, sendOne(t, p, &y, large).State, "what is never sent fails in any run")
		})
	}
}

func TestLostConnectionIsUnknown(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Idempotent = false
	config.Retry = producer.Retry{}
	var y tally
	p := connect(t, config, y.outcome)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("hang up"), true
	})
	o := sendOne(t, p, &y, record(0))
	assert.Equal(t, producer.Unknown, o.State)
	assert.Error(t, o.Err)
}

// TestDuplicateSequenceNumber: the broker says that it has the batch already, but not where. Sarama counts that as success
// and leaves the offset of the message as it was.
func TestDuplicateSequenceNumber(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.DuplicateSequenceNumber})
	o := sendOne(t, p, &y, record(0))
	require.NoError(t, o.Err)
	assert.Equal(t, producer.Acked, o.State)
	assert.Equal(t, producer.OffsetUnset, o.Offset)
	assert.Equal(t, producer.PartitionerHash.Partition(record(0).Key, partitions), o.Partition)
}
