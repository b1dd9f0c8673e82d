package confluent

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

func TestKind(t *testing.T) {
	kind := Kind()
	assert.Equal(t, "confluent", kind.Name)
	assert.Regexp(t, `^v\d+\.\d+\.\d+`, kind.Version)
}

// TestPartitionersAgree holds the pure functions, by which records are judged, against where librdkafka sends keys that any
// slip in the arithmetic would send elsewhere.
func TestPartitionersAgree(t *testing.T) {
	keys := [][]byte{
		{0}, {0xff}, {0x80, 0, 0, 0},
		[]byte("climate-0401003027"), []byte("climate-20253y0c"), []byte("climate-004450666"), []byte("climate-5067365912"), // hash to MinInt32
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		key := make([]byte, 1+random.IntN(40))
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		keys = append(keys, key)
	}
	for _, known := range []producer.Partitioner{producer.PartitionerHash, producer.PartitionerMurmur2, producer.PartitionerCRC32} {
		t.Run(string(known), func(t *testing.T) {
			c := start(t, 1)
			config := settings(c.ListenAddrs())
			config.Partitioner = known
			var y tally
			p := connect(t, config, y.outcome)
			for i, key := range keys {
				r := record(i)
				r.Key = key
				send(t, p, r)
			}
			require.NoError(t, p.Flush(within(t, 20*time.Second)))
			y.once(t, len(keys))
			for i, key := range keys {
				require.Equal(t, known.Partition(key, partitions), y.of(uint64(i)).Partition, "%q", key)
			}
		})
	}
}

// TestStates: only what Produce itself refuses is certain.
func TestStates(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	one := func(sequence int, change func(*producer.Record)) producer.Outcome {
		r := record(sequence)
		change(r)
		send(t, p, r)
		require.NoError(t, p.Flush(within(t, 20*time.Second)))
		return y.of(uint64(sequence))
	}
	as := func(*producer.Record) {}
	assert.Equal(t, producer.Acked, one(0, as).State)
	assert.Equal(t, producer.Failed, one(1, func(r *producer.Record) { r.Value = make([]byte, 2<<20) }).State)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
	assert.Equal(t, producer.Unknown, one(2, as).State)
	assert.EqualValues(t, 1, c.stored())
	assert.False(t, p.Stats().RetriesKnown)
}

// TestSendWaitsForRoom fills the queue of a broker that holds its answers back.
func TestSendWaitsForRoom(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Timeout.Read = time.Minute
	var y tally
	p := connect(t, config, y.outcome)
	held := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-held })
		return nil, nil, false
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const room = 100_000 // librdkafka's own limit
	for i := range room {
		require.NoError(t, p.Send(ctx, record(i)))
	}
	tight, giveUp := context.WithTimeoutCause(ctx, 50*time.Millisecond, errors.New("no more time"))
	defer giveUp()
	require.EqualError(t, p.Send(tight, record(room)), "send record: no more time")
	blocked := make(chan error, 1)
	go func() { blocked <- p.Send(ctx, record(room)) }()
	for p.Stats().Queued == room {
		require.NoError(t, ctx.Err())
	}
	close(held)
	require.NoError(t, <-blocked)
	require.NoError(t, p.Close(within(t, 60*time.Second)))
	assert.Equal(t, map[producer.State]int{producer.Acked: room + 1}, y.once(t, room+1))
}

// TestCloseGivesUp: the broker says nothing.
func TestCloseGivesUp(t *testing.T) {
	c := start(t, 1)
	var y tally
	p := connect(t, settings(c.ListenAddrs()), y.outcome)
	asked := make(chan struct{}, 1)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		asked <- struct{}{}
		return nil, nil, true
	})
	send(t, p, record(0))
	<-asked
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Close(ctx) // librdkafka may take longer
	assert.Equal(t, map[producer.State]int{producer.Unknown: 1}, y.once(t, 1))
	require.ErrorIs(t, p.Send(context.Background(), record(1)), producer.ErrClosed)
	require.NoError(t, p.Close(context.Background()))
}
