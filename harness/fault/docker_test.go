package fault

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// dockerScene is a scene with a cluster of three containers, behind links, to which somebody writes all the time.
type dockerScene struct {
	scene
	daemon *client.Client
	run    string
	client *kgo.Client
}

func newDockerScene(t *testing.T) *dockerScene {
	t.Helper()
	daemon := needDocker(t)
	spec := dockerSpec(3)
	began := time.Now()
	s := &dockerScene{scene: newSceneOf(t, spec, 6), daemon: daemon, run: spec.Run}
	t.Logf("three brokers after %s", time.Since(began).Round(time.Millisecond))
	s.client = s.scene.client(kgo.RecordRetries(1_000_000), kgo.MetadataMaxAge(time.Second), kgo.MaxBufferedRecords(1_000_000),
		kgo.RequestTimeoutOverhead(3*time.Second), kgo.ProduceRequestTimeout(3*time.Second), kgo.DialTimeout(time.Second),
		kgo.AlwaysRetryEOF()) // Docker accepts for a container that is just dying, and closes
	return s
}

// container is the container of a broker.
func (s *dockerScene) container(node int) string {
	return fmt.Sprintf("fleetproof-%s-kafka-%d", s.run, node+1)
}

// writing writes a record to every partition every few milliseconds while something is done, and makes sure that all of
// them are acknowledged, and stored once.
func (s *dockerScene) writing(t *testing.T, during func()) {
	t.Helper()
	before := s.ends(t)
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	var mutex sync.Mutex
	acked := map[int32]int64{}
	writer.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for partition := range int32(6) {
				s.client.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte("x")}, func(record *kgo.Record, err error) {
					if assert.NoError(t, err) {
						mutex.Lock()
						defer mutex.Unlock()
						acked[record.Partition]++
					}
				})
			}
		}
	})
	during()
	stop()
	writer.Wait()
	require.NoError(t, s.client.Flush(t.Context()))
	after := s.ends(t)
	for partition, count := range acked {
		assert.Equal(t, count, after[partition]-before[partition], "partition %d", partition)
	}
}

func (s *dockerScene) ends(t *testing.T) map[int32]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	observer := s.observer()
	defer observer.Close()
	listed, err := kadm.NewClient(observer).ListEndOffsets(ctx, topic)
	require.NoError(t, err)
	require.NoError(t, listed.Error())
	ends := map[int32]int64{}
	listed.Each(func(end kadm.ListedOffset) { ends[end.Partition] = end.Offset })
	return ends
}

// perform plays faults to their end, and tells how long they took.
func (s *dockerScene) perform(t *testing.T, specs ...Spec) []Life {
	t.Helper()
	r := NewRunner(specs, s.field())
	err := r.Run(t.Context())
	s.tell(t, r.Lives())
	require.NoError(t, err)
	return r.Lives()
}

func (s *dockerScene) tell(t *testing.T, lives []Life) {
	t.Helper()
	for _, life := range lives {
		after := func(moment time.Duration) time.Duration {
			return (moment - life.InjectedAt).Round(10 * time.Millisecond)
		}
		t.Logf("%s of %s: seen after %s, healed after %s, %d %s", life.Do, life.Target, after(life.ProvenAt), after(life.HealedAt), life.Hits, life.Proof)
	}
}

