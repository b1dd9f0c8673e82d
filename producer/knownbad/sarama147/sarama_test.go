package sarama147

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

var _ producer.New = New

const (
	topic      = "device-data"
	partitions = 6
)

// cluster is an embedded Kafka whose connections can be cut.
type cluster struct {
	*kfake.Cluster
	mu    sync.Mutex
	conns []net.Conn
}

func start(t *testing.T) *cluster {
	c := &cluster{}
	var err error
	c.Cluster, err = kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(partitions, topic),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			inner, err := net.Listen(network, address)
			return &listener{inner, c}, err
		}))
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
	if err == nil {
		l.cluster.mu.Lock()
		defer l.cluster.mu.Unlock()
		l.cluster.conns = append(l.cluster.conns, conn)
	}
	return conn, err
}

// cut resets every connection; new ones are accepted.
func (c *cluster) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cluster) settings() producer.Config {
	return producer.Config{
		Bootstrap: c.ListenAddrs(), ClientID: "fleetproof-test", Acks: producer.AcksAll, Idempotent: true,
		Compression: producer.CompressionNone, Partitioner: producer.PartitionerHash,
		Batch: producer.Batch{Bytes: 16 << 10, Linger: time.Millisecond}, MaxInFlight: 1,
		Retry:    producer.Retry{Max: 50, Backoff: 5 * time.Millisecond},
		Timeout:  producer.Timeout{Dial: time.Second, Read: 3 * time.Second, Request: time.Second},
		Encoding: producer.EncodingJSON,
	}
}

// tally keeps every outcome by the record it belongs to.
type tally struct {
	mu       sync.Mutex
	outcomes map[*producer.Record][]producer.Outcome
}

func (y *tally) outcome(o producer.Outcome) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.outcomes == nil {
		y.outcomes = make(map[*producer.Record][]producer.Outcome)
	}
	y.outcomes[o.Record] = append(y.outcomes[o.Record], o)
}

// once asserts that each of the records has exactly one outcome that makes sense, and counts them by state.
func (y *tally) once(t *testing.T, records int) map[producer.State]int {
	y.mu.Lock()
	defer y.mu.Unlock()
	require.Len(t, y.outcomes, records)
	states := make(map[producer.State]int)
	for r, outcomes := range y.outcomes {
		require.Len(t, outcomes, 1, "outcomes of record %d", r.Token.Sequence)
		o := outcomes[0]
		states[o.State]++
		require.Equal(t, o.State == producer.Acked, o.Err == nil, "error %v of a record that is %s", o.Err, o.State)
		if o.State != producer.Acked {
			require.Equal(t, producer.OffsetUnset, o.Offset)
		}
	}
	return states
}

func (y *tally) of(r *producer.Record) producer.Outcome {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.outcomes[r][0]
}

func record(sequence int) *producer.Record {
	return &producer.Record{
		Topic: topic, Key: fmt.Appendf(nil, "climate-%04d", sequence%50), Value: fmt.Appendf(nil, `{"reading":%d}`, sequence),
		Headers:   []producer.Header{{Key: "fleetproof", Value: fmt.Appendf(nil, "%d", sequence)}},
		Timestamp: time.UnixMilli(1768176000000 + int64(sequence)).UTC(),
		Token:     producer.Token{Sequence: uint64(sequence)},
	}
}

// within is a context for what should happen soon but must not depend on how fast the machine is.
func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, config producer.Config, outcome func(producer.Outcome)) producer.Producer {
	p, err := New(within(t, 20*time.Second), config, outcome)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close(within(t, 20*time.Second))) })
	return p
}

