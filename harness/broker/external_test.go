package broker_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
)

// somebodys starts a Kafka that is nobody's run, on ports that are free when they are not given.
func somebodys(t *testing.T, id string, ports ...int) *kfake.Cluster {
	t.Helper()
	options := []kfake.Opt{kfake.ClusterID(id), kfake.NumBrokers(2), kfake.SeedTopics(1, "theirs")}
	if ports != nil {
		options = append(options, kfake.Ports(ports...))
	}
	cluster, err := kfake.NewCluster(options...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return cluster
}

// guest is the spec of a run that is allowed into a cluster.
func guest(bootstrap ...string) broker.Spec {
	return broker.Spec{
		Kind: broker.External, Allowed: true, Run: "1f", Bootstrap: bootstrap, ClusterID: "theirs-1", Prefix: "fleetproof-",
		Caps: &broker.Caps{Rate: generator.Rate{PerSecond: 1000}, Bytes: 1 << 20, Duration: time.Minute},
	}
}

// own is a topic of the guest's run.
func own(spec broker.Spec, name string) broker.Topic {
	return broker.Topic{Name: spec.TopicName(name), Partitions: 3, ReplicationFactor: 2, MinInsyncReplicas: 1}
}

// topicsOf lists the topics of a cluster, asking it directly.
func topicsOf(t *testing.T, bootstrap ...string) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...))
	require.NoError(t, err)
	defer client.Close()
	listed, err := kadm.NewClient(client).ListTopics(deadline(t))
	require.NoError(t, err)
	return listed.Names()
}

func TestExternal(t *testing.T) {
	theirs := somebodys(t, "theirs-1")
	spec := guest(append([]string{"127.0.0.1:1"}, theirs.ListenAddrs()...)...) // nobody answers at the first
	cluster, err := broker.Start(t.Context(), spec, []broker.Topic{own(spec, "readings"), own(spec, "alerts")}, nil)
	require.NoError(t, err)
	assert.Equal(t, "fleetproof-1f-readings", spec.TopicName("readings"))
	assert.ElementsMatch(t, []string{"theirs", "fleetproof-1f-readings", "fleetproof-1f-alerts"}, topicsOf(t, theirs.ListenAddrs()...))

	assert.ElementsMatch(t, theirs.ListenAddrs(), cluster.Bootstrap())
	assert.Regexp(t, `^external cluster theirs-1 \(speaks the protocol of Kafka .*v[0-9]`, cluster.Version())
	require.NoError(t, cluster.AwaitInSync(deadline(t)))
	require.NoError(t, cluster.Probe(deadline(t), 1))
	client := connect(t, cluster, kgo.Dialer(cluster.Dial))
	record := &kgo.Record{Topic: "fleetproof-1f-readings", Value: []byte("x")}
	require.NoError(t, client.ProduceSync(deadline(t), record).FirstErr())

	canceled, cancel := context.WithCancel(t.Context())
	cancel() // what must be removed is removed all the same
	require.NoError(t, cluster.Close(canceled))
	assert.Equal(t, []string{"theirs"}, topicsOf(t, theirs.ListenAddrs()...))
	require.NoError(t, cluster.Close(canceled))
}

func TestExternalIsRefused(t *testing.T) {
	theirs := somebodys(t, "theirs-1")
	valid := guest(theirs.ListenAddrs()...)
	tests := []struct {
		name      string
		change    func(*broker.Spec)
		topic     string
		advertise []net.Addr
		want      string
	}{
		{"not allowed", func(s *broker.Spec) { s.Allowed = false }, "fleetproof-1f-a", nil,
			"an external broker is somebody's cluster: say --allow-external if the run may write to it"},
		{"no address", func(s *broker.Spec) { s.Bootstrap = nil }, "fleetproof-1f-a", nil,
			"an external broker needs the addresses of some brokers: give bootstrap: [host:port]"},
		{"no cluster", func(s *broker.Spec) { s.ClusterID = "" }, "fleetproof-1f-a", nil,
			"an external broker needs the identity that its cluster must have: give cluster_id, as kafka-cluster.sh cluster-id shows it"},
		{"no run", func(s *broker.Spec) { s.Run = "" }, "fleetproof-1f-a", nil,
			"an external broker needs the identity of the run and a prefix for its topics"},
		{"no prefix", func(s *broker.Spec) { s.Prefix = "" }, "fleetproof-1f-a", nil,
			"an external broker needs the identity of the run and a prefix for its topics"},
		{"no caps", func(s *broker.Spec) { s.Caps = nil }, "fleetproof-1f-a", nil,
			"an external broker needs limits: give caps: {rate, bytes, duration}"},
		{"link", func(*broker.Spec) {}, "fleetproof-1f-a", make([]net.Addr, 2),
			"an external broker advertises its own addresses: no link can stand before it"},
		{"other cluster", func(s *broker.Spec) { s.ClusterID = "prod-7" }, "fleetproof-1f-a", nil,
			"connect to " + theirs.ListenAddrs()[0] + ": this is cluster theirs-1, not prod-7: correct bootstrap or cluster_id, nothing was touched"},
		{"nobody there", func(s *broker.Spec) { s.Bootstrap = []string{"127.0.0.1:1"} }, "fleetproof-1f-a", nil,
			"connect to the external cluster: no bootstrap address answers: 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused"},
		{"their topic", func(*broker.Spec) {}, "theirs", nil,
			"create topic theirs: the run owns nothing in an external cluster but fleetproof-1f-…"},
		{"more replicas than brokers", func(*broker.Spec) {}, "3 replicas", nil,
			"create topic fleetproof-1f-a: its replication factor must be between 1 and the number of brokers, 2, got 3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec, topic := valid, own(valid, "a")
			test.change(&spec)
			if topic.Name = test.topic; test.topic == "3 replicas" {
				topic.Name, topic.ReplicationFactor = "fleetproof-1f-a", 3
			}
			cluster, err := broker.Start(t.Context(), spec, []broker.Topic{topic}, test.advertise)
			assert.Nil(t, cluster)
			require.EqualError(t, err, test.want)
			assert.Equal(t, []string{"theirs"}, topicsOf(t, theirs.ListenAddrs()...))
		})
	}
}

