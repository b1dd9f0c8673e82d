package fleettest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/fleetproof/fleetproof/producer"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The clock of go-metrics starts with the first meter and never ends.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		// Sarama's circuit breaker sleeps ten seconds once it has opened, also when nobody is left to need it.
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"),
	)
}

func afterMoment() <-chan time.Time { return time.After(moment) }

// TestPlantedBreaches: each breach of the contract is found by the clauses that are about it, and by no other. They mostly
// wait, so that many are checked at a time.
func TestPlantedBreaches(t *testing.T) {
	const atOnce = 8
	type finding struct {
		broken map[string]error
		err    error
	}
	found := map[string]*finding{}
	var checking errgroup.Group
	checking.SetLimit(atOnce)
	planted := plants(t)
	for name, plant := range planted {
		f := new(finding)
		found[name] = f
		checking.Go(func() error {
			var k kit
			if k, f.err = newKit(t.Context(), plant.producer(t)); f.err == nil {
				f.broken = broken(t.Context(), k, func(name string) bool {
					return !testing.Short() || slices.Contains(plant.found, name)
				})
			}
			return nil
		})
	}
	require.NoError(t, checking.Wait())
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			f := found[name]
			require.NoError(t, f.err)
			assert.ElementsMatch(t, plant.found, slices.Collect(maps.Keys(f.broken)), "%v", f.broken)
			for _, name := range plant.found {
				t.Logf("%s: %v", name, f.broken[name])
			}
		})
	}
}

// broken are the clauses that a producer breaks, with how it does. They are checked all at once.
func broken(ctx context.Context, k kit, which func(name string) bool) map[string]error {
	var mu sync.Mutex
	var checking sync.WaitGroup
	found := map[string]error{}
	for _, group := range contract() {
		for _, clause := range group.clauses {
			name := group.name + "/" + clause.name
			if !which(name) {
				continue
			}
			checking.Go(func() {
				if err := clause.check(ctx, k); err != nil {
					mu.Lock()
					defer mu.Unlock()
					found[name] = err
				}
			})
		}
	}
	checking.Wait()
	return found
}

// TestEveryClauseCanFail: a clause that finds nothing planted would be no check.
func TestEveryClauseCanFail(t *testing.T) {
	found := map[string]bool{}
	for _, plant := range plants(t) {
		for _, name := range plant.found {
			found[name] = true
		}
	}
	for _, group := range contract() {
		for _, clause := range group.clauses {
			assert.True(t, found[group.name+"/"+clause.name], "nothing planted breaks %s/%s", group.name, clause.name)
		}
	}
}

// TestNoSettings: a producer that takes no settings at all cannot be tested.
func TestNoSettings(t *testing.T) {
	_, err := newKit(t.Context(), nil)
	require.EqualError(t, err, "there is no producer to test: producer.New is nil")

	_, err = newKit(t.Context(), func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
		return nil, errors.New("no")
	})
	require.ErrorContains(t, err, "New takes none of these settings, with a cluster that is well: idempotent: true, max_in_flight: 0, partitioner: hash: no\n")

	_, err = newKit(t.Context(), func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
		return nil, nil
	})
	require.ErrorContains(t, err, "no producer and no error from New")
}
