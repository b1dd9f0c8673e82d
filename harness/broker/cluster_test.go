package broker_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/fleetproof/fleetproof/harness/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// readings is a topic as the scenarios have it.
func readings(partitions, replication int) broker.Topic {
	return broker.Topic{Name: "readings", Partitions: partitions, ReplicationFactor: replication, MinInsyncReplicas: 1}
}

// start starts an embedded cluster that ends with the test.
func start(t *testing.T, brokers int, topics ...broker.Topic) *broker.Cluster {
	t.Helper()
	cluster, err := broker.Start(t.Context(), broker.Spec{Kind: broker.Embedded, Brokers: brokers}, topics, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close(context.Background())) })
	return cluster
}

// connect connects a plain client, as the one under test would, that ends with the test.
func connect(t *testing.T, cluster *broker.Cluster, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(cluster.Bootstrap()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, options...)...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// deadline is far beyond what anything here takes on a busy machine.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func produce(ctx context.Context, client *kgo.Client, partition int32, value string) error {
	record := &kgo.Record{Topic: "readings", Partition: partition, Value: []byte(value)}
	return client.ProduceSync(ctx, record).FirstErr()
}

// ends are the end offsets of readings, by partition.
func ends(t *testing.T, cluster *broker.Cluster) []int64 {
	t.Helper()
	admin := kadm.NewClient(connect(t, cluster, kgo.Dialer(cluster.Dial)))
	listed, err := admin.ListEndOffsets(deadline(t), "readings")
	require.NoError(t, err)
	require.NoError(t, listed.Error())
	offsets := make([]int64, len(listed["readings"]))
	listed.Each(func(end kadm.ListedOffset) { offsets[end.Partition] = end.Offset })
	return offsets
}

func TestStart(t *testing.T) {
	tests := []struct {
		brokers, partitions, replication int
		leaders                          []int32
		replicas                         [][]int32
	}{
		{1, 1, 1, []int32{0}, [][]int32{{0}}},
		{1, 3, 1, []int32{0, 0, 0}, [][]int32{{0}, {0}, {0}}},
		{3, 4, 2, []int32{0, 1, 2, 0}, [][]int32{{0, 1}, {1, 2}, {2, 0}, {0, 1}}},
		{2, 2, 2, []int32{0, 1}, [][]int32{{0, 1}, {1, 0}}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d brokers", test.brokers), func(t *testing.T) {
			alerts := broker.Topic{Name: "alerts", Partitions: 1, ReplicationFactor: 1, MinInsyncReplicas: 1}
			cluster := start(t, test.brokers, readings(test.partitions, test.replication), alerts)
			metadata, err := kadm.NewClient(connect(t, cluster)).Metadata(deadline(t))
			require.NoError(t, err)

			assert.ElementsMatch(t, []string{"alerts", "readings"}, metadata.Topics.Names())
			var leaders []int32
			var replicas [][]int32
			for _, partition := range metadata.Topics["readings"].Partitions.Sorted() {
				leaders = append(leaders, partition.Leader)
				replicas = append(replicas, partition.Replicas)
				assert.Equal(t, partition.Replicas, partition.ISR)
			}
			assert.Equal(t, test.leaders, leaders)
			assert.Equal(t, test.replicas, replicas)

			var nodes []broker.Node
			for _, known := range metadata.Brokers {
				address := net.JoinHostPort(known.Host, fmt.Sprint(known.Port))
				nodes = append(nodes, broker.Node{ID: known.NodeID, Direct: address, Advertised: address})
			}
			assert.Empty(t, cmp.Diff(nodes, cluster.Nodes()))
			assert.Len(t, cluster.Bootstrap(), test.brokers)
		})
	}
}

func TestStartAdvertisesOtherAddresses(t *testing.T) {
	var advertised []net.Addr
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		advertised = append(advertised, listener.Addr())
	}
	cluster, err := broker.Start(t.Context(), broker.Spec{Kind: broker.Embedded, Brokers: 2}, []broker.Topic{readings(2, 2)}, advertised)
	require.NoError(t, err)
	defer func() { require.NoError(t, cluster.Close(context.Background())) }()

	// Nothing behind the advertised addresses answers, so that only Dial reaches the brokers.
	assert.Equal(t, []string{advertised[0].String(), advertised[1].String()}, cluster.Bootstrap())
	metadata, err := kadm.NewClient(connect(t, cluster, kgo.Dialer(cluster.Dial))).Metadata(deadline(t))
	require.NoError(t, err)
	for i, known := range metadata.Brokers {
		assert.Equal(t, cluster.Bootstrap()[i], net.JoinHostPort(known.Host, fmt.Sprint(known.Port)))
		assert.NotEqual(t, cluster.Nodes()[i].Direct, cluster.Nodes()[i].Advertised)
	}
}

