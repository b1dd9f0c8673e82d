package fault

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// often has a fault come every so many seconds; with times of 0 as often as fits.
func often(spec Spec, every, times int) Spec {
	spec.Repeat = &Repeat{Every: time.Duration(every) * time.Second}
	if times > 0 {
		spec.Repeat.Times = &times
	}
	return spec
}

// endingAt is a world of three brokers whose load ends after so many seconds.
func endingAt(kind broker.Kind, seconds int) World {
	return World{
		Broker: kind, Brokers: 3, End: time.Duration(seconds) * time.Second,
		Topics: []broker.Topic{{Name: topic, Partitions: 6, ReplicationFactor: 3, MinInsyncReplicas: 2}},
	}
}

func TestTimes(t *testing.T) {
	kill := func(from, length int) Spec {
		spec := at("kill", from, length)
		spec.Do = Kill
		return spec
	}
	for _, test := range []struct {
		name  string
		spec  Spec
		world World
		want  int
	}{
		{"once", at("a", 5, 2), endingAt(broker.Embedded, 60), 1},
		{"as often as is said", often(at("a", 5, 2), 10, 3), endingAt(broker.Embedded, 60), 3},
		{"as often as fits", often(at("a", 5, 2), 10, 0), endingAt(broker.Embedded, 60), 6},
		{"with a breath after the last", often(at("a", 5, 2), 10, 0), endingAt(broker.Embedded, 58), 6},
		{"without room for that", often(at("a", 5, 2), 10, 0), endingAt(broker.Embedded, 57), 5},
		{"the first has to come", often(at("a", 5, 2), 10, 0), endingAt(broker.Embedded, 3), 1},
		{"brokers need longer", often(kill(5, 2), 20, 0), endingAt(broker.Docker, 56), 2},
		{"and may", often(kill(5, 2), 20, 0), endingAt(broker.Docker, 57), 3},
		{"no more than can be told apart", often(at("a", 5, 2), 10, 0), endingAt(broker.Embedded, 1e9), MaxRepetitions + 1},
		{"nor when it is said", often(at("a", 5, 2), 10, 1e9), endingAt(broker.Embedded, 60), MaxRepetitions + 1},
		{"a mistake", often(at("a", 5, 2), 0, 0), endingAt(broker.Embedded, 60), 1},
		{"another", often(at("a", 5, 2), 10, -3), endingAt(broker.Embedded, 60), 6},
	} {
		assert.Equal(t, test.want, test.spec.Times(test.world), test.name)
	}
	spec := often(at("a", 5, 2), 10, 3)
	assert.Equal(t, []time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second}, []time.Duration{spec.Begin(0), spec.Begin(1), spec.Begin(2)})
	assert.Equal(t, 5*time.Second, at("a", 5, 2).Begin(0))
}

// TestRunRepeats plays lives one after the other, beside another fault.
func TestRunRepeats(t *testing.T) {
	log, lives, problem := perform(t, []Spec{often(at("again", 1, 1), 3, 3), at("once", 2, 3)}, nil, time.Hour, nil)
	require.NoError(t, problem)
	assert.Equal(t, []string{"1s inject again"}, log[:1])
	assert.ElementsMatch(t, []string{"2s undo again", "2s prove again", "2s inject once"}, log[1:4])
	assert.Equal(t, []string{"4s inject again"}, log[4:5])
	assert.ElementsMatch(t, []string{"5s undo again", "5s prove again", "5s undo once", "5s prove once"}, log[5:9])
	assert.Equal(t, []string{"7s inject again", "8s undo again", "8s prove again"}, log[9:])
	life := func(name string, repetition, from, to int) Life {
		begin, end := time.Duration(from)*time.Second, time.Duration(to)*time.Second
		return Life{
			Name: name, Repetition: repetition, Do: "latency", Target: "broker 1", InjectedAt: begin, ProvenAt: begin, HealedAt: end, ResumedAt: Never,
			Hits: 1, Proof: "responses delayed",
		}
	}
	assert.Empty(t, cmp.Diff([]Life{life("again", 1, 1, 2), life("again", 2, 4, 5), life("again", 3, 7, 8), life("once", 0, 2, 5)}, lives))
}

