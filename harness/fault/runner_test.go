package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// script is an effect that does what a test says and writes down what was asked of it and when.
type script struct {
	name  string
	start time.Time
	log   *chronicle

	takes   time.Duration     // how long inject takes
	broken  error             // of inject
	stuck   func() error      // of undo; nil: it succeeds
	ill     func() error      // of healed; nil: it succeeds
	touches func() (hits int) // nil: one
}

type chronicle struct {
	mutex sync.Mutex
	lines []string
}

func (s *script) write(did string) {
	s.log.mutex.Lock()
	defer s.log.mutex.Unlock()
	s.log.lines = append(s.log.lines, fmt.Sprintf("%s %s %s", time.Since(s.start), did, s.name))
}

func (s *script) inject(ctx context.Context) error {
	s.write("inject")
	if !pause(ctx, s.takes) {
		return ctx.Err()
	}
	return s.broken
}

func (s *script) hits() int64 {
	if s.touches == nil {
		return 1
	}
	return int64(s.touches())
}

func (s *script) undo(context.Context) error {
	s.write("undo")
	if s.stuck != nil {
		return s.stuck()
	}
	return nil
}

func (s *script) healed(context.Context) error {
	s.write("prove")
	if s.ill != nil {
		return s.ill()
	}
	return nil
}

// perform plays scripted faults in a bubble of synctest until the schedule is over or `until`, and returns what was
// done when, the lives, and the error of the run. The runner's clock starts with the bubble. The faults believe that they
// are on three docker brokers, with another leader every ten seconds.
func perform(t *testing.T, specs []Spec, scripts map[string]*script, until time.Duration, during func(r *Runner)) (log []string, lives []Life, problem error) {
	t.Helper()
	cluster, err := broker.Start(t.Context(), broker.Spec{Kind: broker.Embedded, Brokers: 3}, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, cluster.Close(context.Background())) }()
	synctest.Test(t, func(*testing.T) {
		start := time.Now()
		var written chronicle
		r := NewRunner(specs, Field{
			World:   World{Broker: broker.Docker, Brokers: 3, Topics: []broker.Topic{{Name: topic, Partitions: 6, ReplicationFactor: 3, MinInsyncReplicas: 2}}},
			Cluster: cluster, HealTimeout: 3 * time.Second,
			Clock: func() time.Duration { return time.Since(start) },
		})
		r.field.leader = func(context.Context, Target) (int, error) { return int(time.Since(start) / (10 * time.Second)), nil }
		r.effect = func(spec Spec, _ []int, _ Field, _ *rand.Rand) (effect, error) {
			s, found := scripts[spec.Name]
			if !found {
				s = new(script)
			}
			s.name, s.start, s.log = spec.Name, start, &written
			return s, nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), until)
		defer cancel()
		var watching sync.WaitGroup
		if during != nil {
			watching.Go(func() { during(r) })
		}
		problem = r.Run(ctx)
		watching.Wait()
		log, lives = written.lines, r.Lives()
	})
	return log, lives, problem
}

// at is a fault on the first broker with a place in time, in seconds.
func at(name string, from, length int) Spec {
	return Spec{
		Name: name, Do: Latency, Target: Target{Broker: 1},
		At: time.Duration(from) * time.Second, For: time.Duration(length) * time.Second,
	}
}

