package kafkago

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

// sendOne sends a record and returns what became of it.
func sendOne(t *testing.T, p producer.Producer, y *tally, r *producer.Record) producer.Outcome {
	send(t, p, r)
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	return y.of(r.Token.Sequence)
}

func TestKind(t *testing.T) {
	kind := Kind()
	assert.Equal(t, "kafkago", kind.Name)
	assert.Regexp(t, `^v\d+\.\d+\.\d+`, kind.Version)
}

// TestPartitionersAgree holds the pure functions, by which records are judged, against the balancers by which kafka-go sends.
func TestPartitionersAgree(t *testing.T) {
	keys := [][]byte{
		{0}, {0xff}, {0x80, 0, 0, 0},
		[]byte("climate-0401003027"), []byte("climate-20253y0c"), []byte("climate-004450666"), []byte("climate-5067365912"), // hash to MinInt32
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		key := make([]byte, 1+random.IntN(40))
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		keys = append(keys, key)
	}
	for _, known := range []producer.Partitioner{
		producer.PartitionerHash, producer.PartitionerReferenceHash, producer.PartitionerMurmur2, producer.PartitionerCRC32,
	} {
		t.Run(string(known), func(t *testing.T) {
			theirs, err := balancer(known)
			require.NoError(t, err)
			for _, n := range []int32{1, 2, 3, 12, 24, 100} {
				numbers := make([]int, n)
				for i := range numbers {
					numbers[i] = i
				}
				for _, key := range keys {
					m := &message{}
					got := theirs.Balance(kafka.Message{Key: key, WriterData: m}, numbers...)
					want := known.Partition(key, n)
					require.EqualValues(t, want, got, "%q over %d partitions", key, n)
					require.Equal(t, want, m.partition)
				}
			}
		})
	}
}

func TestStateOf(t *testing.T) {
	for _, c := range []struct {
		err         error
		once, twice producer.State // with one attempt, and with more
	}{
		{nil, producer.Acked, producer.Acked},
		{kafka.MessageSizeTooLarge, producer.Failed, producer.Unknown},
		{fmt.Errorf("%w: because", kafka.InvalidTimestamp), producer.Failed, producer.Unknown},
		{kafka.TopicAuthorizationFailed, producer.Failed, producer.Unknown},
		{kafka.ClusterAuthorizationFailed, producer.Failed, producer.Unknown},
		{kafka.RequestTimedOut, producer.Unknown, producer.Unknown},
		{kafka.NotEnoughReplicasAfterAppend, producer.Unknown, producer.Unknown},
		{kafka.NotLeaderForPartition, producer.Unknown, producer.Unknown},
		{context.DeadlineExceeded, producer.Unknown, producer.Unknown},
		{io.ErrUnexpectedEOF, producer.Unknown, producer.Unknown},
	} {
		assert.Equal(t, c.once, stateOf(c.err, 1), "%v", c.err)
		assert.Equal(t, c.twice, stateOf(c.err, 2), "%v, again", c.err)
	}
}

// TestRefusalAfterTrouble: a batch that was tried before may be in the log, whatever the last answer is; the next one is judged afresh.
func TestRefusalAfterTrouble(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	refuse := func(err *kerr.Error) { c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err}) }
	refuse(kerr.MessageTooLarge)
	assert.Equal(t, producer.Failed, sendOne(t, p, &y, record(0)).State)
	refuse(kerr.NotLeaderForPartition)
	assert.Equal(t, producer.Acked, sendOne(t, p, &y, record(50)).State, "by the second attempt")
	refuse(kerr.RequestTimedOut)
	refuse(kerr.MessageTooLarge)
	tried := p.Stats().Retries
	assert.Equal(t, producer.Unknown, sendOne(t, p, &y, record(100)).State, "after an attempt that was stored")
	assert.Greater(t, p.Stats().Retries, tried)
	refuse(kerr.MessageTooLarge)
	assert.Equal(t, producer.Failed, sendOne(t, p, &y, record(150)).State)
	assert.True(t, p.Stats().RetriesKnown)
	y.once(t, 4)
}

// TestLocalRefusal: what WriteMessages refuses is in no batch.
func TestLocalRefusal(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	large := record(0)
	large.Value = make([]byte, 32<<10)
	assert.Equal(t, producer.Failed, sendOne(t, p, &y, large).State)
	nowhere := record(1)
	nowhere.Topic = "nowhere"
	o := sendOne(t, p, &y, nowhere)
	assert.Equal(t, producer.Failed, o.State)
	require.ErrorIs(t, o.Err, kafka.UnknownTopicOrPartition)
	assert.Zero(t, c.stored())
}

// TestCloseCutsOff: the broker says nothing, and kafka-go would wait and repeat for minutes.
func TestCloseCutsOff(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Timeout.Read = time.Minute
	var y tally
	p := connect(t, config, y.outcome)
	asked := make(chan struct{}, 1)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		asked <- struct{}{}
		return nil, nil, true
	})
	send(t, p, record(0))
	<-asked
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("aborted"))
	require.NoError(t, p.Close(ctx))
	assert.Equal(t, map[producer.State]int{producer.Unknown: 1}, y.once(t, 1))
	require.ErrorIs(t, p.Send(context.Background(), record(1)), producer.ErrClosed)
	require.NoError(t, p.Close(context.Background()))
}