func TestExternalTopicThatExists(t *testing.T) {
	theirs := somebodys(t, "theirs-1")
	spec := guest(theirs.ListenAddrs()...)
	client, err := kgo.NewClient(kgo.SeedBrokers(theirs.ListenAddrs()...))
	require.NoError(t, err)
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(deadline(t), 1, 1, nil, spec.TopicName("alerts"))
	require.NoError(t, err)

	_, err = broker.Start(t.Context(), spec, []broker.Topic{own(spec, "readings"), own(spec, "alerts")}, nil)
	require.EqualError(t, err, "topic fleetproof-1f-alerts exists already: a run uses no topic that it did not create")
	assert.ElementsMatch(t, []string{"theirs", "fleetproof-1f-alerts"}, topicsOf(t, theirs.ListenAddrs()...), "it is still there, and nothing else is")
}

// The names by which a cluster was found may lead to another one when the run is over.
func TestExternalClusterIsAnotherAtTheEnd(t *testing.T) {
	theirs := somebodys(t, "theirs-1")
	addresses := theirs.ListenAddrs()
	var ports []int
	for _, address := range addresses {
		_, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		number, err := strconv.Atoi(port)
		require.NoError(t, err)
		ports = append(ports, number)
	}
	spec := guest(addresses...)
	cluster, err := broker.Start(t.Context(), spec, []broker.Topic{own(spec, "readings")}, nil)
	require.NoError(t, err)
	theirs.Close()
	other := somebodys(t, "prod-7", ports...)
	client, err := kgo.NewClient(kgo.SeedBrokers(other.ListenAddrs()...))
	require.NoError(t, err)
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(deadline(t), 1, 1, nil, spec.TopicName("readings"))
	require.NoError(t, err)

	require.EqualError(t, cluster.Close(t.Context()), "delete the topics of the run: this is cluster prod-7, not theirs-1: "+
		"correct bootstrap or cluster_id, nothing was touched: delete fleetproof-1f-readings by hand")
	assert.ElementsMatch(t, []string{"theirs", "fleetproof-1f-readings"}, topicsOf(t, other.ListenAddrs()...))
}

func TestTopicNameElsewhere(t *testing.T) {
	assert.Equal(t, "readings", broker.Spec{Kind: broker.Docker, Run: "1f", Prefix: "fleetproof-"}.TopicName("readings"))
}

func TestCapsExceeded(t *testing.T) {
	caps := broker.Caps{Rate: generator.Rate{PerSecond: 1000}, Bytes: 1 << 20, Duration: time.Minute}
	assert.Empty(t, caps.Exceeded(1000, 10, 1<<20, time.Minute))
	assert.Equal(t, []string{
		"1001 records/s at most, and the cap is 1000/s",
		"about 1048577 bytes of payload, and the cap is 1MiB",
		"1m1s long, and the cap is 1m0s",
	}, caps.Exceeded(1001, 10, 1<<20+1, 61*time.Second))
	caps.Rate = generator.Rate{Multiple: 2}
	assert.Equal(t, []string{"21 records/s at most, and the cap is 20/s"}, caps.Exceeded(21, 10, 0, 0))
}

// What only a broker of ours can do is an error with any other.
func TestNotWithAnExternalBroker(t *testing.T) {
	theirs := somebodys(t, "theirs-1")
	cluster, err := broker.Start(t.Context(), guest(theirs.ListenAddrs()...), nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, cluster.Close(t.Context())) }()

	require.EqualError(t, cluster.Crash(0), "crash broker 1: only an embedded broker can")
	_, err = cluster.Answer(broker.ErrorAnswer{})
	require.EqualError(t, err, "answer with an error: only an embedded broker can")
	require.EqualError(t, cluster.Kill(t.Context(), 0), "kill broker 1: only a docker broker can")
	require.EqualError(t, cluster.Stop(t.Context(), 0, time.Second), "stop broker 1: only a docker broker can")
	require.EqualError(t, cluster.Isolate(t.Context(), 1), "isolate broker 2: only a docker broker can")
	_, err = cluster.State(t.Context(), 0)
	require.EqualError(t, err, "look at broker 1: only a docker broker can")
	_, err = cluster.LastLogs(t.Context(), 0)
	require.EqualError(t, err, "read log of broker 1: only a docker broker can")
	_, err = cluster.Controller(t.Context())
	require.EqualError(t, err, "find the controller: only a docker cluster has one of its own")
	folder := t.TempDir()
	require.NoError(t, cluster.WriteLogs(t.Context(), folder+"/logs"))
	assert.NoDirExists(t, folder+"/logs")
}
