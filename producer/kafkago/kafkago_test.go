package kafkago

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/fleetproof/fleetproof/producer"
)

const (
	topic      = "device-data"
	partitions = 6
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var _ producer.New = New

// cluster is an embedded Kafka whose connections can be cut, and which can be down.
type cluster struct {
	*kfake.Cluster
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	down    bool
	refused int
}

func start(t testing.TB, brokers int, options ...kfake.Opt) *cluster {
	c := &cluster{conns: make(map[net.Conn]struct{})}
	options = append(options, kfake.NumBrokers(brokers), kfake.SeedTopics(partitions, topic),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			inner, err := net.Listen(network, address)
			return &listener{inner, c}, err
		}))
	var err error
	c.Cluster, err = kfake.NewCluster(options...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type listener struct {
	net.Listener
	cluster *cluster
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := l.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		c.refused++
		reset(conn)
	} else {
		c.conns[conn] = struct{}{}
	}
	return conn, nil
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// setDown takes the cluster down, or up again, and returns how many connections it has refused so far.
func (c *cluster) setDown(down bool) (refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	return c.refused
}

// stored is the number of records in the log.
func (c *cluster) stored() int64 {
	var n int64
	for _, partition := range c.PartitionInfos(topic) {
		n += partition.HighWatermark
	}
	return n
}

func settings(bootstrap []string) producer.Config {
	return producer.Config{
		Bootstrap:   bootstrap,
		ClientID:    "fleetproof-test",
		Acks:        producer.AcksAll,
		Idempotent:  false,
		Compression: producer.CompressionNone,
		Partitioner: producer.PartitionerHash,
		Batch:       producer.Batch{Bytes: 16 << 10, Linger: time.Millisecond},
		MaxInFlight: 0,
		Retry:       producer.Retry{Max: 200, Backoff: 5 * time.Millisecond},
		Timeout:     producer.Timeout{Dial: time.Second, Read: 3 * time.Second, Request: time.Second},
		Encoding:    producer.EncodingJSON,
	}
}

// tally keeps every outcome by the record's sequence number.
type tally struct {
	mu       sync.Mutex
	outcomes map[uint64][]producer.Outcome
}

func (y *tally) outcome(o producer.Outcome) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.outcomes == nil {
		y.outcomes = make(map[uint64][]producer.Outcome)
	}
	y.outcomes[o.Record.Token.Sequence] = append(y.outcomes[o.Record.Token.Sequence], o)
}

// once asserts that each of the records has exactly one outcome, and returns how many there are of each state.
func (y *tally) once(t testing.TB, records int) map[producer.State]int {
	y.mu.Lock()
	defer y.mu.Unlock()
	require.Len(t, y.outcomes, records)
	states := make(map[producer.State]int)
	for sequence, outcomes := range y.outcomes {
		require.Len(t, outcomes, 1, "outcomes of record %d", sequence)
		o := outcomes[0]
		states[o.State]++
		require.Equal(t, o.State == producer.Acked, o.Err == nil, "error %v of a record that is %s", o.Err, o.State)
	}
	return states
}

func (y *tally) of(sequence uint64) producer.Outcome {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.outcomes[sequence][0]
}

func record(sequence int) *producer.Record {
	return &producer.Record{
		Topic:     topic,
		Key:       fmt.Appendf(nil, "climate-%04d", sequence%50),
		Value:     fmt.Appendf(nil, `{"reading":%d}`, sequence),
		Headers:   []producer.Header{{Key: "fleetproof", Value: fmt.Appendf(nil, "%d", sequence)}},
		Timestamp: time.UnixMilli(1768176000000 + int64(sequence)).UTC(),
		Token:     producer.Token{Sequence: uint64(sequence)},
	}
}

// within is a context for what should happen soon but must not depend on how fast the machine is.
func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// connect makes a producer and closes it at the end, if the test has not.
func connect(t testing.TB, config producer.Config, outcome func(producer.Outcome)) *writer {
	p, err := New(within(t, 20*time.Second), config, outcome)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close(within(t, 20*time.Second))) })
	return p.(*writer)
}

func send(t testing.TB, p producer.Producer, records ...*producer.Record) {
	for _, r := range records {
		require.NoError(t, p.Send(within(t, 20*time.Second), r))
	}
}

