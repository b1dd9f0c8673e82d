package reread

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestReadsEverythingOnce(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "device-data"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	writer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(writer.Close)
	const each = 500
	for i := range 3 * each { // none in the last partition
		require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{
			Topic: "device-data", Partition: int32(i % 3), Key: fmt.Append(nil, i), Value: fmt.Append(nil, i, "!"),
			Headers: []kgo.RecordHeader{{Key: "id", Value: fmt.Append(nil, i)}},
		}).FirstErr())
	}
	var dialer net.Dialer
	r, err := Open(t.Context(), Source{Brokers: cluster.ListenAddrs(), Dial: dialer.DialContext, ClientID: "again", Stall: 20 * time.Second})
	require.NoError(t, err)
	seen := 0
	for partition, end := range []int64{each, each, each - 1, 0} {
		next := int64(0)
		require.NoError(t, r.Read("device-data", int32(partition), end, func(got Record) {
			i := int(next)*3 + partition
			assert.Equal(t, Record{
				Topic: "device-data", Partition: int32(partition), Offset: next, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i, "!"),
				Headers: []Header{{Key: "id", Value: fmt.Append(nil, i)}},
			}, got)
			next++
			seen++
		}))
		assert.Equal(t, end, next)
	}
	assert.Equal(t, 3*each-1, seen)

	r.stall = 2 * time.Second
	require.EqualError(t, r.Read("device-data", 0, each+1, func(Record) {}),
		"read device-data/0: nothing for 2s, at offset 500 of 501")
	require.ErrorContains(t, r.Read("nowhere", 0, 1, func(Record) {}), "read nowhere/0: ")
	require.NoError(t, r.Close())

	cluster.Close()
	_, err = Open(t.Context(), Source{Brokers: []string{"127.0.0.1:1"}, Dial: dialer.DialContext, Stall: 20 * time.Second})
	require.ErrorContains(t, err, "connect the second reader: ")
}

// line is how a reader reaches a cluster. Once it is dead, nothing that the cluster answers arrives, and only the end of the
// connection ends the waiting for it.
type line struct {
	dead  chan struct{}
	waits func() // told when somebody waits for what does not arrive
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	return &connection{Conn: conn, line: l, ended: make(chan struct{})}, err
}

type connection struct {
	net.Conn
	line  *line
	ended chan struct{}
	once  sync.Once
}

func (c *connection) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	select {
	case <-c.line.dead:
		c.line.waits()
		<-c.ended
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (c *connection) Close() error {
	c.once.Do(func() { close(c.ended) })
	return c.Conn.Close()
}

// TestClusterThatFallsSilent: whoever leaves the run, or has waited for long enough, does not wait for brokers that do not
// answer.
func TestClusterThatFallsSilent(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(1, "device-data"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	writer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(writer.Close)
	require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{Topic: "device-data", Value: []byte("x")}).FirstErr())
	source := func(l *line, stall time.Duration) Source {
		return Source{Brokers: cluster.ListenAddrs(), Dial: l.dial, ClientID: "again", Stall: stall}
	}
	die := func(l *line) func(Record) { return func(Record) { close(l.dead) } }
	nobody := func() {}

	t.Run("while it is connected to, for long", func(t *testing.T) {
		l := &line{make(chan struct{}), nobody}
		close(l.dead)
		_, err := Open(t.Context(), source(l, 50*time.Millisecond))
		require.EqualError(t, err, "connect the second reader: nothing for 50ms")
	})
	t.Run("while it is connected to, until the end", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &line{make(chan struct{}), cancel}
		close(l.dead)
		_, err := Open(ctx, source(l, time.Hour))
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("between two partitions", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &line{make(chan struct{}), cancel}
		r, err := Open(ctx, source(l, time.Hour))
		require.NoError(t, err)
		close(l.dead)
		require.ErrorIs(t, r.Read("device-data", 0, 1, func(Record) {}), context.Canceled)
		require.NoError(t, r.Close())
	})
	t.Run("while a partition is read", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := &line{make(chan struct{}), cancel}
		r, err := Open(ctx, source(l, time.Hour))
		require.NoError(t, err)
		require.ErrorIs(t, r.Read("device-data", 0, 2, die(l)), context.Canceled)
		require.NoError(t, r.Close())
	})
	t.Run("before it is closed", func(t *testing.T) {
		l := &line{make(chan struct{}), nobody}
		r, err := Open(t.Context(), source(l, time.Hour))
		require.NoError(t, err)
		require.NoError(t, r.Read("device-data", 0, 1, die(l)))
		require.NoError(t, r.Close())
	})
}