func TestRunFollowsTheSchedule(t *testing.T) {
	second := at("second", 3, 4)
	second.Target = Target{All: true}
	hitLate := &script{}
	hitLate.touches = func() int {
		if time.Since(hitLate.start) < 6*time.Second {
			return 0
		}
		return 42
	}
	log, lives, problem := perform(t, []Spec{second, at("first", 1, 3), at("third", 4, 1)}, map[string]*script{"second": hitLate}, time.Hour,
		func(r *Runner) {
			current := map[time.Duration]string{
				500 * time.Millisecond: "", 2 * time.Second: "first", 3500 * time.Millisecond: "second", 4500 * time.Millisecond: "third",
				6 * time.Second: "second", 8 * time.Second: "",
			}
			moments := make([]time.Duration, 0, len(current))
			for moment := range current {
				moments = append(moments, moment)
			}
			slices.Sort(moments)
			for _, moment := range moments {
				<-time.After(moment - r.field.Clock())
				assert.Equal(t, current[moment], r.Current(), moment)
			}
		})
	require.NoError(t, problem)
	assert.Equal(t, []string{
		"1s inject first", "3s inject second",
	}, log[:2])
	assert.ElementsMatch(t, []string{"4s undo first", "4s prove first", "4s inject third"}, log[2:5])
	assert.Equal(t, []string{
		"5s undo third", "5s prove third", "7s undo second", "7s prove second",
	}, log[5:])
	proof := "responses delayed"
	assert.Empty(t, cmp.Diff([]Life{
		{Name: "second", Do: "latency", Target: "all", InjectedAt: 3 * time.Second, ProvenAt: 6 * time.Second,
			HealedAt: 7 * time.Second, ResumedAt: Never, Hits: 42, Proof: proof},
		{Name: "first", Do: "latency", Target: "broker 1", InjectedAt: time.Second, ProvenAt: time.Second,
			HealedAt: 4 * time.Second, ResumedAt: Never, Hits: 1, Proof: proof},
		{Name: "third", Do: "latency", Target: "broker 1", InjectedAt: 4 * time.Second, ProvenAt: 4 * time.Second,
			HealedAt: 5 * time.Second, ResumedAt: Never, Hits: 1, Proof: proof},
	}, lives))
}

func TestRunEndsWithItsContext(t *testing.T) {
	log, lives, problem := perform(t, []Spec{at("a", 1, 60), at("b", 2, 60), at("c", 3, 60), at("d", 30, 60)}, nil, 10*time.Second, nil)
	require.NoError(t, problem)
	assert.Equal(t, []string{
		"1s inject a", "2s inject b", "3s inject c",
		"10s undo c", "10s undo b", "10s undo a", "10s prove c", "10s prove b", "10s prove a",
	}, log, "the last first")
	for _, life := range lives[:3] {
		assert.Equal(t, 10*time.Second, life.HealedAt)
	}
	assert.Equal(t, Life{
		Name: "d", Do: "latency", Target: "broker 1", InjectedAt: Never, ProvenAt: Never, HealedAt: Never, ResumedAt: Never,
		Proof: "responses delayed",
	}, lives[3])
}

func TestRunHealsWhatWasHalfInjected(t *testing.T) {
	slow := &script{takes: time.Minute}
	log, lives, problem := perform(t, []Spec{at("slow", 1, 60)}, map[string]*script{"slow": slow}, 2*time.Second, nil)
	require.NoError(t, problem, "the end of the run is no error")
	assert.Equal(t, []string{"1s inject slow", "2s undo slow", "2s prove slow"}, log)
	assert.Equal(t, 2*time.Second, lives[0].HealedAt)

	log, _, problem = perform(t, []Spec{at("slow", 1, 60)}, map[string]*script{"slow": slow}, time.Hour, nil)
	require.EqualError(t, problem, "fault slow: inject: context deadline exceeded")
	assert.Equal(t, []string{"1s inject slow", "4s undo slow", "4s prove slow"}, log)
}

func TestRunStopsWhenAFaultGivesAnError(t *testing.T) {
	broken := &script{broken: errors.New("no such container")}
	log, lives, problem := perform(t, []Spec{at("a", 1, 60), at("b", 2, 60), at("c", 30, 60)}, map[string]*script{"b": broken}, time.Hour, nil)
	require.EqualError(t, problem, "fault b: inject: no such container")
	assert.Equal(t, []string{
		"1s inject a", "2s inject b", "2s undo b", "2s undo a", "2s prove b", "2s prove a",
	}, log)
	assert.Equal(t, Never, lives[2].InjectedAt)
}