func TestStartRefuses(t *testing.T) {
	topic := readings(3, 1)
	with := func(change func(*broker.Topic)) []broker.Topic {
		changed := topic
		change(&changed)
		return []broker.Topic{changed}
	}
	embedded := broker.Spec{Kind: broker.Embedded, Brokers: 1}
	tests := []struct {
		name      string
		spec      broker.Spec
		topics    []broker.Topic
		advertise []net.Addr
		want      string
	}{
		{"kind", broker.Spec{Kind: "dokcer", Brokers: 1}, nil, nil, `unknown kind of broker "dokcer", known: embedded, docker, external`},
		{"no broker", broker.Spec{Kind: broker.Embedded}, nil, nil, "a cluster has at least 1 broker, got 0"},
		{"addresses", embedded, nil, make([]net.Addr, 2), "2 addresses to advertise for 1 brokers"},
		{"name", embedded, with(func(t *broker.Topic) { t.Name = "my topic" }), nil,
			`create topic "my topic": a name is not . or .. and has 1 to 249 of the characters a-z A-Z 0-9 . _ -`},
		{"dots", embedded, with(func(t *broker.Topic) { t.Name = ".." }), nil,
			`create topic "..": a name is not . or .. and has 1 to 249 of the characters a-z A-Z 0-9 . _ -`},
		{"twice", embedded, []broker.Topic{topic, topic}, nil, "create topic readings: it is listed twice"},
		{"partitions", embedded, with(func(t *broker.Topic) { t.Partitions = 0 }), nil,
			"create topic readings: a topic has at least 1 partition, got 0"},
		{"replication", embedded, with(func(t *broker.Topic) { t.ReplicationFactor = 3 }), nil,
			"create topic readings: its replication factor must be between 1 and the number of brokers, 1, got 3"},
		{"in-sync", embedded, with(func(t *broker.Topic) { t.MinInsyncReplicas = 2 }), nil,
			"create topic readings: its min.insync.replicas must be between 1 and its replication factor, 1, got 2"},
		{"collision", embedded, append(with(func(t *broker.Topic) { t.Name = "a.b" }), with(func(t *broker.Topic) { t.Name = "a_b" })...), nil,
			"create topic a_b: Kafka does not tell it from a.b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cluster, err := broker.Start(t.Context(), test.spec, test.topics, test.advertise)
			assert.Nil(t, cluster)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := broker.Start(ctx, broker.Spec{Kind: broker.Embedded, Brokers: 1}, []broker.Topic{readings(1, 1)}, nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestNoTopicIsCreatedByAsking(t *testing.T) {
	cluster := start(t, 1, readings(1, 1))
	client := connect(t, cluster, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0))
	err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "other", Value: []byte("x")}).FirstErr()
	require.ErrorIs(t, err, kerr.UnknownTopicOrPartition)
}

func TestDial(t *testing.T) {
	cluster := start(t, 1)
	_, err := cluster.Dial(t.Context(), "tcp", "127.0.0.1:1")
	require.EqualError(t, err, "dial 127.0.0.1:1: not a broker of this cluster")
}

func TestVersion(t *testing.T) {
	assert.Regexp(t, "^kfake ", start(t, 1).Version())
}

func TestClose(t *testing.T) {
	cluster, err := broker.Start(t.Context(), broker.Spec{Kind: broker.Embedded, Brokers: 3}, []broker.Topic{readings(3, 1)}, nil)
	require.NoError(t, err)
	client := connect(t, cluster)
	require.NoError(t, produce(deadline(t), client, 0, "x")) // a connection is open while the cluster closes
	nodes := cluster.Nodes()

	require.NoError(t, cluster.Close(deadline(t)))
	require.NoError(t, cluster.Close(deadline(t)))
	for i, node := range nodes {
		_, err := net.Dial("tcp", node.Direct)
		require.Error(t, err)
		require.ErrorContains(t, cluster.Probe(t.Context(), i), fmt.Sprintf("probe broker %d: dial tcp %s", i+1, node.Direct))
	}
}

func TestErrorNames(t *testing.T) {
	names := broker.ErrorNames()
	assert.True(t, slices.IsSorted(names))
	assert.Equal(t, slices.Compact(slices.Clone(names)), names, "each name once")
	assert.Contains(t, names, "NOT_LEADER_OR_FOLLOWER")
	assert.Contains(t, names, "UNKNOWN_SERVER_ERROR")
	assert.Contains(t, names, "REBOOTSTRAP_REQUIRED", "code 129: the codes are dense")
	for _, name := range names {
		assert.Equal(t, strings.ToUpper(name), name)
	}
}
