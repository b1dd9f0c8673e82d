package fault

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestContainerFaultsWithoutContainers plays what Validate refuses: nothing is hit, and the error says why.
func TestContainerFaultsWithoutContainers(t *testing.T) {
	s := newScene(t, 3, 3)
	for _, kind := range []Kind{Kill, Stop, Restart, RollingRestart, Pause, Isolate} {
		t.Run(string(kind), func(t *testing.T) {
			r := NewRunner([]Spec{{Name: "trouble", Do: kind, Target: Target{All: true}}}, s.field())
			require.ErrorContains(t, r.Run(t.Context()), "fault trouble: inject: look at broker 1: only a docker broker can")
			assert.Zero(t, r.Lives()[0].Hits)
			assert.NotEqual(t, Never, r.Lives()[0].HealedAt, "the brokers are well")
		})
	}
	field := s.field()
	e := &shrinkEffect{newContainerEffect(targets{[]int{1}, field}, targets{}.stop), Target{Topic: topic}}
	require.EqualError(t, e.inject(t.Context()), "look at broker 2: only a docker broker can")
	require.EqualError(t, e.look(t.Context()), "readings/0 still has 3 in-sync replicas")
	r := NewRunner([]Spec{{Name: "trouble", Do: Kill, Target: Target{Controller: true}}}, s.field())
	r.field.HealTimeout /= 1000
	require.EqualError(t, r.Run(t.Context()), "fault trouble: inject: find the controller: only a docker cluster has one of its own")
}

func TestProbePastTheLinks(t *testing.T) {
	s := newScene(t, 1, 1)
	field := s.field()
	require.NoError(t, s.cluster.Crash(0), "which nobody notices who goes past the links")
	require.NoError(t, field.probe(t.Context(), 0))
	require.EqualError(t, field.silent(t.Context(), 0), "broker 1 still answers")
	require.EqualError(t, field.gone(t.Context(), 0), "broker 1 still answers")

	require.NoError(t, s.cluster.Close(t.Context()))
	require.ErrorContains(t, field.silent(t.Context(), 0), "broker 1 does not keep silent: ")
	require.NoError(t, field.gone(t.Context(), 0))
}

func TestSideBySide(t *testing.T) {
	at := targets{nodes: []int{0, 1, 2}}
	var begun sync.WaitGroup
	begun.Add(len(at.nodes))
	err := at.sideBySide(func(node int) error {
		begun.Done()
		begun.Wait() // all of them have begun before any ends
		switch node {
		case 1:
			return errors.New("one")
		case 2:
			panic("two")
		}
		return nil
	})
	require.ErrorContains(t, err, "one\npanic: two\n")
}