// TestRunLeavesRepetitionsOut whose time is over when the one before is healed, or when the run ends.
func TestRunLeavesRepetitionsOut(t *testing.T) {
	var slow *script
	slow = &script{ill: func() error {
		if now := time.Since(slow.start); now >= 2*time.Second && now < 4*time.Second {
			return errors.New("not yet")
		}
		return nil
	}}
	specs := []Spec{often(at("again", 1, 1), 2, 4)} // 1 s, 3 s, 5 s and 7 s
	_, lives, problem := perform(t, specs, map[string]*script{"again": slow}, time.Hour, nil)
	require.NoError(t, problem)
	injected := func() []time.Duration {
		var moments []time.Duration
		for _, life := range lives {
			moments = append(moments, life.InjectedAt)
		}
		return moments
	}
	assert.Equal(t, []time.Duration{time.Second, Never, 5 * time.Second, 7 * time.Second}, injected(), "healed at 4 s, when the second was to be healed")

	log, lives, problem := perform(t, specs, nil, 3500*time.Millisecond, nil)
	require.NoError(t, problem)
	assert.Equal(t, []time.Duration{time.Second, 3 * time.Second, Never, Never}, injected())
	assert.Equal(t, []string{"3.5s undo again", "3.5s prove again"}, log[len(log)-2:])

	broken := &script{}
	broken.stuck = func() error {
		if time.Since(broken.start) > 3*time.Second {
			return errors.New("no such rule")
		}
		return nil
	}
	_, lives, problem = perform(t, specs, map[string]*script{"again": broken}, time.Hour, nil)
	require.EqualError(t, problem, "fault again, repetition 2: heal: not undone within 3s: no such rule")
	assert.Equal(t, []time.Duration{time.Second, 3 * time.Second, Never, Never}, injected())
}

func TestValidateRepeat(t *testing.T) {
	cut := func(world World, change func(*Spec)) []Problem {
		spec := at("trouble", 5, 2)
		spec.Do = Cut
		spec.Repeat = &Repeat{Every: 10 * time.Second}
		change(&spec)
		return Validate(spec, world)
	}
	embedded, docker := endingAt(broker.Embedded, 60), endingAt(broker.Docker, 60)
	const forHealing = "it lasts 2s, and 1s are for it to heal and for what is outside faults"
	for _, test := range []struct {
		name   string
		world  World
		change func(*Spec)
		want   []Problem
	}{
		{"good", embedded, func(*Spec) {}, nil},
		{"once", embedded, func(s *Spec) { s.Repeat.Times = new(1) }, nil},
		{"as often as fits to the end", endingAt(broker.Embedded, 57), func(s *Spec) { s.Repeat.Times = new(6) }, nil},
		{"just often enough", embedded, func(s *Spec) { s.Repeat.Every = 3 * time.Second }, nil},
		{"too often", embedded, func(s *Spec) { s.Repeat.Every = 2999 * time.Millisecond },
			[]Problem{{Field: "repeat.every", Problem: "must be at least 3s, got 2.999s", Remedy: forHealing}}},
		{"never", embedded, func(s *Spec) { s.Repeat.Every = -time.Second },
			[]Problem{{Field: "repeat.every", Problem: "must be at least 3s, got -1s", Remedy: forHealing}}},
		{"no times", embedded, func(s *Spec) { s.Repeat.Times = new(0) },
			[]Problem{{Field: "repeat.times", Problem: "must be at least 1, got 0", Remedy: "leave it out for as often as fits before the load ends"}}},
		{"too many times", endingAt(broker.Embedded, 56), func(s *Spec) { s.Repeat.Times = new(6) },
			[]Problem{{Field: "repeat.times", Problem: "must be at most 5, for the last to be over when the load ends, at 56s, got 6", Remedy: "leave it out for as often as fits"}}},
		{"too many to be told apart, which others say", endingAt(broker.Embedded, 86400), func(s *Spec) { s.Repeat.Times = new(700) }, nil},
		{"times of an end that is not known", World{Broker: broker.Embedded, Brokers: 3}, func(s *Spec) { s.Repeat.Times = new(1000) }, nil},
		{"brokers", docker, func(s *Spec) { s.Do, s.Repeat.Every = Kill, 11*time.Second },
			[]Problem{{Field: "repeat.every", Problem: "must be at least 12s, got 11s", Remedy: "it lasts 2s, and brokers that were down are reckoned to need 10s until they take part again"}}},
		{"brokers in turn", docker, func(s *Spec) {
			s.Do, s.For, s.Target, s.Repeat.Every = RollingRestart, 0, Target{All: true}, 39*time.Second
		},
			[]Problem{{Field: "repeat.every", Problem: "must be at least 40s, got 39s", Remedy: "it lasts 0s, and brokers that were down are reckoned to need 40s until they take part again"}}},
		{"elections", embedded, func(s *Spec) { s.Do, s.For, s.Target = ElectLeader, 0, Target{All: true} }, nil},
		{"what stays", embedded, func(s *Spec) {
			s.Do, s.For, s.Target, s.To = AddPartitions, 0, Target{Topic: topic, Whole: true}, new(12)
		},
			[]Problem{{Field: "repeat", Problem: "does not apply to add_partitions", Remedy: "what it does is there to stay: write one fault for each time"}}},
	} {
		assert.Empty(t, cmp.Diff(test.want, cut(test.world, test.change)), test.name)
	}
}

