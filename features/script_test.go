package features

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

const whole = `@docker @Night_shift
Feature: Everything that steps can say

  Background:
    Given a Kafka cluster with 3 brokers
    And a topic "readings" with 12 partitions and replication factor 3
    And 2 buildings of 3 floors with 5 rooms each

  Scenario Outline: A leader dies under <devices> devices
    Given the random seed 42
    And the clock starts at "2026-01-12T00:00:00Z" and runs 144 times faster
    And a fleet "climate" of <devices> devices with sensors "temperature, humidity" every 5s
    And a fleet "power" of 40 devices with sensor "current" every 5s
    And sensor "temperature" is normal with mean 21 and standard deviation 0.4
    And sensor "temperature" follows the "diurnal" trend with gain 3
    And alerts are published to "alerts" with 6 partitions
    And the producer uses acks all
    And an idempotent producer
    And zstd compression
    And the settings:
      """ yaml
      producer:
        retry: {max: 150}
      oracle: {rescan: true}
      """
    And the load warms up at 100/s for 5s
    And the load ramps to 300/s over 20s
    And the load holds 300/s for 60s
    And at 40s the load bursts to 20x for 5s
    And at 30s building 1 floor 3 shows a spike of 9.5 on "temperature" for 10s as anomaly "heat"
    When at 35s the leader of partition 0 is killed for 10s
    And at 70s broker 2 answers 200ms later for 10s as fault "slow"
    And the scenario runs
    Then every promise of the configuration holds
    And at least 99.9% of records are acknowledged
    And during fault "kill" the p99 ack latency is below 20s
    And within 30s of fault "kill" the p99 end-to-end latency is back below 250ms
    And every injected anomaly is detected
    And ack_latency.p99 < 50ms outside faults

    Examples:
      | devices |
      | 60      |
`

const wholeYAML = `version: 1
name: a-leader-dies-under-60-devices
description: A leader dies under 60 devices
tags: [docker, night-shift]
seed: 42
clock: {start: 2026-01-12T00:00:00Z, speed: 144}
broker: {kind: docker, brokers: 3}
topic: {name: readings, partitions: 12, replication_factor: 3}
alerts: {topic: alerts, partitions: 6}
producer: {acks: all, idempotent: true, compression: zstd, retry: {max: 150}}
location: {buildings: 2, floors: 3, rooms: 5}
fleets:
  - {name: climate, devices: 60, interval: 5s, sensors: [temperature, humidity]}
  - {name: power, devices: 40, interval: 5s, sensors: [current]}
sensors:
  temperature: {kind: normal, mean: 21, stddev: 0.4, trends: {diurnal: 3}}
load:
  stages:
    - {name: warmup, for: 5s, rate: 100/s, judged: false}
    - {name: ramp, for: 20s, rate: 300/s, ramp: linear}
    - {name: hold, for: 15s, rate: 300/s}
    - {name: burst, for: 5s, rate: 20x}
    - {name: hold-2, for: 40s, rate: 300/s}
anomalies:
  - {name: heat, at: 30s, for: 10s, where: {building: 1, floor: 3}, sensor: temperature, do: spike, to: 9.5}
faults:
  - {name: kill, at: 35s, for: 10s, do: kill, target: leader of readings/0}
  - {name: slow, at: 70s, for: 10s, do: latency, target: broker 2, latency: 200ms}
oracle: {rescan: true}
expect:
  - promised
  - success_rate >= 99.9%
  - ack_latency.p99 < 20s during fault kill
  - e2e_latency.p99 < 250ms within 30s after fault kill
  - anomalies.heat.detected == 100%
  - ack_latency.p99 < 50ms outside faults
`

// TestFeatureAndYAMLSayTheSame resolves both, and compares every value and the plans, but for where things were written.
func TestFeatureAndYAMLSayTheSame(t *testing.T) {
	fromFeature, err := read(t, files(whole)).draft.Resolve(harness.Overrides{})
	require.NoError(t, err)
	fromYAML, err := harness.Parse("x.yaml", []byte(wholeYAML), harness.Overrides{})
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(fromYAML.Scenario, fromFeature.Scenario))
	assert.Equal(t, plan(t, fromYAML), plan(t, fromFeature))

	assert.Equal(t, "x.feature:9", strings.Fields(planLine(t, fromFeature, "name  "))[2])
	assert.Equal(t, "x.feature:31", strings.Fields(planLine(t, fromFeature, "faults.kill.at "))[2])
	assert.Equal(t, "x.feature:23", strings.Fields(planLine(t, fromFeature, "producer.retry.max "))[2])
}

