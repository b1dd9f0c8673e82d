package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// patience is far beyond what a cluster needs on a machine that does nothing else.
func patience(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// startDocker starts a cluster in Docker that ends with the test.
func startDocker(t testing.TB, spec broker.Spec, topics ...broker.Topic) *broker.Cluster {
	t.Helper()
	dockertest.Need(t)
	return startAnother(t, spec, topics...)
}

// startAnother starts a cluster in Docker for a test that has Docker to itself already.
func startAnother(t testing.TB, spec broker.Spec, topics ...broker.Topic) *broker.Cluster {
	t.Helper()
	began := time.Now()
	cluster, err := broker.Start(patience(t), spec, topics, nil)
	require.NoError(t, err)
	t.Logf("%d brokers started in %v", spec.Brokers, time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		require.NoError(t, cluster.Close(context.Background()))
		require.NoError(t, cluster.Close(context.Background()), "again")
		broker.NothingLeft(t, spec.Run)
	})
	return cluster
}

// TestDocker plays with one cluster, because each takes its time to start. Every part leaves it as it was.
func TestDocker(t *testing.T) {
	topic := broker.Topic{Name: "readings", Partitions: 6, ReplicationFactor: 3, MinInsyncReplicas: 2}
	cluster := startDocker(t, broker.DockerSpec(3), topic)
	stranger := broker.Stranger(t)
	client := connect(t, cluster)
	nodes := cluster.Nodes()
	var written int64
	write := func(t *testing.T) {
		t.Helper()
		for partition := range int32(6) {
			require.NoError(t, produce(patience(t), client, partition, "x"))
		}
		written++
	}
	// healed makes sure that the cluster is whole, at its old addresses, and has lost nothing.
	healed := func(t *testing.T) {
		t.Helper()
		began := time.Now()
		require.NoError(t, cluster.AwaitInSync(patience(t)))
		t.Logf("in sync %v after healing", time.Since(began).Round(time.Millisecond))
		assert.Equal(t, nodes, cluster.Nodes())
		for node := range nodes {
			require.NoError(t, cluster.Probe(deadline(t), node))
		}
		write(t)
		for partition, end := range ends(t, cluster) {
			assert.GreaterOrEqual(t, end, written, "partition %d", partition) // a retried record may be there twice
		}
	}

	t.Run("starts whole", func(t *testing.T) {
		metadata, err := kadm.NewClient(client).Metadata(deadline(t))
		require.NoError(t, err)
		assert.Equal(t, []int32{1, 2, 3}, metadata.Brokers.NodeIDs())
		for _, partition := range metadata.Topics["readings"].Partitions.Sorted() {
			assert.Equal(t, partition.Partition%3+1, partition.Leader)
			assert.Len(t, partition.ISR, 3)
		}
		assert.Regexp(t, `^apache/kafka:4\.3\.1 \(sha256:[0-9a-f]{12}, speaks the protocol of Kafka v4\.`, cluster.Version())
		for node := range nodes {
			state, err := cluster.State(t.Context(), node)
			require.NoError(t, err)
			assert.Equal(t, broker.State{Status: "running"}, state)
		}
		write(t)
		assert.Equal(t, []int64{1, 1, 1, 1, 1, 1}, ends(t, cluster))
	})

	t.Run("kill", func(t *testing.T) {
		controller, err := cluster.Controller(deadline(t))
		require.NoError(t, err)
		require.NoError(t, cluster.Kill(deadline(t), controller))
		state, err := cluster.State(t.Context(), controller)
		require.NoError(t, err)
		assert.Equal(t, broker.State{Status: "exited", ExitCode: 137}, state)
		require.Error(t, cluster.Probe(deadline(t), controller))
		require.EqualError(t, cluster.Kill(deadline(t), controller), fmt.Sprintf("kill broker %d: nothing to do: it is exited with code 137", controller+1))
		require.ErrorContains(t, cluster.AwaitInSync(deadline(t), controller),
			fmt.Sprintf("wait for brokers to be in sync: the container of broker %d has exited with code 137; its last lines:\n[", controller+1))
		require.Eventually(t, func() bool {
			next, err := cluster.Controller(t.Context())
			return err == nil && next != controller
		}, time.Minute, 50*time.Millisecond, "another controller")
		write(t)

		require.NoError(t, cluster.StartAgain(deadline(t), controller))
		healed(t)
	})

	t.Run("stop", func(t *testing.T) {
		require.NoError(t, cluster.Stop(patience(t), 0, time.Minute))
		state, err := cluster.State(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, broker.State{Status: "exited", ExitCode: 143}, state)
		require.NoError(t, cluster.StartAgain(deadline(t), 0))
		require.EqualError(t, cluster.StartAgain(deadline(t), 0), "start broker 1: nothing to do: it is running")
		healed(t)
	})

	t.Run("pause", func(t *testing.T) {
		require.NoError(t, cluster.Pause(deadline(t), 1))
		state, err := cluster.State(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, broker.State{Status: "paused"}, state)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, cluster.Probe(ctx, 1), context.DeadlineExceeded)
		require.NoError(t, cluster.AwaitInSync(patience(t), 0, 2), "the others go on")
		require.EqualError(t, cluster.Pause(deadline(t), 1), "pause broker 2: nothing to do: it is paused")
		require.NoError(t, cluster.Unpause(deadline(t), 1))
		healed(t)
	})

	t.Run("isolate", func(t *testing.T) {
		require.NoError(t, cluster.Isolate(deadline(t), 2))
		state, err := cluster.State(t.Context(), 2)
		require.NoError(t, err)
		assert.Equal(t, broker.State{Status: "running", Isolated: true}, state)
		require.Error(t, cluster.Probe(deadline(t), 2))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorContains(t, cluster.AwaitInSync(ctx), "wait for brokers to be in sync: broker 3 does not answer")
		write(t)
		require.NoError(t, cluster.Reconnect(deadline(t), 2))
		require.EqualError(t, cluster.Reconnect(deadline(t), 2), "reconnect broker 3: nothing to do: it is running")
		healed(t)
	})

	t.Run("all", func(t *testing.T) {
		require.EqualError(t, cluster.Stop(patience(t), 0, 0), "stop broker 1: it had not ended after 0s and was killed")
		require.NoError(t, cluster.Kill(deadline(t), 1))
		require.NoError(t, cluster.Pause(deadline(t), 2))
		require.NoError(t, cluster.Kill(deadline(t), 2), "a frozen broker can be killed")
		_, err := cluster.Controller(deadline(t))
		require.ErrorContains(t, err, "find the controller: no broker knows one")
		for node := range nodes {
			require.NoError(t, cluster.StartAgain(deadline(t), node))
		}
		healed(t)
		stranger.Lives(t)
	})

	t.Run("of no broker", func(t *testing.T) {
		require.EqualError(t, cluster.Kill(t.Context(), 3), "kill broker 4: there are 3")
		require.EqualError(t, cluster.Pause(t.Context(), -1), "pause broker 0: there are 3")
	})

	t.Run("logs", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "logs")
		require.NoError(t, cluster.WriteLogs(deadline(t), folder))
		for node := range nodes {
			text, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("broker-%d.log", node+1)))
			require.NoError(t, err)
			assert.Contains(t, string(text), "Kafka Server started")
		}
		require.Error(t, cluster.WriteLogs(deadline(t), filepath.Join(folder, "broker-1.log")), "not a folder")
		lines, err := cluster.LastLogs(deadline(t), 0)
		require.NoError(t, err)
		assert.Regexp(t, `^(.*\n){14}.*[^\n]$`, lines)
	})
}

