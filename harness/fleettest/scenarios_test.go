package fleettest

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// plain is a scenario that passes, with places for what is wrong with it.
func plain(more string, expectations ...string) string {
	text := `version: 1
name: plain
fleets: [{name: a, devices: 50, interval: 1s, sensors: [current]}]
load: {stages: [{name: hold, for: 300ms, rate: 500/s}]}
oracle: {stall_limit: 10s, lag_limit: 2s}
` + more + "expect:\n"
	for _, expectation := range expectations {
		text += "  - " + expectation + "\n"
	}
	return text
}

// untouched is a fault that touches nothing: producers without idempotence ask for no producer id.
const untouched = `producer: {idempotent: false}
faults: [{name: idle, at: 100ms, for: 100ms, do: error, target: all, api: InitProducerId, error: NOT_COORDINATOR, count: 1}]
`

// onDocker is a cluster that a test must not start unless there is Docker.
const onDocker = "broker: {kind: docker, brokers: 3}\n"

const tooFew = "ack_latency.p99.9 < 10s" // of so few records nothing can be said

// hold makes a test of what Run does with a scenario.
func hold(scenario string, options Options) func(t *testing.T) {
	return func(t *testing.T) {
		RunAll(t, fstest.MapFS{"x.yaml": {Data: []byte(scenario)}}, "*.yaml", options)
	}
}

const good = `Feature: f

  @good
  Scenario: Good
    Given a fleet "a" of 50 devices with sensor "current" every 1s
    And the load holds 500/s for 300ms
    When the scenario runs
    Then every promise of the configuration holds
`

const bad = good + `
  @bad
  Scenario: Bad
    Given a fleet "a" of 50 devices with sensor "current" every 1s
    And the load holds 500/s for 300ms
    When the scenario runs
    Then acked == 7
`

const clustered = `
  @docker
  Scenario: Clustered
    Given a Kafka cluster of 3 brokers
    And a fleet "a" of 50 devices with sensor "current" every 1s
    And the load holds 500/s for 300ms
    When the scenario runs
    Then acked > 0
`

// feature makes a test of what Features does with a feature.
func feature(text string, options Options) func(t *testing.T) {
	return func(t *testing.T) {
		options.Set = append(options.Set, "oracle.stall_limit=10s", "oracle.lag_limit=2s")
		Features(t, fstest.MapFS{"plant/x.feature": {Data: []byte(text)}}, options)
	}
}

// TestGreen plays what passes, with what may be allowed.
func TestGreen(t *testing.T) {
	mine := sarama.Kind()
	mine.Name = "mine"
	for name, test := range map[string]func(t *testing.T){
		"file": func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "plain.yaml")
			require.NoError(t, os.WriteFile(file, []byte(plain("", "promised")), 0o600))
			Run(t, file, Options{Producer: mine, Expect: []string{"acked > 0"}})
		},
		"expectation allowed": hold(plain("", "acked > 0", tooFew), Options{AllowInconclusive: []string{"ack_latency.p99.9<10s"}}),
		"run itself allowed":  hold(plain(untouched, "acked > 0"), Options{AllowInconclusive: []string{RunItself}}),
		"not needed":          hold(plain("", "acked > 0"), Options{AllowInconclusive: []string{RunItself, "acked > 0"}}),
		"environment": hold(plain("description: ${env:PLANT}\n", "acked > 0"), Options{Env: func(string) (string, bool) {
			return "a plant", true
		}}),
		"feature":           feature(good, Options{}),
		"feature with tags": feature(bad, Options{Tags: "@good", Producer: mine, Expect: []string{"acked > 0"}}),
	} {
		t.Run(name, test)
	}
}