// plan is a scenario's plan without the places where its values were written.
func plan(t *testing.T, r *harness.Resolved) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, r.WritePlan(&text))
	return regexp.MustCompile(` *x\.(yaml|feature)(:\d+)?`).ReplaceAllString(text.String(), "")
}

func planLine(t *testing.T, r *harness.Resolved, begin string) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, r.WritePlan(&text))
	for _, line := range strings.Split(text.String(), "\n") {
		if strings.HasPrefix(line, "  "+begin) {
			return line
		}
	}
	require.Fail(t, "no such line", "%s", begin)
	return ""
}

// TestLoadedScenarios says what later steps make of a scenario.
func TestLoadedScenarios(t *testing.T) {
	const own = "version: 1\nname: own\nfleets: [{name: a, devices: 5, interval: 1s, sensors: [switch]}]\nload: {stages: [{name: own, for: 9s, rate: 1/s}]}\n"
	resolve := func(t *testing.T, more []string, lines ...string) *harness.Resolved {
		t.Helper()
		r, err := read(t, files(steps(lines...), more...)).draft.Resolve(harness.Overrides{})
		require.NoError(t, err)
		return r
	}
	t.Run("shipped", func(t *testing.T) {
		r := resolve(t, nil, `the scenario "quickstart"`, `the fleet "climate" has 7 devices`, "at 1s broker 1 is cut off for 1s", "the scenario runs", "acked > 0")
		assert.Equal(t, "quickstart", r.Name)
		assert.Equal(t, 7, r.Fleets[0].Devices)
		assert.Len(t, r.Load.Stages, 2)
		assert.Equal(t, []string{"outage", "cut"}, []string{r.Faults[0].Name, r.Faults[1].Name})
		assert.Equal(t, "scenarios/quickstart.yaml:27", r.Stated[0].Origin)
		assert.Equal(t, "x.feature:7", r.Stated[len(r.Stated)-1].Origin)
	})
	t.Run("a file beside the feature", func(t *testing.T) {
		r := resolve(t, []string{"own.yaml", own}, `the scenario "own.yaml"`, `a fleet "a" of 6 devices with sensor "current" every 2s`,
			`a fleet "b" of 2 devices with sensor "current" every 2s`, "the load holds 2/s for 3s", "the load holds 3/s for 3s", "the scenario runs", "acked > 0")
		assert.Equal(t, []int{6, 2}, []int{r.Fleets[0].Devices, r.Fleets[1].Devices})
		assert.Equal(t, []string{"hold", "hold-2"}, []string{r.Load.Stages[0].Name, r.Load.Stages[1].Name})
		assert.Equal(t, []string{"promised", "acked > 0"}, r.Expect, "it expects the default, and more")
	})
	t.Run("a burst within its load", func(t *testing.T) {
		r := resolve(t, []string{"own.yaml", own}, `the scenario "own.yaml"`, "at 2s the load bursts to 20/s for 1s", "at 9s the load bursts to 30/s for 2s", "the scenario runs")
		var names []string
		for _, stage := range r.Load.Stages {
			names = append(names, stage.Name+" "+stage.For.String())
		}
		assert.Equal(t, []string{"own 2s", "burst 1s", "own-2 6s", "burst-2 2s"}, names)
	})
	t.Run("on its own, nothing but the promises is expected", func(t *testing.T) {
		r := resolve(t, nil, `a fleet "b" of 2 devices with sensor "current" every 2s`, "the load holds 2/s for 3s", "the scenario runs")
		assert.Equal(t, []string{"promised"}, r.Expect)
	})
	t.Run("a fleet reports as often as the defaults say", func(t *testing.T) {
		r := resolve(t, nil, `a fleet "b" of 2 devices with sensor "current"`, "the load holds 2/s for 3s", "the scenario runs")
		assert.Equal(t, 3*time.Second, r.Fleets[0].Interval)
	})
	t.Run("on its own, Then replaces the default", func(t *testing.T) {
		r := resolve(t, nil, `a fleet "b" of 2 devices with sensor "current" every 2s`, "the load holds 2/s for 3s", "the scenario runs", "acked > 0")
		assert.Equal(t, []string{"acked > 0"}, r.Expect)
	})
}