// TestDelivers reads everything back with another client and compares, offsets and partitions with it.
func TestDelivers(t *testing.T) {
	const records = 300
	for name, change := range map[string]func(*producer.Config){
		"as it is":       func(*producer.Config) {},
		"no linger":      func(c *producer.Config) { c.Batch.Linger = 0 },
		"acks 1":         func(c *producer.Config) { c.Acks, c.Idempotent = producer.AcksLeader, false },
		"acks 0":         func(c *producer.Config) { c.Acks, c.Idempotent = producer.AcksNone, false },
		"gzip":           func(c *producer.Config) { c.Compression = producer.CompressionGzip },
		"snappy":         func(c *producer.Config) { c.Compression = producer.CompressionSnappy },
		"lz4":            func(c *producer.Config) { c.Compression = producer.CompressionLZ4 },
		"zstd":           func(c *producer.Config) { c.Compression = producer.CompressionZstd },
		"reference hash": func(c *producer.Config) { c.Partitioner = producer.PartitionerReferenceHash },
		"crc32":          func(c *producer.Config) { c.Partitioner = producer.PartitionerCRC32 },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			config := c.settings()
			change(&config)
			var y tally
			p := connect(t, config, y.outcome)
			sent := make(map[string]*producer.Record)
			for i := range records {
				r := record(i)
				sent[string(r.Value)] = r
				require.NoError(t, p.Send(within(t, 20*time.Second), r))
			}
			require.NoError(t, p.Flush(within(t, 20*time.Second)))
			assert.Equal(t, map[producer.State]int{producer.Acked: records}, y.once(t, records))
			assert.Equal(t, producer.Stats{RetriesKnown: true}, p.Stats())
			for _, got := range c.readBack(t, records) {
				r := sent[string(got.Value)]
				require.NotNil(t, r, "%s is not one of ours, or came twice", got.Value)
				delete(sent, string(got.Value))
				assert.Equal(t, string(r.Key), string(got.Key))
				assert.Equal(t, r.Timestamp.UnixMilli(), got.Timestamp.UnixMilli())
				assert.Equal(t, []kgo.RecordHeader{{Key: "fleetproof", Value: r.Headers[0].Value}}, got.Headers)
				assert.Equal(t, config.Partitioner.Partition(r.Key, partitions), got.Partition)
				o := y.of(r)
				assert.Equal(t, got.Partition, o.Partition)
				if config.Acks == producer.AcksNone {
					assert.Equal(t, producer.OffsetUnset, o.Offset, "nobody told the client an offset")
				} else {
					assert.Equal(t, got.Offset, o.Offset)
				}
			}
		})
	}
}

func (c *cluster) readBack(t *testing.T, records int) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	require.NoError(t, err)
	defer client.Close()
	var all []*kgo.Record
	for len(all) < records {
		fetches := client.PollFetches(within(t, 20*time.Second))
		require.NoError(t, fetches.Err())
		all = append(all, fetches.Records()...)
	}
	return all
}

// TestOneOutcomeForOneRecord cuts every connection again and again, under several senders. What v1.47.0 says then may be
// wrong, and it may stand still, but it is said once for every record.
func TestOneOutcomeForOneRecord(t *testing.T) {
	const senders, each, every = 4, 1500, 150
	for name, idempotent := range map[string]bool{"idempotent": true, "at least once": false} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			config := c.settings()
			config.Idempotent = idempotent
			var y tally
			p, err := New(within(t, 20*time.Second), config, y.outcome)
			require.NoError(t, err)
			ctx := within(t, 20*time.Second)
			accepted := make([]int, senders)
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := range each {
						if p.Send(ctx, record(i*senders+sender)) == nil {
							accepted[sender]++
						}
						if sender == 0 && i%every == every-1 {
							c.cut()
						}
					}
				})
			}
			group.Wait()
			total := 0
			for _, n := range accepted {
				total += n
			}
			require.Positive(t, total)
			_ = p.Close(within(t, 5*time.Second)) // nor is it certain that it lets go
			y.once(t, total)
			assert.Zero(t, p.Stats().Queued)
			assert.Positive(t, p.Stats().Retries)
		})
	}
}

// TestClose closes under senders that go on, when there are acknowledgements and when brokers have stopped to answer.
func TestClose(t *testing.T) {
	const senders = 4
	for name, test := range map[string]struct {
		answers bool
		limit   time.Duration
		want    producer.State
	}{
		"with time to drain": {answers: true, limit: 20 * time.Second, want: producer.Acked},
		"without an answer":  {answers: false, limit: 0, want: producer.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			reached := make(chan struct{})
			reach := sync.OnceFunc(func() { close(reached) })
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				reach()
				return nil, nil, !test.answers
			})
			var y tally
			p, err := New(within(t, 20*time.Second), c.settings(), y.outcome)
			require.NoError(t, err)
			accepted := make([]int, senders)
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := 0; ; i++ {
						if err := p.Send(context.Background(), record(i*senders+sender)); err != nil {
							assert.ErrorIs(t, err, producer.ErrClosed)
							return
						}
						accepted[sender]++
					}
				})
			}
			<-reached
			err = p.Close(within(t, test.limit))
			if test.answers { // else a connection is held for as long as its timeout
				require.NoError(t, err)
			}
			group.Wait()
			total := 0
			for _, n := range accepted {
				total += n
			}
			require.Positive(t, total)
			assert.Equal(t, map[producer.State]int{test.want: total}, y.once(t, total))
			require.ErrorIs(t, p.Send(context.Background(), record(0)), producer.ErrClosed)
			require.NoError(t, p.Close(context.Background()), "only the first call does anything")
			assert.NoError(t, p.Flush(context.Background()))
		})
	}
}