// failing are tests that do not pass, what go test says of them, and how they are started.
var failing = map[string]struct {
	test        func(t *testing.T)
	environment string
	arguments   []string
	want        []string // in the output, as regular expressions
}{
	"expectation": {
		test: hold(plain("", "acked > 0", "acked == 7"), Options{}),
		want: []string{
			`(?m)^ +--- PASS: TestRed/expectation/x.yaml/acked_>_0`, `--- FAIL: TestRed/expectation/x.yaml/acked_==_7`,
			`x\.yaml:8: acked == 7: FAIL: got 150, limit 7`, `the artefacts of this run are in \S+fleetproof-TestRed-expectation-x-yaml-`,
		},
	},
	"inconclusive": {
		test: hold(plain("", tooFew), Options{}),
		want: []string{`--- FAIL: TestRed/inconclusive/x.yaml/ack_latency.p99.9_<_10s`, `x\.yaml:7: ack_latency\.p99\.9 < 10s: INCONCLUSIVE: `},
	},
	"run itself": {
		test: hold(plain(untouched, "acked > 0"), Options{}),
		want: []string{`--- PASS: TestRed/run_itself/x.yaml/acked_>_0`, `--- FAIL: TestRed/run_itself/x.yaml/\S+`, `INCONCLUSIVE: fault idle touched nothing`},
	},
	"run itself left out by -run": {
		test:      hold(plain(untouched, "acked > 0"), Options{}),
		arguments: []string{"-test.run=^TestRed$/^run_itself/^x.yaml$/^acked"},
		want:      []string{`--- PASS: TestRed/run_itself_left_out_by_-run/x.yaml/acked_>_0`, `INCONCLUSIVE: fault idle touched nothing`},
	},
	"allowed for nothing": {
		test: hold(plain("", "acked > 0"), Options{AllowInconclusive: []string{"nosuch", "acked_lost == 0"}}),
		want: []string{`Options\.AllowInconclusive names what plain does not expect: "acked_lost == 0", "nosuch"`},
	},
	"failing though allowed": {
		test: hold(plain("", "acked == 7"), Options{AllowInconclusive: []string{"acked == 7"}}),
		want: []string{`acked == 7: FAIL: `},
	},
	"deadline": {
		test:      hold(strings.Replace(plain("", "acked > 0"), "for: 300ms", "for: 1h", 1), Options{AllowInconclusive: []string{RunItself}}),
		arguments: []string{"-test.timeout=12s"},
		want:      []string{`interrupted by the end of the test's time: only what was sent until then is judged`, `--- PASS: TestRed/deadline/x.yaml/acked_>_0`},
	},
	"producer that cannot be made": {
		test: hold(plain("", "acked > 0"), Options{Producer: producer.Kind{Name: "broken", New: newBroken}}),
		want: []string{`run plain: connect producer: unexpected EOF`},
	},
	"nameless producer": {
		test: hold(plain("", "acked > 0"), Options{Producer: producer.Kind{New: newBroken}}),
		want: []string{`Options\.Producer needs both a name and a constructor`},
	},
	"unknown producer": {
		test: hold(plain("", "acked > 0"), Options{Set: []string{"producer.kind=frans"}}),
		want: []string{`producer\.kind: .*frans.*franz`},
	},
	"external without leave": {
		test: hold(plain("broker: {kind: external, bootstrap: [\"127.0.0.1:1\"], cluster_id: abc, caps: {rate: 1000/s, bytes: 1MiB, duration: 1m}}\n", "acked > 0"), Options{}),
		want: []string{`broker\.kind: the run would write to cluster abc at 127\.0\.0\.1:1, and nobody said that it may`},
	},
	"mistakes": {
		test: hold(plain("loda: {}\n", "acked > 0", "acked >> 7"), Options{}),
		want: []string{`x\.yaml:6:1: loda: `, `x\.yaml:9:5: `},
	},
	"no such scenario": {
		test: func(t *testing.T) { Run(t, "nosuch", Options{}) },
		want: []string{`nosuch: is neither a file nor a shipped scenario`},
	},
	"no match": {
		test: func(t *testing.T) { RunAll(t, fstest.MapFS{}, "*.yaml", Options{}) },
		want: []string{`find scenarios: nothing matches \*\.yaml`},
	},
	"no pattern": {
		test: func(t *testing.T) { RunAll(t, fstest.MapFS{}, "[", Options{}) },
		want: []string{`find scenarios: \[: syntax error in pattern`},
	},
	"folder for a scenario": {
		test: func(t *testing.T) { RunAll(t, fstest.MapFS{"x.yaml/y": {}}, "*.yaml", Options{}) },
		want: []string{`read scenario: `},
	},
	"tags of no feature": {
		test: func(t *testing.T) { Run(t, "quickstart", Options{Tags: "@a"}) },
		want: []string{`Options\.Tags are for Features`},
	},
	"feature": {
		test: feature(bad, Options{}),
		want: []string{
			`--- PASS: TestRed/feature/Good`, `--- FAIL: TestRed/feature/Bad`, `FAIL: plant/x\.feature:15: acked == 7: got 150`,
			`1 of 2 scenarios did not pass:\n\s+plant/x\.feature:11: Bad`,
		},
	},
	"feature with allowance": {
		test: feature(good, Options{AllowInconclusive: []string{"acked > 0"}}),
		want: []string{`Options\.AllowInconclusive is for Run and RunAll`},
	},
	"feature with a mistake": {
		test: feature(good+"    And nonsense\n", Options{}),
		want: []string{`no step reads "nonsense"`},
	},
	"feature that does not parse": {
		test: feature(good+"    Than nonsense\n", Options{}),
		want: []string{`plant/x\.feature:9:5: is no valid Gherkin`},
	},
	"no feature with the tags": {
		test: feature(bad+clustered, Options{Tags: "@nosuch"}),
		want: []string{`tags "@nosuch": no scenario matches: nothing was proven`},
	},
	"misread tags": {
		test: feature(bad, Options{Tags: "@good or @bad"}),
		want: []string{`"@good or @bad" is no tag: want @good,@bad`},
	},
	"tags that godog does not survive": {
		test: feature(bad, Options{Tags: "@good,"}),
		want: []string{`tags "@good,": "" is no tag: want @good`},
	},
	"no feature": {
		test: func(t *testing.T) { Features(t, fstest.MapFS{}, Options{}) },
		want: []string{`no scenario matches: nothing was proven`},
	},
	"feature of a nameless producer": {
		test: feature(good, Options{Producer: producer.Kind{New: newBroken}}),
		want: []string{`Options\.Producer needs both a name and a constructor`},
	},
	"Docker required": {
		test:        hold(plain(onDocker, "acked > 0"), Options{}),
		environment: "FLEETPROOF_REQUIRE_DOCKER=1",
		want:        []string{`FLEETPROOF_REQUIRE_DOCKER=1, but look for the image: `},
	},
	"feature with Docker required": {
		test:        feature(good+clustered, Options{Tags: "@docker"}),
		environment: "FLEETPROOF_REQUIRE_DOCKER=1",
		want:        []string{`--- FAIL: TestRed/feature_with_Docker_required/docker`, `FLEETPROOF_REQUIRE_DOCKER=1, but look for the image: `},
	},
}