// TestMistakes holds what is wrong with features, word for word. The first step stands in line 3.
func TestMistakes(t *testing.T) {
	const fleet, load = `a fleet "a" of 10 devices with sensor "current" every 1s`, "the load holds 10/s for 10s"
	const run = "the scenario runs"
	for name, test := range map[string]struct {
		steps []string
		want  []string
	}{
		"several at once": {
			[]string{`a fleet "a" of 0 devices with sensor "humidty" every 1s`, load, "at 5s broker 9 is cut off for 6s", run, "acked == 1 during stage calm"},
			[]string{
				"x.feature:3:7: fleets[0].devices: must be at least 1, got 0",
				`x.feature:3:7: fleets[0].sensors[0]: unknown sensor "humidty" (did you mean humidity? known: current, humidity, pressure, switch, temperature)`,
				"x.feature:5:7: faults[0].target: no broker 9, there are 3 (between 1 and 3)",
				"x.feature:5:7: faults[0].for: must be over before the load ends: at + for is 11s, the load ends at 10s, got 6s",
				`x.feature:7:7: expect[0]: acked == 1 during stage calm: unknown stage "calm" (known: hold)`,
			},
		},
		"a step that is none": {
			[]string{fleet, "the laod holds 10/s for 10s", load, run, "ackd == 1", "everything is fine"},
			[]string{
				`x.feature:4:7: no step reads "the laod holds 10/s for 10s" (did you mean: the load holds {rate} for {duration}[ as stage {string}])`,
				`x.feature:7:7: no step reads "ackd == 1" (as an expectation: unknown metric "ackd", did you mean acked?)`,
				`x.feature:8:7: no step reads "everything is fine" (docs/steps.md lists the steps)`,
			},
		},
		"an expectation that is none": {
			[]string{fleet, load, run, "acked during run == 1"},
			[]string{`x.feature:6:7: no step reads "acked during run == 1" (as an expectation: acked: want an operator (< <= > >= == !=), got "during")`},
		},
		"nothing runs":        {[]string{fleet, load}, []string{"x.feature:2:3: nothing runs the scenario (write When the scenario runs)"}},
		"a verdict before":    {[]string{fleet, load, "no record is duplicated", run}, []string{`x.feature:5:7: "no record is duplicated" is asked before the scenario runs (write When the scenario runs before it)`}},
		"a step after":        {[]string{fleet, run, load, "promised"}, []string{"x.feature:2:3: load.stages: missing (give at least one stage)", `x.feature:5:7: "the load holds 10/s for 10s" comes after the scenario has run, in line 4 (move it before When the scenario runs)`}},
		"two runs":            {[]string{fleet, load, run, "promised", run}, []string{"x.feature:7:7: the scenario runs in line 5 already (a scenario runs once: write another one)"}},
		"a fleet that is not": {[]string{fleet, `the fleet "b" has 5 devices`, load, run}, []string{"x.feature:4:7: fleets: has no item named b (did you mean a? known: a)"}},
		"no fleet at all":     {[]string{`the fleet "b" has 5 devices`, load, run}, []string{"x.feature:3:7: fleets: has no item named b (there is none)", "x.feature:3:7: fleets: missing (give at least one fleet)"}},
		"a scenario that is not": {[]string{`the scenario "quikstart"`, run}, []string{
			"x.feature:2:3: fleets: missing (give at least one fleet)", "x.feature:2:3: load.stages: missing (give at least one stage)",
			"x.feature:3:7: the scenario quikstart is neither a file nor a shipped scenario (did you mean quickstart? known: " + strings.Join(harness.Shipped(), ", ") + ")",
		}},
		"a file that is not beside": {[]string{`the scenario "script_test.go"`, fleet, load, run}, []string{
			"x.feature:3:7: the scenario script_test.go cannot be read (a file is looked for beside the feature, in the folder that is played)",
		}},
		"two of a name":      {[]string{fleet, load, `at 1s broker 1 is cut off for 1s as fault "x"`, `at 4s broker 1 is cut off for 1s as fault "x"`, run}, []string{`x.feature:6:7: "x" is the name of another one already (names tell them apart: choose another one)`}},
		"a fault of Docker":  {[]string{fleet, load, "at 1s the leader of partition 0 is killed for 1s", run}, []string{"x.feature:5:7: faults[0].do: embedded brokers cannot do kill (brokers that can: docker)"}},
		"no length":          {[]string{fleet, load, "at 1s broker 1 is cut off", run}, []string{"x.feature:5:7: faults[0].for: missing (say how long the fault lasts)"}},
		"a burst in a ramp":  {[]string{fleet, "the load ramps to 10/s over 10s", "at 5s the load bursts to 2x for 1s", run}, []string{"x.feature:5:7: the burst falls into stage ramp, which ramps (let it begin where a stage holds its rate)"}},
		"a burst too long":   {[]string{fleet, load, "at 5s the load bursts to 2x for 6s", run}, []string{"x.feature:5:7: the burst ends at 11s, after stage hold, into which it falls and which ends at 10s (let it end with that stage or before)"}},
		"a burst too late":   {[]string{fleet, load, "at 11s the load bursts to 2x for 6s", run}, []string{"x.feature:5:7: the burst begins at 11s, and the load ends at 10s (let it begin with the end or before)"}},
		"a burst on nothing": {[]string{fleet, "at 1s the load bursts to 2x for 6s", run}, []string{"x.feature:2:3: load.stages: missing (give at least one stage)", "x.feature:4:7: the burst begins at 1s, and the load ends at 0s (let it begin with the end or before)"}},
		"no anomaly":         {[]string{fleet, load, run, "every injected anomaly is detected"}, []string{`x.feature:6:7: no anomaly is injected (say which: at 2s building 1 shows a spike of 58 on "temperature" for 4s)`}},
		"shut down at once":  {[]string{fleet, load, run + " and is shut down after 0s"}, []string{`x.feature:5:7: want a moment within the load, such as 2s, got "0s"`}},
		"shut down too late": {[]string{fleet, load, run + " and is shut down after 10s"}, []string{"x.feature:5:7: the shutdown after 10s must come before the load ends"}},
		"another client":     {[]string{fleet, load, `the producer is "sarma"`, run}, []string{`x.feature:5:7: producer.kind: unknown client "sarma" (did you mean sarama? known: sarama)`}},
		"settings":           {[]string{fleet, load, "the settings:\n      \"\"\" yaml\n\n      sed: 1\n      clock: {speed: fast}\n      \"\"\"", run}, []string{"x.feature:8:7: sed: unknown key (did you mean seed? known: version, name, description, tags, seed, clock, broker, topic, alerts, producer, location, fleets, sensors, trends, delivery, load, anomalies, faults, oracle, expect)", `x.feature:9:22: clock.speed: want a number, got "fast"`}},
		"settings that are no YAML": {[]string{fleet, load, "the settings:\n      \"\"\" yaml\n      a: [\n      \"\"\"", run}, []string{
			"x.feature:7:7: is no valid YAML: did not find expected node content (give a value between two commas, and close what was opened)",
		}},
		"settings in JSON": {[]string{fleet, load, "the settings:\n      \"\"\" json\n      {}\n      \"\"\"", run}, []string{`x.feature:5:7: want settings in YAML, got "json" (write """ yaml)`}},
		"a table":          {[]string{fleet, load + "\n      | a |", run}, []string{`x.feature:4:7: "the load holds 10/s for 10s" takes nothing below it`, "x.feature:2:3: load.stages: missing (give at least one stage)"}},
	} {
		t.Run(name, func(t *testing.T) {
			one := &scene{playing: &playing{Suite: Suite{Producers: []producer.Kind{sarama.Kind()}}}, script: read(t, files(steps(test.steps...)))}
			one.resolve()
			require.Error(t, one.mistakes)
			assert.ElementsMatch(t, test.want, strings.Split(one.mistakes.Error(), "\n"))
		})
	}
}