// TestDockerAsExternal treats a cluster of one broker, behind an address that is not its own, as somebody else's.
func TestDockerAsExternal(t *testing.T) {
	dockertest.Need(t)
	between := listen(t)
	spec := broker.DockerSpec(1)
	spec.Config = map[string]string{"num.io.threads": "2"}
	theirs, err := broker.Start(patience(t), spec, nil, []net.Addr{between.Addr()})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, theirs.Close(context.Background()))
		broker.NothingLeft(t, spec.Run)
	}()
	assert.Equal(t, []string{between.Addr().String()}, theirs.Bootstrap())
	between.lead(theirs.Nodes()[0].Direct)

	client := connect(t, theirs, kgo.Dialer(theirs.Dial))
	metadata, err := kadm.NewClient(client).BrokerMetadata(deadline(t))
	require.NoError(t, err)
	guests := guest(theirs.Bootstrap()...)
	guests.ClusterID = metadata.Cluster
	readings := own(guests, "readings")
	readings.ReplicationFactor = 1

	wrong := guests
	wrong.ClusterID = "prod-7"
	_, err = broker.Start(deadline(t), wrong, []broker.Topic{readings}, nil)
	require.ErrorContains(t, err, "this is cluster "+metadata.Cluster+", not prod-7")

	cluster, err := broker.Start(deadline(t), guests, []broker.Topic{readings}, nil)
	require.NoError(t, err)
	_, err = broker.Start(deadline(t), guests, []broker.Topic{readings}, nil)
	require.EqualError(t, err, "topic fleetproof-1f-readings exists already: a run uses no topic that it did not create")
	assert.Equal(t, []string{"fleetproof-1f-readings"}, topicsOf(t, theirs.Bootstrap()...))
	require.NoError(t, cluster.Close(deadline(t)))
	require.Eventually(t, func() bool { return len(topicsOf(t, theirs.Bootstrap()...)) == 0 }, time.Minute, 100*time.Millisecond)
}

