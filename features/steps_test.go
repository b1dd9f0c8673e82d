package features

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cucumber/godog"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
)

// files makes the files of a suite, the feature x.feature among them, from names and texts.
func files(feature string, more ...string) fstest.MapFS {
	made := fstest.MapFS{"x.feature": {Data: []byte(feature)}}
	for i := 0; i < len(more); i += 2 {
		made[more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	return made
}

// read reads the first scenario of the feature x.feature.
func read(t *testing.T, files fstest.MapFS) *script {
	t.Helper()
	options := godog.Options{FS: files, Paths: []string{"x.feature"}}
	p, err := Suite{}.open(options)
	require.NoError(t, err)
	parsed, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	require.NoError(t, err)
	return p.book.script(parsed[0].Pickles[0], p.places, files)
}

// steps makes a feature of steps: the first of them stands in line 3.
func steps(lines ...string) string {
	return "Feature: f\n  Scenario: s\n    * " + strings.Join(lines, "\n    * ") + "\n"
}

// base is what the examples of the steps need around them.
const base = `version: 1
name: s
fleets:
  - {name: climate, devices: 6000, interval: 5s, sensors: [temperature, current]}
  - {name: power, devices: 60, interval: 5s, sensors: [current]}
load: {stages: [{name: begin, for: 90s, rate: 10/s}]}
expect: [promised]
`

// TestStepsSayWhatTheyClaim holds every step that says something about the scenario against what it claims to be the same.
func TestStepsSayWhatTheyClaim(t *testing.T) {
	others := map[string]string{ // where the claim leaves out what is there already
		"a fleet": `fleets:
  - {name: climate, devices: 6000, sensors: [temperature, humidity], interval: 5s}
  - {name: power, devices: 60, interval: 5s, sensors: [current]}`,
		"at 10s the load bursts": "load: {stages: [{name: begin, for: 10s, rate: 10/s}, {name: burst, for: 5s, rate: 20x}, {name: begin-2, for: 75s, rate: 10/s}]}",
	}
	for _, s := range newBook() {
		if s.part > trouble || strings.HasPrefix(s.example, "the s") {
			continue
		}
		t.Run(string(s.pattern), func(t *testing.T) {
			same, set, isSet := s.same, harness.Overrides{}, false
			for begin, other := range others {
				if strings.HasPrefix(s.example, begin) {
					same = other
				}
			}
			if same, isSet = strings.CutPrefix(same, "--set "); isSet {
				set.Set, same = []string{same}, "{}"
			}
			kind := harness.Overrides{}
			if strings.Contains(s.same, "do: kill") {
				kind.Set = []string{"broker.kind=docker"}
			}
			want := harness.NewDraft(harness.Place{File: "base.yaml"})
			want.Base("base.yaml", []byte(base))
			want.Lay(harness.Place{File: "same.yaml", Line: 1, Column: 1}, []byte(same))
			set.Set = append(set.Set, kind.Set...)
			expected, err := want.Resolve(set)
			require.NoError(t, err)

			got, err := read(t, files(steps(`the scenario "base.yaml"`, s.example, "the scenario runs"), "base.yaml", base)).draft.Resolve(kind)
			require.NoError(t, err)
			expected.Description, expected.Tags = "s", []string{}
			assert.Empty(t, cmp.Diff(expected.Scenario, got.Scenario))
		})
	}
}

// TestVerdictsSayWhatTheyClaim does the same with the steps that ask.
func TestVerdictsSayWhatTheyClaim(t *testing.T) {
	for _, s := range newBook() {
		if s.part != verdict {
			continue
		}
		script := read(t, files(steps(
			`the scenario "base.yaml"`, `at 1s broker 2 is cut off for 1s as fault "crash"`, `the load holds 10/s for 90s`,
			`at 2s every device shows a stuck on "current" for 4s as anomaly "surge"`, "the scenario runs", s.example,
		), "base.yaml", strings.Replace(base, "expect: [promised]", "expect: []", 1)))
		got, err := script.draft.Resolve(harness.Overrides{})
		require.NoError(t, err, s.example)
		claims, _, _ := strings.Cut(s.same, ", ")
		want := strings.Split(claims, " and ")
		assert.Equal(t, want, got.Expect, s.example)
		for _, stated := range got.Stated {
			assert.Equal(t, "x.feature:8", stated.Origin)
		}
	}
}

// TestStepsAreNotAmbiguous holds every example against every step, as strict godog does.
func TestStepsAreNotAmbiguous(t *testing.T) {
	steps := newBook()
	for _, s := range steps {
		var matched []pattern
		for _, other := range steps {
			plain := regexp.MustCompile(other.pattern.plain())
			assert.Zero(t, plain.NumSubexp(), other.pattern)
			assert.Equal(t, other.expr.MatchString(s.example), plain.MatchString(s.example), "%s: %s", other.pattern, s.example)
			if plain.MatchString(s.example) {
				matched = append(matched, other.pattern)
			}
		}
		assert.Equal(t, []pattern{s.pattern}, matched, s.example)
		assert.NotEmpty(t, s.doc, s.example)
		assert.NotEmpty(t, s.same, s.example)
	}
}

// TestEveryMetricIsAStep makes expectations of every row of the table of metrics.
func TestEveryMetricIsAStep(t *testing.T) {
	steps := newBook()
	for _, metric := range assertions.Metrics() {
		name := strings.Replace(metric.Name, "NAME", "some-name", 1)
		if len(metric.Aggregates) > 0 {
			name += "." + strings.Replace(string(metric.Aggregates[0]), "pN", "p99.9", 1)
		}
		for _, rest := range []string{" < 5ms", "<=1", " == 100% during stage hold", " > 0 outside faults", " < 1s within 3s after fault crash"} {
			found, arg, known := steps.read(name + rest)
			require.True(t, known, name+rest)
			assert.Equal(t, pattern("{expectation}"), found.pattern)
			assert.Equal(t, []string{name + rest}, arg)
		}
	}
}

func TestStepsReadOtherSpellings(t *testing.T) {
	for text, want := range map[string]string{
		`1 building of 1 floor with 1 room each`:                                                     `{int} building(s) of {int} floor(s) with {int} room(s) each`,
		`a Kafka cluster with 1 broker`:                                                              `a Kafka cluster with {int} broker(s)`,
		`sensor "a" is normal with mean -3.5 and standard deviation 1`:                               `sensor {string} is normal with mean {float} and standard deviation {float}`,
		`sensor "switch" is on with probability 0.5`:                                                 `sensor {string} is on with probability {float}[, drawn every {duration}]`,
		`at 1m30s every device shows an outage on "humidity" for 6s`:                                 `at {duration} {place} shows a(n) {word}[ (of|by) {change}] on {string}[ in {float}% of the readings] for {duration}[ as anomaly {string}]`,
		`at 1s building 1, floor 2, room 3 shows a drift by -2/s on "humidity" for 6s`:               `at {duration} {place} shows a(n) {word}[ (of|by) {change}] on {string}[ in {float}% of the readings] for {duration}[ as anomaly {string}]`,
		`at 1s fleet "a" in room 3 of floor 2 of building 1 shows a stuck of 5 on "humidity" for 6s`: `at {duration} {place} shows a(n) {word}[ (of|by) {change}] on {string}[ in {float}% of the readings] for {duration}[ as anomaly {string}]`,
		`at 1s broker 1 is restarted`:                                                                `at {duration} broker {int} is (killed|paused|stopped|restarted|cut off)[ for {duration}][ as fault {string}]`,
		`the p99.9 ack latency is below 1m30s`:                                                       `[during (stage|fault) {string} ]the p{float} (ack|end-to-end) latency is below {duration}`,
		`ack_latency.p99<5ms during stage hold`:                                                      `{expectation}`,
		`promised`:                                                                                   `{expectation}`,
		`the load holds  5000/s for 1s`:                                                              "",
		`the load holds 5000 for 1s`:                                                                 "",
		`The scenario runs`:                                                                          "",
		`the scenario runs twice`:                                                                    "",
		`promised and more`:                                                                          "",
		`building 1 shows a spike on "x" for 1s`:                                                     "",
		`at 1s  shows a spike of 5 on "x" for 1s`:                                                    "",
		`at 1s floor 1 shows a stuck on "x" for 1s`:                                                  "",
	} {
		found, _, _ := newBook().read(text)
		assert.Equal(t, want, string(found.pattern), text)
	}
}
