package features

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cucumber/godog"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
)

// read1 reads the only scenario of a feature.
func readFeature(t *testing.T, text string, more ...string) *script {
	t.Helper()
	files := fstest.MapFS{"x.feature": {Data: []byte(text)}}
	for i := 0; i+1 < len(more); i += 2 {
		files[more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	options := godog.Options{FS: files, Paths: []string{"x.feature"}}
	p, err := Suite{}.open(options)
	require.NoError(t, err)
	features, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	require.NoError(t, err)
	require.Len(t, features[0].Pickles, 1)
	return p.book.script(features[0].Pickles[0], p.places, files)
}

// steps makes a feature of steps.
func feature(steps ...string) string {
	return "Feature: f\n  Scenario: s\n    * " + strings.Join(steps, "\n    * ") + "\n"
}

// TestStepsSayWhatTheyClaim holds every step of the table against what it says to be the same.
func TestStepsSayWhatTheyClaim(t *testing.T) {
	const base = `version: 1
name: s
description: s
tags: []
fleets: [{name: climate, devices: 6000, interval: 5s, sensors: [temperature, current]}, {name: power, devices: 60, interval: 5s, sensors: [current]}]
location: {buildings: 1, floors: 3, rooms: 1}
load: {stages: [{name: begin, for: 90s, rate: 10/s}]}
expect: [promised]
`
	for _, s := range newBook() {
		if s.part > trouble || strings.HasPrefix(s.same, "all ") || s.takes {
			continue
		}
		t.Run(string(s.pattern), func(t *testing.T) {
			want, own := harness.NewDraft(harness.Place{}), base
			if s.part == world {
				own += "producer: {idempotent: true}\n"
			}
			want.Base("base.yaml", []byte(base))
			load := strings.HasPrefix(s.same, "load:")
			overrides := harness.Overrides{}
			switch set, isSet := strings.CutPrefix(s.same, "--set "); {
			case isSet:
				overrides.Set = []string{set}
			case strings.HasPrefix(s.same, "load:") && strings.Contains(s.same, "…"):
				want.Lay(harness.Place{File: "same.yaml", Line: 1, Column: 1}, []byte(
					"load: {stages: [{name: begin, for: 10s, rate: 10/s}, {name: burst, for: 5s, rate: 20x}, {name: begin-2, for: 1m15s, rate: 10/s}]}"))
				load = false
			case strings.HasPrefix(s.same, "faults:") && strings.Contains(s.same, "kill"):
				want.Set(harness.Place{}, "broker.kind", "docker")
				fallthrough
			default:
				want.Lay(harness.Place{File: "same.yaml", Line: 1, Column: 1}, []byte(s.same))
			}
			if strings.Contains(s.same, "fleets: [") { // the step adds
				want.Lay(harness.Place{File: "same.yaml", Line: 1, Column: 1}, []byte(
					"fleets: ["+strings.TrimSuffix(strings.TrimPrefix(s.same, "fleets: ["), "]")+", {name: power, devices: 60, interval: 5s, sensors: [current]}]"))
			}
			expected, err := want.Resolve(overrides)
			require.NoError(t, err)

			script := readFeature(t, feature(`the scenario "base.yaml"`, s.example, "the scenario runs"), "base.yaml", base)
			if strings.Contains(s.same, "kill") {
				script.draft.Set(harness.Place{}, "broker.kind", "docker")
			}
			got, err := script.draft.Resolve(harness.Overrides{})
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(expected.Scenario, got.Scenario))
			assert.Equal(t, load, got.Length() != expected.Length() || load, "the load")
		})
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

// TestEveryMetricIsAStep makes an expectation of every row of the table of metrics.
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
	_ = slices.Sorted(maps.Keys(values()))
}