// TestDelivers sends through every setting of the language, reads everything back with another client and compares.
func TestDelivers(t *testing.T) {
	const records = 300
	base := settings(nil)
	cases := map[string]producer.Config{"as it is": base}
	with := func(name string, change func(*producer.Config)) {
		config := base
		change(&config)
		cases[name] = config
	}
	for _, acks := range base.Acks.Known() {
		with("acks "+acks, func(c *producer.Config) {
			c.Acks, c.MaxInFlight = producer.Acks(acks), 1
		})
	}
	for _, codec := range base.Compression.Known() {
		with("compression "+codec, func(c *producer.Config) { c.Compression = producer.Compression(codec) })
	}
	for _, partitioner := range base.Partitioner.Known() {
		if partitioner == string(producer.PartitionerFailover) {
			continue
		}
		with("partitioner "+partitioner, func(c *producer.Config) { c.Partitioner = producer.Partitioner(partitioner) })
	}
	with("no linger", func(c *producer.Config) { c.Batch.Linger = 0 })
	with("no batch size", func(c *producer.Config) { c.Batch.Bytes = 0 })
	with("no retries", func(c *producer.Config) { c.Retry = producer.Retry{} })

	for name, config := range cases {
		t.Run(name, func(t *testing.T) {
			c := start(t, 3)
			config.Bootstrap = c.ListenAddrs()
			var y tally
			p := connect(t, config, y.outcome)
			want := make(map[uint64]*producer.Record, records)
			for i := range records {
				r := record(i)
				want[uint64(i)] = r
				send(t, p, r)
			}
			require.NoError(t, p.Flush(within(t, 20*time.Second)))
			assert.Zero(t, p.Stats().Queued)
			require.Equal(t, map[producer.State]int{producer.Acked: records}, y.once(t, records))

			last := make(map[string]uint64)
			for _, got := range c.readBack(t, records) {
				sequence := uint64(got.Timestamp.UnixMilli() - 1768176000000)
				r := want[sequence]
				require.NotNil(t, r, "record %d is not one of ours, or came twice", sequence)
				delete(want, sequence)
				assert.Equal(t, string(r.Key), string(got.Key))
				assert.Equal(t, string(r.Value), string(got.Value))
				assert.Empty(t, cmp.Diff([]kgo.RecordHeader{{Key: "fleetproof", Value: r.Headers[0].Value}}, got.Headers))

				o := y.of(sequence)
				assert.Same(t, r, o.Record)
				assert.Equal(t, config.Partitioner.Partition(r.Key, partitions), got.Partition)
				assert.Equal(t, got.Partition, o.Partition)
				if config.Acks == producer.AcksNone {
					assert.Equal(t, producer.OffsetUnset, o.Offset, "nobody told the client an offset")
				} else {
					assert.Equal(t, got.Offset, o.Offset)
				}
				if previous, ok := last[string(r.Key)]; ok {
					assert.Greater(t, sequence, previous, "order of %s", r.Key)
				}
				last[string(r.Key)] = sequence
			}
			assert.Empty(t, want)
		})
	}
}

func (c *cluster) readBack(t testing.TB, records int) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	require.NoError(t, err)
	defer client.Close()
	// An ack of acks=none may be ahead of the log.
	for ctx := within(t, 20*time.Second); ; {
		if stored := c.stored(); stored >= int64(records) {
			require.EqualValues(t, records, stored)
			break
		}
		require.NoError(t, ctx.Err())
	}
	var all []*kgo.Record
	for len(all) < records {
		fetches := client.PollFetches(within(t, 20*time.Second))
		require.NoError(t, fetches.Err())
		all = append(all, fetches.Records()...)
	}
	return all
}

// TestRequest holds what goes over the wire against the settings that only the broker sees.
func TestRequest(t *testing.T) {
	c := start(t, 1)
	config := settings(c.ListenAddrs())
	config.Acks, config.Timeout.Request = producer.AcksLeader, 1500*time.Millisecond
	requests := make(chan kmsg.ProduceRequest, 1)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		requests <- *request.(*kmsg.ProduceRequest)
		return nil, nil, false
	})
	p := connect(t, config, func(producer.Outcome) {})
	send(t, p, record(0))
	request := <-requests
	assert.EqualValues(t, 1, request.Acks)
	assert.EqualValues(t, 1500, request.TimeoutMillis)
}

func TestNewRefuses(t *testing.T) {
	for problem, change := range map[string]func(*producer.Config){
		`acks: want one of all, 1, 0, got "2"`:                             func(c *producer.Config) { c.Acks = "2" },
		`compression: want one of none, gzip, snappy, lz4, zstd, got "br"`: func(c *producer.Config) { c.Compression = "br" },
		`partitioner: want one of hash, reference_hash, murmur2, crc32, failover, got "random"`: func(c *producer.Config) {
			c.Partitioner = "random"
		},
		"timeout.read (1s) must be longer than timeout.request (1s)":  func(c *producer.Config) { c.Timeout.Read = time.Second },
		"idempotent: kafka-go has no idempotent producer":             func(c *producer.Config) { c.Idempotent = true },
		"max_in_flight (5): kafka-go has one request on a connection": func(c *producer.Config) { c.MaxInFlight = 5 },
		"partitioner: kafka-go has no failover":                       func(c *producer.Config) { c.Partitioner = producer.PartitionerFailover },
		"bootstrap: want at least one address":                        func(c *producer.Config) { c.Bootstrap = nil },
	} {
		t.Run(problem, func(t *testing.T) {
			config := settings([]string{"127.0.0.1:1"})
			change(&config)
			p, err := New(within(t, 20*time.Second), config, nil)
			require.Nil(t, p)
			require.ErrorContains(t, err, problem)
			assert.True(t, strings.HasPrefix(err.Error(), "configure kafka-go: "), err.Error())
		})
	}
}

// TestNewWaits: a cluster that is late. What was tried before the first record says nothing about any record.
func TestNewWaits(t *testing.T) {
	c := start(t, 1)
	c.setDown(true)
	type connected struct {
		p   producer.Producer
		err error
	}
	result := make(chan connected, 1)
	var y tally
	go func() {
		p, err := New(within(t, 60*time.Second), settings(c.ListenAddrs()), y.outcome)
		result <- connected{p, err}
	}()
	for ctx := within(t, 20*time.Second); c.setDown(true) < 3; {
		require.NoError(t, ctx.Err())
	}
	c.setDown(false)
	got := <-result
	require.NoError(t, got.err)
	assert.Zero(t, got.p.Stats().Retries)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge})
	assert.Equal(t, producer.Failed, sendOne(t, got.p, &y, record(0)).State)
	require.NoError(t, got.p.Close(within(t, 20*time.Second)))
}

// closedPort is an address where nobody listens.
func closedPort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestNewWithNobodyListening(t *testing.T) {
	config := settings([]string{closedPort(t)})
	config.Retry.Backoff = 100 * time.Millisecond // 200 times
	began := time.Now()
	p, err := New(within(t, 200*time.Millisecond), config, nil)
	require.Nil(t, p)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "connect to "+config.Bootstrap[0]+": context deadline exceeded: ")
	assert.Less(t, time.Since(began), 20*time.Second)
}