func TestRunSurvivesPanics(t *testing.T) {
	panics := func() error { panic("boom") }
	specs := []Spec{at("a", 1, 60), at("b", 2, 5), at("c", 3, 60)}
	t.Run("in undo", func(t *testing.T) {
		log, lives, problem := perform(t, specs, map[string]*script{"b": {stuck: panics}}, time.Hour, nil)
		require.ErrorContains(t, problem, "fault b: panic: boom\n")
		assert.Equal(t, 2, strings.Count(problem.Error(), "fault b: panic: boom\n"), "tried again with the others")
		assert.Equal(t, []string{
			"1s inject a", "2s inject b", "3s inject c", "7s undo b",
			"7s undo c", "7s undo b", "7s undo a", "7s prove c", "7s prove a",
		}, log)
		assert.Equal(t, []time.Duration{7 * time.Second, Never, 7 * time.Second},
			[]time.Duration{lives[0].HealedAt, lives[1].HealedAt, lives[2].HealedAt})
	})
	t.Run("in proving", func(t *testing.T) {
		log, _, problem := perform(t, specs, map[string]*script{"b": {ill: panics}}, time.Hour, nil)
		require.ErrorContains(t, problem, "fault b: panic: boom\n")
		assert.Equal(t, []string{
			"1s inject a", "2s inject b", "3s inject c", "7s undo b", "7s prove b",
			"7s undo c", "7s undo a", "7s prove c", "7s prove b", "7s prove a",
		}, log)
	})
}

func TestRunTriesUntilTheDeadline(t *testing.T) {
	stubborn := func(until time.Duration) *script {
		s := new(script)
		answer := func() error {
			if time.Since(s.start) < until {
				return errors.New("not yet")
			}
			return nil
		}
		s.stuck, s.ill = answer, answer
		return s
	}
	specs := []Spec{at("a", 1, 4)}
	t.Run("in time", func(t *testing.T) {
		_, lives, problem := perform(t, specs, map[string]*script{"a": stubborn(7 * time.Second)}, time.Hour, nil)
		require.NoError(t, problem)
		assert.GreaterOrEqual(t, lives[0].HealedAt, 7*time.Second)
		assert.LessOrEqual(t, lives[0].HealedAt, 7100*time.Millisecond)
	})
	t.Run("not undone", func(t *testing.T) {
		log, lives, problem := perform(t, specs, map[string]*script{"a": stubborn(time.Hour)}, time.Hour, nil)
		require.EqualError(t, problem, "fault a: heal: not undone within 3s: not yet")
		assert.Equal(t, Never, lives[0].HealedAt)
		assert.Equal(t, int64(1), lives[0].Hits)
		assert.NotContains(t, strings.Join(log, "\n"), "prove")
	})
	t.Run("not proven", func(t *testing.T) {
		ill := &script{ill: func() error { return errors.New("no answer") }}
		log, lives, problem := perform(t, append(specs, at("b", 2, 60)), map[string]*script{"a": ill}, time.Hour, nil)
		require.EqualError(t, problem, "fault a: heal: not proven within 3s: no answer")
		assert.Equal(t, Never, lives[0].HealedAt)
		assert.Equal(t, []string{"8s undo b", "8s prove b"}, log[len(log)-2:], "the rest is healed at once")
	})
	t.Run("exited", func(t *testing.T) {
		exited := fmt.Errorf("look: %w", &broker.ExitedError{State: broker.State{Status: "exited", ExitCode: 1}, Lines: "no disk"})
		ill := &script{ill: func() error { return exited }}
		log, lives, problem := perform(t, specs, map[string]*script{"a": ill}, time.Hour, nil)
		require.EqualError(t, problem, "fault a: heal: look: the container of broker 1 has exited with code 1; its last lines:\nno disk")
		assert.Equal(t, Never, lives[0].HealedAt)
		assert.Equal(t, []string{"1s inject a", "5s undo a", "5s prove a", "5.005s prove a"}, log, "nobody waits for what will not be")

		// Another fault that holds brokers down is waited for.
		up, down := at("a", 1, 4), at("b", 2, 10)
		up.Do, down.Do, down.Target, down.AllowLoss = Kill, Kill, Target{Broker: 2}, true
		ill = &script{}
		ill.ill = func() error {
			if time.Since(ill.start) < 12*time.Second {
				return exited
			}
			return nil
		}
		_, lives, problem = perform(t, []Spec{up, down}, map[string]*script{"a": ill}, time.Hour, nil)
		require.NoError(t, problem)
		assert.InDelta(t, 12*time.Second, lives[0].HealedAt, float64(200*time.Millisecond))
	})
	t.Run("after the end", func(t *testing.T) {
		_, lives, problem := perform(t, specs, map[string]*script{"a": stubborn(7 * time.Second)}, 2*time.Second, nil)
		require.EqualError(t, problem, "fault a: heal: not undone within 3s: not yet", "healing outlives the run, but not its deadline")
		assert.Equal(t, Never, lives[0].HealedAt)
	})
}