func TestLabel(t *testing.T) {
	for title, want := range map[string]string{
		"A killed leader loses nothing": "a-killed-leader-loses-nothing",
		"@docker":                       "docker",
		"100 devices":                   "scenario-100-devices",
		"Größe: 5%":                     "gr-e-5",
		"  ":                            "scenario",
		"停电":                            "scenario",
	} {
		assert.Equal(t, want, label(title))
	}
}

// FuzzFeature reads whatever parses: reading says what is wrong, and never breaks.
func FuzzFeature(f *testing.F) {
	for _, s := range newBook() {
		f.Add(steps(s.example, "the scenario runs"))
	}
	f.Add(whole)
	f.Add("Feature: f\n  Scenario: s\n    * the settings:\n      \"\"\" yaml\n      load: 5\n      fleets: {a: b}\n      \"\"\"\n    * the load holds 1/s for 1s\n    * at 1s the load bursts to 2/s for 1s\n    * the fleet \"a.b\" has 1 device\n")
	f.Fuzz(func(t *testing.T, text string) {
		made := files(text)
		p, features, ok := opened(made)
		if !ok {
			return
		}
		for _, pickle := range features {
			_, _ = p.book.script(pickle, p.places, made).draft.Resolve(harness.Overrides{})
		}
	})
}
