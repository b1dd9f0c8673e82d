package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlan holds the plans of a scenario with everything in it, of the smallest, and of one with each other kind of broker
// against golden files.
func TestPlan(t *testing.T) {
	full, _ := loadEverything(t)
	small, err := Parse("minimal.yaml", []byte(minimal), Overrides{Set: []string{"topic.partitions=4"}})
	require.NoError(t, err)
	kafka, err := Load(docker, Overrides{})
	require.NoError(t, err)
	theirs, err := Load(external, Overrides{})
	require.NoError(t, err)
	for golden, r := range map[string]*Resolved{
		"../testdata/scenarios/docker.plan":     kafka,
		"../testdata/scenarios/external.plan":   theirs,
		"../testdata/scenarios/everything.plan": full,
		"../testdata/scenarios/minimal.plan":    small,
	} {
		var first, second strings.Builder
		require.NoError(t, r.WritePlan(&first))
		require.NoError(t, r.WritePlan(&second))
		require.Equal(t, first.String(), second.String())
		if os.Getenv("FLEETPROOF_UPDATE") != "" {
			require.NoError(t, os.WriteFile(golden, []byte(first.String()), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), first.String())
	}
}

func TestPlanLeavesOutWhatThereIsNot(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{"expect=[]"}})
	require.NoError(t, err)
	var plan strings.Builder
	require.NoError(t, r.WritePlan(&plan))
	assert.NotContains(t, plan.String(), "\nexpected\n")
	assert.NotContains(t, plan.String(), "\n  fault")
	assert.NotContains(t, plan.String(), "\n  anomaly")
	assert.True(t, strings.HasPrefix(plan.String(), "minimal\nx.yaml, seed 1\n"), "there is no description")
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestPlanReportsItsWriter(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{})
	require.NoError(t, err)
	assert.ErrorIs(t, r.WritePlan(brokenWriter{}), errBroken)
}

// TestPlanForecastsTheSkew uses fleets so small that the shares of the partitions can be told by hand.
func TestPlanForecastsTheSkew(t *testing.T) {
	for _, test := range []struct {
		set  []string
		want string
	}{
		{[]string{"topic.partitions=1"}, "partition_skew 1.00: the busiest, 0, gets 100.0% of the records\n"},
		{[]string{"fleets.climate.devices=1", "topic.partitions=2"}, "partition_skew 2.00: the busiest, "},
		{[]string{"fleets.climate.devices=1", "topic.partitions=2"}, "gets 100.0% of the records; some, like "},
		{[]string{"producer.partitioner=failover"}, "the partitioner failover gives a key no fixed partition\n"},
	} {
		r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: test.set})
		require.NoError(t, err)
		var plan strings.Builder
		require.NoError(t, r.WritePlan(&plan))
		assert.Contains(t, plan.String(), test.want)
	}
}

func TestStretchDrawsPartsOfTheAxis(t *testing.T) {
	for _, test := range []struct {
		from, to time.Duration
		blank    int
		marks    int
	}{
		{0, 40, 0, 40}, {0, 20, 0, 20}, {20, 40, 20, 20}, {10, 11, 10, 1}, {40, 40, 39, 1}, {39, 40, 39, 1}, {5, 5, 5, 1},
	} {
		want := strings.Repeat(" ", test.blank) + strings.Repeat("#", test.marks) + strings.Repeat(" ", bar-test.blank-test.marks)
		assert.Equal(t, want, stretch(test.from*time.Second, test.to*time.Second, 40*time.Second))
	}
}

func TestAmountsAreReadable(t *testing.T) {
	for number, want := range map[float64]string{
		0: "0", 7: "7", 0.25: "0.25", 99.5: "99.50", 100.4: "100", 999: "999", 1000: "1,000", 1234567: "1,234,567", 1e9: "1,000,000,000",
	} {
		assert.Equal(t, want, amount(number))
	}
	assert.Equal(t, "1 broker", plural(1, "broker"))
	assert.Equal(t, "10,000 devices", plural(10_000, "device"))
}

// TestPlanSaysWhichWayARampGoes: down, up, or nowhere.
func TestPlanSaysWhichWayARampGoes(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{
		"load.stages=[{name: a, for: 1s, rate: 100/s}, {name: b, for: 1s, rate: 10/s, ramp: linear}, {name: c, for: 1s, rate: 50/s, ramp: linear}, {name: d, for: 1s, rate: 50/s, ramp: linear}]",
	}})
	require.NoError(t, err)
	var plan strings.Builder
	require.NoError(t, r.WritePlan(&plan))
	assert.Contains(t, plan.String(), "falls from 100/s to 10/s, about 55 records\n")
	assert.Contains(t, plan.String(), "climbs from 10/s to 50/s, about 30 records\n")
	assert.Contains(t, plan.String(), "stays at 50/s, about 50 records\n")
}

// TestPlannedPathsCanBeSet sets a value under the very path that the plan shows for it, also where a name in it comes from
// the environment.
func TestPlannedPathsCanBeSet(t *testing.T) {
	env := func(name string) (string, bool) { return "climate", name == "FLEET" }
	text := strings.Replace(minimal, "{name: climate,", `{name: "${env:FLEET}",`, 1)
	r, err := Parse("x.yaml", []byte(text), Overrides{Env: env})
	require.NoError(t, err)
	var plan strings.Builder
	require.NoError(t, r.WritePlan(&plan))
	require.Contains(t, plan.String(), "\n  fleets.${env:FLEET}.devices ")
	for _, path := range []string{"fleets.${env:FLEET}.devices", "fleets.climate.devices"} {
		r, err = Parse("x.yaml", []byte(text), Overrides{Env: env, Set: []string{path + "=9"}})
		require.NoError(t, err)
		assert.Equal(t, 9, r.Fleets[0].Devices)
	}
}

func TestPlanOfTheNetwork(t *testing.T) {
	const hosts, own = "network        the host's, past Docker's port proxy, where the daemon shares it", "network        one of the run's own, behind Docker's port proxy"
	down := "faults: [{name: down, at: 100ms, for: 100ms, do: %s, target: broker 1, allow_loss: true}]\n"
	for _, test := range []struct{ brokers, faults, want string }{
		{"1", "", hosts},
		{"1", fmt.Sprintf(down, "kill"), hosts},
		{"1", fmt.Sprintf(down, "isolate"), own},
		{"1", "faults: [{name: away, at: 100ms, for: 100ms, do: cut, target: broker 1}]\n", own},
		{"3", "", own},
	} {
		text := with(t, "load:", test.faults+"load:")
		scenario, err := Parse("network.yaml", []byte(text), Overrides{Set: []string{"broker.kind=docker", "broker.brokers=" + test.brokers}})
		require.NoError(t, err, test.faults)
		var plan strings.Builder
		require.NoError(t, scenario.WritePlan(&plan))
		assert.Contains(t, plan.String(), test.want, "%s brokers, %s", test.brokers, test.faults)
	}
}