// TestRunProvesBehindACut has a fault that ends while another lets no connection through to its target: its healing can
// be proven only when that one is over, which takes longer than the deadline.
func TestRunProvesBehindACut(t *testing.T) {
	cut := func(from, length int, target Target) Spec {
		spec := at("cut", from, length)
		spec.Do, spec.Target = Cut, target
		return spec
	}
	unreachable := func(from, until time.Duration) *script {
		s := new(script)
		s.ill = func() error {
			if now := time.Since(s.start); now >= from && now < until {
				return errors.New("reset")
			}
			return nil
		}
		return s
	}
	sec := time.Second
	tests := []struct {
		name   string
		specs  []Spec
		ill    *script
		until  time.Duration
		healed time.Duration
		want   string
	}{
		{"cut when it ends", []Spec{at("slow", 1, 4), cut(2, 28, Target{Broker: 1})}, unreachable(2*sec, 30*sec), time.Hour, 30 * sec, ""},
		{"cut while it is proven", []Spec{at("slow", 1, 4), cut(6, 24, Target{All: true})}, unreachable(0, 30*sec), time.Hour, 30 * sec, ""},
		{"cut somewhere else", []Spec{at("slow", 1, 4), cut(2, 28, Target{Broker: 2})}, unreachable(2*sec, 30*sec), time.Hour, Never,
			"fault slow: heal: not proven within 3s: reset"},
		{"cut until the end", []Spec{at("slow", 1, 4), cut(2, 100, Target{Broker: 1})}, unreachable(2*sec, 20*sec), 20 * sec, 20 * sec, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, lives, problem := perform(t, test.specs, map[string]*script{"slow": test.ill}, test.until, nil)
			if test.want == "" {
				require.NoError(t, problem)
			} else {
				require.EqualError(t, problem, test.want)
			}
			assert.InDelta(t, test.healed, lives[0].HealedAt, float64(100*time.Millisecond))
		})
	}
}

func TestAcked(t *testing.T) {
	s := time.Second
	_, lives, _ := perform(t, []Spec{at("a", 1, 4), at("b", 2, 6), at("c", 20, 1)}, nil, time.Hour, func(r *Runner) {
		<-time.After(6 * s)
		assert.Equal(t, int64(1), r.awaiting.Load())
		r.Acked(4*s, 6*s) // handed over before a was healed
		r.Acked(5*s, 7*s) // the first after
		r.Acked(6*s, 6500*time.Millisecond)
		assert.Zero(t, r.awaiting.Load())
		<-time.After(3 * s)
		r.Acked(7*s, 9*s)
		r.Acked(8*s, 9500*time.Millisecond)
		r.Acked(9*s, 30*s)
	})
	assert.Equal(t, []time.Duration{7 * s, 9500 * time.Millisecond, Never},
		[]time.Duration{lives[0].ResumedAt, lives[1].ResumedAt, lives[2].ResumedAt})
}

func TestNoFaults(t *testing.T) {
	var none *Runner
	none.Acked(0, 0)
	assert.Empty(t, none.Current())
	assert.Empty(t, none.Lives())

	r := NewRunner(nil, Field{})
	require.NoError(t, r.Run(t.Context()))
	assert.Empty(t, r.Lives())
}