func newBroken(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
	return nil, io.ErrUnexpectedEOF
}

// TestRed plays every test that must fail in a process of its own, as go test does: that is where what it says can be read.
// There is no Docker in it.
func TestRed(t *testing.T) {
	const asked = "FLEETTEST_RED"
	if name := os.Getenv(asked); name != "" {
		t.Run(name, failing[name].test)
		return
	}
	for name, test := range failing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := again(t, append([]string{"-test.run=^TestRed$"}, test.arguments...), asked+"="+name, test.environment)
			require.Error(t, err, output)
			assert.NotContains(t, output, "panic:")
			for _, want := range test.want {
				assert.Regexp(t, want, output)
			}
		})
	}
}

// TestDockerIsMissing: what needs it is skipped, with the reason, and the rest is played.
func TestDockerIsMissing(t *testing.T) {
	const asked = "FLEETTEST_SKIP"
	if os.Getenv(asked) != "" {
		t.Run("scenario", hold(plain(onDocker, "acked > 0"), Options{}))
		t.Run("image", hold(plain(onDocker, "acked > 0"), Options{Set: []string{"broker.image=own/kafka:1"}}))
		t.Run("features", feature(good+clustered, Options{}))
		t.Run("feature", feature(good+clustered, Options{Tags: "@docker"}))
		return
	}
	output, err := again(t, []string{"-test.run=^TestDockerIsMissing$"}, asked+"=1")
	require.NoError(t, err, output)
	for _, want := range []string{
		"--- SKIP: TestDockerIsMissing/scenario/x.yaml", "--- PASS: TestDockerIsMissing/features/Good", "--- SKIP: TestDockerIsMissing/features/docker",
		"--- SKIP: TestDockerIsMissing/feature/docker", "needs Docker with the image apache/kafka:4.3.1: look for the image: ",
		"needs Docker with the image own/kafka:1: look for the image: ",
	} {
		assert.Contains(t, output, want)
	}
	assert.NotContains(t, output, "TestDockerIsMissing/feature/Good")
}

// again runs this program's tests once more, where there is no Docker and temporary folders are the test's own.
func again(t *testing.T, arguments []string, environment ...string) (output string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], append(arguments, "-test.v")...)
	command.Env = append(os.Environ(), "DOCKER_HOST=unix:///nowhere/docker.sock", "FLEETPROOF_REQUIRE_DOCKER=", "TMPDIR="+t.TempDir())
	command.Env = append(command.Env, environment...)
	text, err := command.CombinedOutput()
	return string(text), err
}
