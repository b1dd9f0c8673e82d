package franz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

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
	require.ErrorIs(t, o.Err, kerr.MessageTooLarge)
	assert.Equal(t, producer.OffsetUnset, o.Offset)
	assert.Equal(t, producer.PartitionerHash.Partition(large.Key, partitions), o.Partition)
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
		pauses int64
	}{
		{kerr.NotEnoughReplicas, false, 0},           // new metadata come before the next attempt, and no pause
		{kerr.NotEnoughReplicasAfterAppend, true, 2}, // an error, and yet in the log
		{kerr.RequestTimedOut, true, 2},
		{kerr.NotLeaderForPartition, false, 0},
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
			assert.GreaterOrEqual(t, stats.Retries, c.pauses)
			assert.Zero(t, stats.Batches)

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

// TestDuplicateSequenceNumber: the broker says that it has the batch already, but not where. franz-go counts that as success.
func TestDuplicateSequenceNumber(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		asked := request.(*kmsg.ProduceRequest)
		response := asked.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = asked.Topics[0].Topic, asked.Topics[0].TopicID
		partition := kmsg.NewProduceResponseTopicPartition()
		partition.Partition = asked.Topics[0].Partitions[0].Partition
		partition.ErrorCode, partition.BaseOffset = kerr.DuplicateSequenceNumber.Code, -1
		topic.Partitions = append(topic.Partitions, partition)
		response.Topics = append(response.Topics, topic)
		return response, nil, true
	})
	o := sendOne(t, p, &y, record(0))
	require.NoError(t, o.Err)
	assert.Equal(t, producer.Acked, o.State)
	assert.Equal(t, producer.OffsetUnset, o.Offset)
	assert.Equal(t, producer.PartitionerHash.Partition(record(0).Key, partitions), o.Partition)
}

func TestStateOfError(t *testing.T) {
	const failed, unknown = producer.Failed, producer.Unknown
	for _, c := range []struct {
		name          string
		err           error
		oversize      bool
		calm, trouble producer.State // without and with trouble before
	}{
		{"too large for the client", fmt.Errorf("%w (uncompressed_bytes=9)", kerr.MessageTooLarge), true, failed, failed},
		{"too large for the broker", fmt.Errorf("%w (compressed_bytes=9)", kerr.MessageTooLarge), false, failed, unknown},
		{"timestamp", kerr.InvalidTimestamp, false, failed, unknown},
		{"topic authorization", kerr.TopicAuthorizationFailed, false, failed, unknown},
		{"cluster authorization", kerr.ClusterAuthorizationFailed, false, failed, unknown},
		{"large, but that is not why", kgo.ErrRecordRetries, true, unknown, unknown},
		{"request timeout", kerr.RequestTimedOut, false, unknown, unknown},
		{"not the leader", kerr.NotLeaderForPartition, false, unknown, unknown},
		{"too few replicas", kerr.NotEnoughReplicas, false, unknown, unknown},
		{"out of order", kerr.OutOfOrderSequenceNumber, false, unknown, unknown},
		{"unknown topic", kerr.UnknownTopicOrPartition, false, unknown, unknown},
		{"retries", kgo.ErrRecordRetries, false, unknown, unknown},
		{"shutdown", kgo.ErrClientClosed, false, unknown, unknown},
		{"another record's context", &givenBack{cause: context.Canceled}, false, unknown, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calm trouble
			assert.Equal(t, c.calm, calm.state(c.err, c.oversize))
			assert.Equal(t, c.calm == unknown, calm.seen.Load(), "an unknown outcome is trouble, a failed one is not")

			for name, happen := range map[string]func(*trouble){
				"pause":        func(y *trouble) { y.pause(0)(1) },
				"lost request": func(y *trouble) { y.OnBrokerE2E(kgo.BrokerMetadata{}, 0, kgo.BrokerE2E{ReadErr: io.EOF}) },
				"unknown":      func(y *trouble) { y.state(io.ErrUnexpectedEOF, false) },
				"metadata": func(y *trouble) {
					y.began.Store(true)
					y.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 0, 0, 0, nil)
				},
			} {
				var y trouble
				y.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 0, 0, 0, nil) // before any record
				y.OnBrokerE2E(kgo.BrokerMetadata{}, int16(kmsg.Metadata), kgo.BrokerE2E{ReadErr: io.EOF})
				assert.False(t, y.seen.Load())
				happen(&y)
				assert.Equal(t, c.trouble, y.state(c.err, c.oversize), "after %s", name)
				y.forget()
				assert.Equal(t, c.calm, y.state(c.err, c.oversize), "after %s was forgotten", name)
			}
		})
	}
}