// TestDocker plays with one cluster, because each takes its time to start. Every part but the last leaves it whole.
func TestDocker(t *testing.T) {
	s := newDockerScene(t)
	stranger := newStranger(t, s.daemon)
	leader := Target{Leader: true, Topic: topic, Partition: 0}
	const sec = time.Second

	for _, test := range []struct {
		spec Spec
		hits int64
	}{
		{Spec{Do: Kill, For: 3 * sec, Target: leader}, 6},
		{Spec{Do: Restart, Target: Target{Controller: true}}, 6},
		{Spec{Do: Pause, For: 12 * sec, Target: leader}, 6},
		{Spec{Do: Isolate, For: 3 * sec, Target: Target{Broker: 3}}, 6},
		{Spec{Do: RollingRestart, Target: Target{All: true}}, 18},
	} {
		t.Run(string(test.spec.Do), func(t *testing.T) {
			s.writing(t, func() {
				before := s.leaders()
				test.spec.Name = "trouble"
				lives := s.perform(t, test.spec)
				s.requireLived(lives[0])
				assert.Equal(t, test.hits, lives[0].Hits)
				if test.spec.Target == leader {
					assert.Equal(t, fmt.Sprintf("broker %d", before[0]), lives[0].Target)
				}
				assert.NotContains(t, lives[0].Target, "controller", "it has been found")
			})
		})
	}

	t.Run("leaders", func(t *testing.T) {
		s.writing(t, func() {
			before := s.leaders()
			lives := s.perform(t, Spec{Name: "all", Do: ElectLeader, Target: Target{All: true}, For: 2 * sec})
			s.requireLived(lives[0])
			assert.Equal(t, int64(6), lives[0].Hits)
			assert.Equal(t, before, s.leaders())

			whole := Target{Topic: topic, Whole: true}
			lives = s.perform(t, Spec{Name: "to", Do: MoveLeader, Target: whole, To: new(2)})
			s.requireLived(lives[0])
			assert.Equal(t, []int{2, 2, 2, 2, 2, 2}, s.leaders())
			lives = s.perform(t, Spec{Name: "on", Do: MoveLeader, Target: Target{Topic: topic, Partition: 3}})
			s.requireLived(lives[0])
			assert.Equal(t, int64(1), lives[0].Hits)
			assert.NotEqual(t, 2, s.leaders()[3])
		})
	})

	t.Run("link", func(t *testing.T) {
		s.writing(t, func() {
			all := Target{All: true}
			lives := s.perform(t,
				Spec{Name: "slow", Do: Latency, Latency: new(300 * time.Millisecond), For: sec, Target: all},
				Spec{Name: "lossy", Do: LoseAck, Rate: &Rate{PerSecond: 5}, At: 2 * sec, For: sec, Target: all},
				Spec{Name: "away", Do: Cut, At: 4 * sec, For: sec, Target: Target{Controller: true}})
			for _, life := range lives {
				s.requireLived(life)
			}
		})
	})

	t.Run("shrink_isr", func(t *testing.T) {
		s.writing(t, func() {
			lives := s.play([]Spec{lasting(Spec{Do: ShrinkISR, Target: Target{Topic: topic, Partition: 0}})}, func(r *Runner) {
				s.hits(r, 0)
				writer := s.scene.client(kgo.RecordRetries(0), kgo.DisableIdempotentWrite())
				require.ErrorIs(t, s.tryProduce(writer, 0, "refused"), kerr.NotEnoughReplicas)
				t.Logf("undone from %s", r.field.Clock())
			})
			s.tell(t, lives)
			s.requireLived(lives[0])
			assert.Equal(t, int64(6), lives[0].Hits)
			assert.Regexp(t, `^readings/0 \(brokers [123], [123]\)$`, lives[0].Target)
		})
	})

	t.Run("all", func(t *testing.T) {
		spec := Spec{Name: "blackout", Do: Pause, Target: Target{All: true}, For: 2 * sec}
		require.EqualError(t, NewRunner([]Spec{spec}, s.field()).Run(t.Context()), "fault blackout: inject: 3 of 3 brokers may be down at once "+
			"(blackout): readings keeps 0 of 3 replicas and needs 2: say allow_loss: true if it may")
		for node := range 3 {
			require.NoError(t, s.cluster.Probe(t.Context(), node), "nothing has happened")
		}
		s.writing(t, func() {
			spec.AllowLoss = true
			lives := s.perform(t, spec)
			s.requireLived(lives[0])
			assert.Equal(t, int64(18), lives[0].Hits)
		})
		stranger.requireUntouched(t)
	})

	t.Run("add_partitions", func(t *testing.T) {
		s.writing(t, func() {
			lives := s.perform(t, Spec{Name: "growth", Do: AddPartitions, Target: Target{Topic: topic, Whole: true}, To: new(9)})
			s.requireLived(lives[0])
			assert.Equal(t, int64(3), lives[0].Hits)
			s.eventually("a broker that knows them all, which need not be the one that the fault asked", func() bool {
				return assert.ObjectsAreEqual([]int{1, 2, 3}, s.leaders()[6:])
			})
		})
	})

	// Brokers that do not come back.
	fails := func(t *testing.T, spec Spec, timeout time.Duration, during func()) (problem string, life Life) {
		t.Helper()
		field := s.field()
		field.HealTimeout = timeout
		spec.Name = "trouble"
		r := NewRunner([]Spec{spec}, field)
		done := make(chan error, 1)
		go func() { done <- r.Run(t.Context()) }()
		s.hits(r, 0)
		during()
		err := <-done
		require.Error(t, err)
		life = r.Lives()[0]
		assert.Equal(t, Never, life.HealedAt)
		t.Log(err)
		return err.Error(), life
	}
	t.Run("broker that does not answer", func(t *testing.T) {
		problem, _ := fails(t, Spec{Do: Isolate, Target: Target{Broker: 2}, For: sec}, 8*sec, func() { s.signal(t, 1, "SIGSTOP") })
		assert.Regexp(t, `^fault trouble: heal: not proven within 8s: broker 2: wait for brokers to be in sync: broker 2 does not answer: `+
			`(?s:.*); its last lines:\n\[\d{4}-`, problem)
		s.signal(t, 1, "SIGCONT")
		ctx, cancel := context.WithTimeout(t.Context(), enough)
		defer cancel()
		require.NoError(t, s.cluster.AwaitInSync(ctx))
	})
	t.Run("broker that cannot start", func(t *testing.T) {
		s.execute(t, 2, "echo cluster.id=another > /tmp/kraft-combined-logs/meta.properties")
		problem, _ := fails(t, Spec{Do: Kill, Target: Target{Broker: 3}, For: sec}, enough, func() {})
		assert.Regexp(t, `^fault trouble: heal: wait for brokers to be in sync: the container of broker 3 has exited `+
			`with code 1; its last lines:\n(?s:.*)meta.properties`, problem)
	})
	t.Run("broker that is no more", func(t *testing.T) {
		problem, _ := fails(t, Spec{Do: Pause, Target: Target{Broker: 2}, For: sec, AllowLoss: true}, 3*sec, func() {
			_, err := s.daemon.ContainerRemove(t.Context(), s.container(1), client.ContainerRemoveOptions{Force: true})
			require.NoError(t, err)
		})
		assert.Contains(t, problem, "fault trouble: heal: not undone within 3s: look at broker 2: ")
		assert.Contains(t, problem, "No such container")
	})
	stranger.requireUntouched(t)
}

func (s *dockerScene) signal(t *testing.T, node int, signal string) {
	t.Helper()
	_, err := s.daemon.ContainerKill(t.Context(), s.container(node), client.ContainerKillOptions{Signal: signal})
	require.NoError(t, err)
}

// execute runs a shell command in the container of a broker.
func (s *dockerScene) execute(t *testing.T, node int, command string) {
	t.Helper()
	created, err := s.daemon.ExecCreate(t.Context(), s.container(node), client.ExecCreateOptions{Cmd: []string{"sh", "-c", command}})
	require.NoError(t, err)
	_, err = s.daemon.ExecStart(t.Context(), created.ID, client.ExecStartOptions{})
	require.NoError(t, err)
	s.eventually("the end of "+command, func() bool {
		found, err := s.daemon.ExecInspect(t.Context(), created.ID, client.ExecInspectOptions{})
		require.NoError(t, err)
		return !found.Running && found.ExitCode == 0
	})
}