// TestConflictsOfRepeatedFaults: the guard looks at every repetition, and says what is wrong with them once.
func TestConflictsOfRepeatedFaults(t *testing.T) {
	down := func(name string, broker, from, length, every, times int) Spec {
		spec := at(name, from, length)
		spec.Do, spec.Target = Kill, Target{Broker: broker}
		if every > 0 {
			spec = often(spec, every, times)
		}
		return spec
	}
	const two = "2 of 3 brokers may be down at once (a, b): readings keeps 1 of 3 replicas and needs 2"
	const remedy = "begin when the others are healed, about 10s after their end, or say allow_loss: true"
	world := endingAt(broker.Docker, 600)
	for _, test := range []struct {
		name   string
		specs  []Spec
		want   []Conflict
		breaks bool
	}{
		{"by itself", []Spec{down("a", 1, 10, 5, 20, 0)}, nil, false},
		{"between them", []Spec{down("a", 1, 10, 5, 60, 0), down("b", 2, 30, 5, 60, 0)}, nil, false},
		{"where the fourth meets another", []Spec{down("a", 1, 10, 5, 60, 0), down("b", 2, 195, 5, 0, 0)},
			[]Conflict{{Fault: 1, Problem: Problem{Field: "allow_loss", Problem: two, Remedy: remedy}}}, true},
		{"where all meet others", []Spec{down("a", 1, 10, 5, 60, 0), down("b", 2, 12, 5, 60, 0)},
			[]Conflict{{Fault: 1, Problem: Problem{Field: "allow_loss", Problem: two, Remedy: remedy}}}, true},
		{"the same broker", []Spec{down("a", 1, 10, 5, 60, 0), down("b", 1, 12, 5, 60, 0)},
			[]Conflict{{Fault: 1, Problem: Problem{Field: "target", Problem: "broker 1 is hurt by fault a at the same time", Remedy: "begin after it, or hit another broker"}}}, false},
		{"too many", []Spec{often(at("a", 1, 1), 2, 299), at("c", 1, 1), often(at("b", 1, 1), 2, 302)},
			[]Conflict{{Fault: 2, Problem: Problem{
				Field: "repeat", Problem: "faults that are repeated may come 600 times in all, and with this one they come more often", Remedy: "let it come less often",
			}}}, false},
	} {
		assert.Empty(t, cmp.Diff(test.want, Conflicts(test.specs, world)), test.name)
		assert.Equal(t, test.breaks, BreaksQuorum(test.specs, world), test.name)
	}
}