// TestRunOnACluster plays a whole schedule with real effects and the real clock, without any traffic.
func TestRunOnACluster(t *testing.T) {
	s := newScene(t, 2, 2)
	ms := time.Millisecond
	r := NewRunner([]Spec{
		{Name: "slow", Do: Latency, Latency: new(10 * ms), For: 30 * ms, Target: Target{All: true}},
		{Name: "away", Do: Cut, For: 40 * ms, Target: Target{Broker: 2}},
		{Name: "down", Do: Crash, For: 50 * ms, Target: Target{All: true}},
		{Name: "refusing", Do: Error, API: "Produce", Error: "NOT_CONTROLLER", For: 60 * ms, Target: Target{All: true}},
		{Name: "lossy", Do: LoseAck, Count: new(1), For: 70 * ms, Target: Target{Leader: true, Topic: topic, Partition: 1}},
	}, s.field())
	require.NoError(t, r.Run(t.Context()))
	lives := r.Lives()
	assert.Equal(t, "broker 2", lives[4].Target)
	for _, life := range lives {
		assert.NotEqual(t, Never, life.InjectedAt, life.Name)
		assert.NotEqual(t, Never, life.HealedAt, life.Name)
		assert.Zero(t, life.Hits, "%s: probes are not hits", life.Name)
		assert.Equal(t, Never, life.ProvenAt, life.Name)
	}
	s.produce(s.client(), 0, "well again")
}

func TestRunOnAClusterThatIsGone(t *testing.T) {
	s := newScene(t, 1, 1)
	field := s.field()
	field.HealTimeout = 50 * time.Millisecond
	r := NewRunner([]Spec{lasting(Spec{Do: Cut})}, field)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	s.inEffect(r, "trouble")
	require.NoError(t, s.cluster.Close(t.Context()))
	cancel()
	require.ErrorContains(t, <-done, "fault trouble: heal: not proven within 50ms: probe broker 1: ")
	assert.Equal(t, Never, r.Lives()[0].HealedAt)
}

func TestRunOnWhatIsNotThere(t *testing.T) {
	s := newScene(t, 1, 1)
	unlinked := s.field()
	unlinked.Links = nil
	panicking := s.field()
	panicking.Grows = func(string, int) { panic("boom") }
	tests := []struct {
		name  string
		field Field
		spec  Spec
		want  string
	}{
		{"broker", s.field(), Spec{Do: Cut, Target: Target{Broker: 2}}, "inject: there is no broker 2"},
		{"link", unlinked, Spec{Do: Cut}, "inject: the run has no links"},
		{
			"leader", s.field(), Spec{Do: Cut, Target: Target{Leader: true, Topic: topic, Partition: 7}},
			"inject: find the leader of readings/7: there is no partition readings/7",
		},
		{"kind", s.field(), Spec{Do: "explode"}, `inject: unknown kind of fault "explode"`},
		{"error", s.field(), Spec{Do: Error, API: "Produce"}, `inject: answer with an error: unknown error ""`},
		{"panic", panicking, Spec{Do: AddPartitions, Target: Target{Topic: topic, Whole: true}, To: new(2)}, "panic: boom\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Another fault is in effect when this one fails, and is healed.
			spec := lasting(test.spec)
			spec.At = time.Millisecond
			r := NewRunner([]Spec{spec, lasting(Spec{Name: "other", Do: Crash})}, test.field)
			require.ErrorContains(t, r.Run(t.Context()), "fault trouble: "+test.want)
			other := r.Lives()[1]
			assert.Equal(t, other.InjectedAt == Never, other.HealedAt == Never)
			require.NoError(t, s.cluster.Probe(t.Context(), 0))
		})
	}
}

func TestNilRunnerIsARunWithoutFaults(t *testing.T) {
	var r *Runner
	require.NoError(t, r.Run(t.Context()))
	r.Acked(0, 0)
	assert.Empty(t, r.Current())
	assert.Empty(t, r.Lives())
}
