package fault

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// down is a fault that takes a broker down.
func down(name string, kind Kind, target Target, from, length int) Spec {
	spec := at(name, from, length)
	spec.Do, spec.Target = kind, target
	return spec
}

func allowed(spec Spec) Spec {
	spec.AllowLoss = true
	return spec
}

// illUntil cannot be proven healed before.
func illUntil(moment time.Duration) *script {
	s := new(script)
	s.ill = func() error {
		if time.Since(s.start) < moment {
			return errors.New("not in sync")
		}
		return nil
	}
	return s
}

// TestRunWaitsForRoom has a broker that needs longer to come back than the plan had reckoned.
func TestRunWaitsForRoom(t *testing.T) {
	const s = time.Second
	first := down("first", Kill, Target{Broker: 1}, 1, 4)
	leader := Target{Leader: true, Topic: topic}
	tests := []struct {
		name     string
		second   Spec
		until    time.Duration
		injected time.Duration
		target   string
		healed   time.Duration
	}{
		{"until it is back", down("second", Pause, Target{Broker: 2}, 6, 6), time.Hour, 7 * s, "broker 2", 12 * s},
		{"for an action", down("second", Restart, Target{Broker: 2}, 6, 0), time.Hour, 7 * s, "broker 2", 7 * s},
		{"too long", down("second", Pause, Target{Broker: 2}, 4, 2), time.Hour, Never, "broker 2", Never},
		{"until the run ends", down("second", Pause, Target{Broker: 2}, 4, 60), 6 * s, Never, "broker 2", Never},
		{"not when it may take more", allowed(down("second", Pause, Target{Broker: 2}, 4, 6)), time.Hour, 4 * s, "broker 2", 10 * s},
		{"not when it takes nothing down", down("second", ElectLeader, Target{All: true}, 4, 6), time.Hour, 4 * s, "all", 10 * s},
		{"until another leads", allowed(down("second", Pause, leader, 4, 20)), time.Hour, 5 * s, "broker 1", 24 * s},
		{"for the leader of a cluster that is whole", down("second", Pause, leader, 12, 6), time.Hour, 12 * s, "broker 2", 18 * s},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, lives, problem := perform(t, []Spec{first, test.second}, map[string]*script{"first": illUntil(7 * s)}, test.until, nil)
			if test.until < 7*s {
				require.NoError(t, problem)
			}
			assert.InDelta(t, test.injected, lives[1].InjectedAt, float64(200*time.Millisecond))
			if test.injected != Never {
				assert.Equal(t, test.target, lives[1].Target)
			}
			assert.InDelta(t, test.healed, lives[1].HealedAt, float64(200*time.Millisecond))
		})
	}
}

func TestRunRefusesWhatLeavesTooLittle(t *testing.T) {
	_, lives, problem := perform(t, []Spec{down("all", Kill, Target{All: true}, 1, 4)}, nil, time.Hour, nil)
	require.EqualError(t, problem, "fault all: inject: 3 of 3 brokers may be down at once (all): "+
		"readings keeps 0 of 3 replicas and needs 2: say allow_loss: true if it may")
	assert.Equal(t, Never, lives[0].InjectedAt)
	_, lives, problem = perform(t, []Spec{down("all", RollingRestart, Target{All: true}, 1, 0)}, nil, time.Hour, nil)
	require.NoError(t, problem)
	assert.Equal(t, time.Second, lives[0].HealedAt)
}

// TestRunProvesWhileOthersAreDown has brokers that cannot be in sync before others are back, for longer than the deadline.
func TestRunProvesWhileOthersAreDown(t *testing.T) {
	const s = time.Second
	first := down("first", Kill, Target{Broker: 1}, 1, 1)
	other := allowed(down("other", Isolate, Target{Broker: 2}, 1, 20))
	tests := []struct {
		name   string
		other  Spec
		ill    time.Duration
		until  time.Duration
		healed time.Duration
		want   string
	}{
		{"until they are back", other, 23 * s, time.Hour, 23 * s, ""},
		{"sooner", other, 9 * s, time.Hour, 9 * s, ""},
		{"and does not wait for ever", other, 60 * s, time.Hour, Never, "fault first: heal: not proven within 3s: not in sync"},
		{"until the run ends", other, 11 * s, 10 * s, 11 * s, ""},
		{"but a cut hinders nobody elsewhere", down("other", Cut, Target{Broker: 2}, 1, 20), 23 * s, time.Hour, Never,
			"fault first: heal: not proven within 3s: not in sync"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, lives, problem := perform(t, []Spec{first, test.other}, map[string]*script{"first": illUntil(test.ill)}, test.until, nil)
			if test.want == "" {
				require.NoError(t, problem)
			} else {
				require.EqualError(t, problem, test.want)
			}
			assert.InDelta(t, test.healed, lives[0].HealedAt, float64(200*time.Millisecond))
		})
	}
}

// TestRunGivesEachBrokerItsTime injects for longer than the deadline of one broker.
func TestRunGivesEachBrokerItsTime(t *testing.T) {
	long := &script{takes: 8 * time.Second}
	_, lives, problem := perform(t, []Spec{down("roll", RollingRestart, Target{All: true}, 1, 0)}, map[string]*script{"roll": long}, time.Hour, nil)
	require.NoError(t, problem)
	assert.Equal(t, 9*time.Second, lives[0].HealedAt)
	_, _, problem = perform(t, []Spec{down("kill", Pause, Target{Broker: 1}, 1, 0)}, map[string]*script{"kill": long}, time.Hour, nil)
	require.EqualError(t, problem, "fault kill: inject: context deadline exceeded")
}