// TestDockerOnTheHost has one broker on the host's network, where the daemon shares that with us.
func TestDockerOnTheHost(t *testing.T) {
	spec := broker.DockerSpec(1)
	spec.NoBridge = true
	cluster := startDocker(t, spec, broker.Topic{Name: "readings", Partitions: 1, ReplicationFactor: 1, MinInsyncReplicas: 1})
	if !strings.Contains(cluster.Version(), ", on the host's network)") {
		t.Skip("the daemon's host is not this one")
	}
	client := connect(t, cluster)
	require.NoError(t, produce(patience(t), client, 0, "x"))
	require.EqualError(t, cluster.Isolate(t.Context(), 0), "isolate broker 1: it is on the host's network")

	require.NoError(t, cluster.Kill(deadline(t), 0))
	require.Error(t, cluster.Probe(deadline(t), 0))
	require.NoError(t, cluster.StartAgain(deadline(t), 0))
	require.NoError(t, cluster.AwaitInSync(patience(t)))
	state, err := cluster.State(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, broker.State{Status: "running"}, state)
	assert.Equal(t, []int64{1}, ends(t, cluster))
}

func TestDockerRefuses(t *testing.T) {
	valid := broker.Spec{Kind: broker.Docker, Brokers: 1, Image: "apache/kafka:4.3.1", Heap: 256 << 20, Run: "1f"}
	tests := []struct {
		name   string
		change func(*broker.Spec)
		want   string
	}{
		{"no run", func(s *broker.Spec) { s.Run = "" }, "a docker broker needs the identity of the run"},
		{"no image", func(s *broker.Spec) { s.Image = "" }, "a docker broker needs an image, such as apache/kafka:4.3.1"},
		{"no heap", func(s *broker.Spec) { s.Heap = 1 << 20 }, "the heap of a docker broker is at least 128 MiB, got 1048576 bytes"},
		{"identity", func(s *broker.Spec) { s.Config = map[string]string{"node.id": "7"} }, "config of a docker broker: node.id is set by fleetproof"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := valid
			test.change(&spec)
			_, err := broker.Start(t.Context(), spec, nil, nil)
			require.EqualError(t, err, test.want)
		})
	}
}

// TestDockerFails looks at what is said, and what is left, when a cluster does not start.
func TestDockerFails(t *testing.T) {
	dockertest.Need(t)
	tests := []struct {
		name   string
		change func(*broker.Spec)
		limit  time.Duration
		logs   bool
		want   []string
	}{
		{"image", func(s *broker.Spec) { s.Image = "fleetproof/no-such-image:0" }, time.Minute, false, []string{
			"pull image fleetproof/no-such-image:0: ", ": connect to a registry that has it, load it with docker load, or name an image of docker images"}},
		{"broker that exits", func(s *broker.Spec) { s.Config = map[string]string{"num.io.threads": "many"} }, 4 * time.Minute, true, []string{
			"wait for brokers to be in sync: the container of broker 1 has exited with code 1; its last lines:\n", "num.io.threads"}},
		{"unknown setting", func(s *broker.Spec) { s.Config = map[string]string{"num.oi.threads": "4"} }, 4 * time.Minute, true, []string{
			"check settings of the brokers: Kafka knows no num.oi.threads"}},
		{"deadline", func(*broker.Spec) {}, 3 * time.Second, true, []string{"context deadline exceeded"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := broker.DockerSpec(1)
			test.change(&spec)
			spec.Logs = filepath.Join(t.TempDir(), "logs")
			ctx, cancel := context.WithTimeout(t.Context(), test.limit)
			defer cancel()
			cluster, err := broker.Start(ctx, spec, nil, nil)
			assert.Nil(t, cluster)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			broker.NothingLeft(t, spec.Run)
			if test.logs {
				assert.FileExists(t, filepath.Join(spec.Logs, "broker-1.log"))
			} else {
				assert.NoDirExists(t, spec.Logs)
			}
		})
	}
}

// middleman passes connections on, as a link does.
type middleman struct {
	net.Listener
	leading chan struct{}
	to      string
}

func listen(t *testing.T) *middleman {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &middleman{Listener: listener, leading: make(chan struct{})}
	var passing sync.WaitGroup
	passing.Go(func() {
		<-m.leading
		for {
			from, err := m.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			passing.Go(func() { m.pass(from) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		m.lead("")
		passing.Wait()
	})
	return m
}

// lead says where connections go.
func (m *middleman) lead(to string) {
	if m.to == "" {
		m.to = to
		close(m.leading)
	}
}

func (m *middleman) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", m.to)
	if err != nil {
		return
	}
	defer to.Close()
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(from, to)
		from.Close()
	})
	io.Copy(to, from)
	to.Close()
	back.Wait()
}
