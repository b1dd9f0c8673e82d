package fault

import (
	"context"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/fleetproof/fleetproof/harness/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough is far beyond what anything here takes on a busy machine.
const enough = time.Minute

const topic = "readings"

// scene is a cluster behind links, with nobody in it yet.
type scene struct {
	testing.TB
	world   World
	cluster *broker.Cluster
	links   *Links
}

// newScene is a scene with an embedded cluster.
func newScene(t testing.TB, brokers, partitions int) scene {
	t.Helper()
	return newSceneOf(t, broker.Spec{Kind: broker.Embedded, Brokers: brokers}, partitions)
}

func newSceneOf(t testing.TB, spec broker.Spec, partitions int) scene {
	t.Helper()
	world := World{Broker: spec.Kind, Brokers: spec.Brokers, Topics: []broker.Topic{{
		Name: topic, Partitions: partitions, ReplicationFactor: min(3, spec.Brokers), MinInsyncReplicas: min(2, spec.Brokers),
	}}}
	links, err := Listen(spec.Brokers, 7)
	require.NoError(t, err)
	cluster, err := broker.Start(t.Context(), spec, world.Topics, links.Addrs())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, cluster.Close(context.Background()))
		require.NoError(t, links.Close())
	})
	var direct []string
	for _, node := range cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	links.Connect(direct)
	return scene{t, world, cluster, links}
}

// field is the scene for a runner, with a clock that starts now.
func (s scene) field() Field {
	start := time.Now()
	return Field{
		World: s.world, Cluster: s.cluster, Links: s.links, HealTimeout: enough, Seed: 7,
		Clock: func() time.Duration { return time.Since(start) },
	}
}

// leaders are the brokers that lead the partitions, counted from 1.
func (s scene) leaders() []int {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), enough)
	defer cancel()
	observer := s.observer()
	defer observer.Close()
	metadata, err := kadm.NewClient(observer).Metadata(ctx, topic)
	require.NoError(s, err)
	var leaders []int
	for _, partition := range metadata.Topics[topic].Partitions.Sorted() {
		leaders = append(leaders, 1+slices.IndexFunc(s.cluster.Nodes(), func(node broker.Node) bool { return node.ID == partition.Leader }))
	}
	return leaders
}

// client is a plain client that goes through the links.
func (s scene) client(options ...kgo.Opt) *kgo.Client {
	s.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(s.cluster.Bootstrap()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, options...)...)
	require.NoError(s, err)
	s.Cleanup(client.Close)
	return client
}

// observer is a client that goes around the links.
func (s scene) observer(options ...kgo.Opt) *kgo.Client {
	s.Helper()
	return s.client(append(options, kgo.Dialer(s.cluster.Dial))...)
}

// produce sends one record and waits for its acknowledgement.
func (s scene) produce(client *kgo.Client, partition int32, value string) {
	s.Helper()
	require.NoError(s, s.tryProduce(client, partition, value))
}

func (s scene) tryProduce(client *kgo.Client, partition int32, value string) error {
	ctx, cancel := context.WithTimeout(s.Context(), enough)
	defer cancel()
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}).FirstErr()
}

// stored is how often each value is in the log.
func (s scene) stored() map[string]int {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), enough)
	defer cancel()
	client := s.observer(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(10*time.Millisecond))
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	require.NoError(s, err)
	require.NoError(s, ends.Error())
	var left int64
	ends.Each(func(end kadm.ListedOffset) { left += end.Offset })
	values := map[string]int{}
	for left > 0 {
		fetches := client.PollFetches(ctx)
		require.NoError(s, fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			left--
			values[string(record.Value)]++
		})
	}
	return values
}

// play plays faults while the test does something, ends them by the end of their context, and returns what happened.
// Faults that should last until then last an hour.
func (s scene) play(specs []Spec, during func(r *Runner)) []Life {
	s.Helper()
	r := NewRunner(specs, s.field())
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	during(r)
	cancel()
	require.NoError(s, <-done)
	return r.Lives()
}

// eventually waits for something that is about to happen.
func (s scene) eventually(what string, happened func() bool) {
	s.Helper()
	require.Eventually(s, happened, enough, time.Millisecond, what)
}

// hits waits until a fault of the runner has hit something.
func (s scene) hits(r *Runner, fault int) {
	s.Helper()
	s.eventually("a hit", func() bool { return r.Lives()[fault].ProvenAt != Never })
}

// inEffect waits until a fault is in effect.
func (s scene) inEffect(r *Runner, name string) {
	s.Helper()
	s.eventually(name+" in effect", func() bool { return r.Current() == name })
}

// requireLived holds what every fault that bit and was healed has in common.
func (s scene) requireLived(life Life) {
	s.Helper()
	assert.NotEqual(s, Never, life.InjectedAt)
	assert.Positive(s, life.Hits)
	assert.GreaterOrEqual(s, life.ProvenAt, life.InjectedAt)
	assert.GreaterOrEqual(s, life.HealedAt, life.ProvenAt)
}

// requireReset wants a new connection to be accepted and reset, so soon perhaps that connecting already fails. It tells
// apart from nobody listening there, and from a connection that is ended in order.
func (s scene) requireReset(address string) {
	s.Helper()
	conn, err := net.Dial("tcp", address)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		require.NoError(s, conn.Close())
	}
	require.ErrorIs(s, err, syscall.ECONNRESET)
}

// lasting is a fault that begins now and lasts until its run ends.
func lasting(spec Spec) Spec {
	spec.For = time.Hour
	if spec.Target == (Target{}) {
		spec.Target = Target{Broker: 1}
	}
	if spec.Name == "" {
		spec.Name = "trouble"
	}
	return spec
}

func value(i int) string { return fmt.Sprintf("%06d", i) }