// standstill is a Sarama that takes records and never returns one, nor ever ends.
type standstill struct {
	sarama.AsyncProducer
	input chan *sarama.ProducerMessage
}

func (s standstill) Input() chan<- *sarama.ProducerMessage { return s.input }
func (s standstill) AsyncClose()                           {}

// TestCloseOfAStandstill: that v1.47.0 stands still is its own fault, and none of the run's.
func TestCloseOfAStandstill(t *testing.T) {
	var y tally
	p := &asyncProducer{outcome: y.outcome, closing: make(chan struct{}), drained: make(chan struct{}), closeClient: func() {}}
	p.async = standstill{input: make(chan *sarama.ProducerMessage, 1)}
	require.NoError(t, p.Send(context.Background(), record(0)))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, p.Close(ended))
	assert.Equal(t, map[producer.State]int{producer.Unknown: 1}, y.once(t, 1))
	assert.Zero(t, p.Stats().Queued)
}

func TestStates(t *testing.T) {
	c := start(t)
	var y tally
	p := connect(t, c.settings(), y.outcome)

	large := record(0)
	large.Value = make([]byte, 2<<20)
	require.NoError(t, p.Send(context.Background(), large))
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	assert.Equal(t, producer.Failed, y.of(large).State, "refused before its first attempt")

	refused := record(1)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge})
	require.NoError(t, p.Send(context.Background(), refused))
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	o := y.of(refused)
	assert.Equal(t, producer.Unknown, o.State, "whether it was attempted before is not known")
	require.ErrorIs(t, o.Err, sarama.ErrMessageSizeTooLarge)

	assert.Equal(t, producer.Failed, state(sarama.ErrInvalidPartition))

	// What Sarama returns of its own is nobody's outcome.
	p.(*asyncProducer).settle(&sarama.ProducerMessage{}, sarama.ErrOutOfBrokers)
	assert.Equal(t, map[producer.State]int{producer.Failed: 1, producer.Unknown: 1}, y.once(t, 2))

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, p.Send(ended, record(2)), context.Canceled)
	assert.Zero(t, p.Stats().Queued)
}

// TestFlushGivesUp waits no longer than it may for a record that gets no answer.
func TestFlushGivesUp(t *testing.T) {
	c := start(t)
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	var y tally
	p := connect(t, c.settings(), y.outcome)
	require.NoError(t, p.Send(context.Background(), record(0)))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	err := p.Flush(ended)
	close(release)
	require.EqualError(t, err, "flush: 1 records without an outcome: context canceled")
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	assert.Equal(t, map[producer.State]int{producer.Acked: 1}, y.once(t, 1))
}

func TestNewRefuses(t *testing.T) {
	for problem, change := range map[string]func(*producer.Config){
		`acks: v1.47.0 has no "2"`:                                   func(c *producer.Config) { c.Acks = "2" },
		`compression: v1.47.0 has no "br"`:                           func(c *producer.Config) { c.Compression = "br" },
		`partitioner: v1.47.0 has no "murmur2"`:                      func(c *producer.Config) { c.Partitioner = producer.PartitionerMurmur2 },
		`partitioner: v1.47.0 has no "failover"`:                     func(c *producer.Config) { c.Partitioner = producer.PartitionerFailover },
		"timeout.read (1s) must be longer than timeout.request (1s)": func(c *producer.Config) { c.Timeout.Read = time.Second },
		"Idempotent producer requires Net.MaxOpenRequests to be 1":   func(c *producer.Config) { c.MaxInFlight = 5 },
		"You must provide at least one broker address":               func(c *producer.Config) { c.Bootstrap = nil },
	} {
		t.Run(problem, func(t *testing.T) {
			config := start(t).settings()
			change(&config)
			p, err := New(within(t, 20*time.Second), config, nil)
			require.Nil(t, p)
			require.ErrorContains(t, err, problem)
			assert.True(t, strings.HasPrefix(err.Error(), "configure sarama: "), err.Error())
		})
	}
}

func TestNewWithNobodyListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	config := start(t).settings()
	config.Bootstrap = []string{l.Addr().String()}
	config.Retry = producer.Retry{Max: 200, Backoff: 100 * time.Millisecond}
	p, err := New(within(t, 200*time.Millisecond), config, nil)
	require.Nil(t, p)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	config.Retry = producer.Retry{Max: 1, Backoff: time.Millisecond}
	p, err = New(within(t, 20*time.Second), config, nil)
	require.Nil(t, p)
	require.ErrorIs(t, err, sarama.ErrOutOfBrokers)
}

// The module requires a newer Sarama, since the harness does, and replaces it.
func TestVersion(t *testing.T) { assert.Equal(t, "v1.47.0", Version()) }
