package features

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// opened opens a feature, if it is one.
func opened(made fstest.MapFS) (*playing, []*godog.Scenario, bool) {
	options := godog.Options{FS: made, Paths: []string{"x.feature"}}
	p, err := Suite{}.open(options)
	if err != nil {
		return nil, nil, false
	}
	parsed, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	if err != nil {
		return nil, nil, false
	}
	return p, parsed[0].Pickles, true
}

// play plays a feature with Sarama, or with another client in its place, and gives what godog wrote.
func play(t *testing.T, made fstest.MapFS, format, tags string, kinds ...producer.Kind) (string, error) {
	t.Helper()
	if len(kinds) == 0 {
		kinds = []producer.Kind{sarama.Kind()}
	}
	var out bytes.Buffer
	err := Suite{
		Producers: kinds,
		Overrides: harness.Overrides{Set: []string{"oracle.stall_limit=10s"}},
		Godog:     godog.Options{FS: made, Format: format, Tags: tags, Output: &out, NoColors: true},
	}.Run(t.Context())
	return out.String(), err
}

const small = `Feature: f

  @good
  Scenario: Good
    Given a fleet "a" of 50 devices with sensor "current" every 1s
    And the load holds 500/s for 300ms
    When the scenario runs
    Then every promise of the configuration holds
    And acked > 100

  @bad
  Scenario: Bad
    Given a fleet "a" of 50 devices with sensor "current" every 1s
    And the load holds 500/s for 300ms
    When the scenario runs
    Then acked > 100
    And no acknowledged record is lost
    And acked == 7
`

// forgetful acknowledges every tenth record without having sent it.
func forgetful() producer.Kind {
	return producer.Kind{Name: "sarama", Version: "forgetful", New: func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := sarama.New(ctx, config, outcome)
		return &forgetfulProducer{Producer: inner, outcome: outcome}, err
	}}
}

type forgetfulProducer struct {
	producer.Producer
	outcome func(producer.Outcome)
	sent    atomic.Int64
}

func (p *forgetfulProducer) Send(ctx context.Context, record *producer.Record) error {
	if p.sent.Add(1)%10 == 0 {
		p.outcome(producer.Outcome{Record: record, State: producer.Acked, Partition: -1, Offset: producer.OffsetUnset})
		return nil
	}
	return p.Producer.Send(ctx, record)
}

func TestVerdictsOfSteps(t *testing.T) {
	t.Run("pass", func(t *testing.T) {
		_, err := play(t, files(small), "progress", "@good")
		require.NoError(t, err)
	})
	t.Run("fail, in the judge's words, with all that failed", func(t *testing.T) {
		out, err := play(t, files(small), "junit", "", forgetful())
		require.EqualError(t, err, "2 of 2 scenarios did not pass:\n  x.feature:4: Good\n  x.feature:12: Bad")
		assert.Contains(t, out, `message="Step every promise of the configuration holds: FAIL: x.feature:8: acked_lost == 0: `)
		assert.Contains(t, out, "message=\"Step no acknowledged record is lost: FAIL: x.feature:17: acked_lost == 0: got 15 of 150; first device a-")
		assert.Contains(t, out, "&#xA;FAIL: x.feature:18: acked == 7: got 150 of 150; ", "the step after it is skipped, so its failure is told here")
		assert.Contains(t, out, "&#xA;FINDINGS&#xA;  acked_lost: 15 – ")
		assert.Contains(t, out, "&#xA;    a-", "the first offenders")
	})
	t.Run("what no Then states fails the step that runs it", func(t *testing.T) {
		const own = "version: 1\nname: own\nfleets: [{name: a, devices: 50, interval: 1s, sensors: [switch]}]\nload: {stages: [{name: hold, for: 300ms, rate: 500/s}]}\nexpect: [acked == 3]\n"
		out, err := play(t, files(steps(`the scenario "own.yaml"`, "the scenario runs", "acked > 100"), "own.yaml", own), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, `message="Step the scenario runs: FAIL: own.yaml:5: acked == 3: got 150 of 150; `)
	})
	t.Run("inconclusive", func(t *testing.T) {
		lines := []string{`a fleet "a" of 50 devices with sensor "current" every 1s`, "the load holds 500/s for 300ms", "the scenario runs"}
		out, err := play(t, files(steps(append(lines, "ack_latency.p99.9 < 10s")...)), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, "INCONCLUSIVE: x.feature:6: ack_latency.p99.9 &lt; 10s: ")

		_, err = play(t, files(steps(append(lines, "it cannot be decided whether ack_latency.p99.9 < 10s", "acked > 0")...)), "junit", "")
		require.NoError(t, err)

		out, err = play(t, files(steps(append(lines, "acked > 0", "it cannot be decided whether acked > 0")...)), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, "want INCONCLUSIVE, got PASS: x.feature:7: acked &gt; 0")
	})
	t.Run("the run itself", func(t *testing.T) {
		out, err := play(t, files(steps(`a fleet "a" of 50 devices with sensor "current" every 1s`, "the load holds 500/s for 500ms",
			"a producer without idempotence",
			"the settings:\n      \"\"\" yaml\n      faults: [{name: idle, at: 100ms, for: 100ms, do: error, target: all, api: InitProducerId, error: NOT_COORDINATOR, count: 1}]\n      \"\"\"",
			"the scenario runs", "acked > 0", "acked == 7")), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, `message="Step the scenario runs: INCONCLUSIVE: fault idle touched nothing `)
		assert.Regexp(t, `&#xA;FAIL: x.feature:\d+: acked == 7: got 250 of 250; `, out, "every Then is skipped, so its failure is told here")
	})
	t.Run("cannot be played", func(t *testing.T) {
		broken := producer.Kind{Name: "sarama", New: func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
			return nil, io.ErrUnexpectedEOF
		}}
		out, err := play(t, files(small), "junit", "@good", broken)
		require.Error(t, err)
		assert.Contains(t, out, `message="Step the scenario runs: ERROR: connect producer: `)
	})
}

// TestAttachments finds the result in cucumber's JSON, and the report where the run did not pass.
func TestAttachments(t *testing.T) {
	out, err := play(t, files(small), "cucumber", "")
	require.Error(t, err)
	var features []struct {
		Elements []struct {
			Steps []struct {
				Name       string
				Embeddings []struct{ Name, MimeType, Data string } `json:"embeddings"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &features))
	verdicts, reports := []string{}, 0
	for _, element := range features[0].Elements {
		for _, step := range element.Steps {
			for _, embedding := range step.Embeddings {
				assert.Equal(t, "the scenario runs", step.Name)
				data, err := base64.StdEncoding.DecodeString(embedding.Data)
				require.NoError(t, err)
				switch embedding.Name {
				case "result.json":
					var result struct{ Verdict string }
					require.NoError(t, json.Unmarshal(data, &result))
					verdicts = append(verdicts, result.Verdict)
				case "report.txt":
					reports++
					assert.Contains(t, string(data), "acked == 7")
				}
			}
		}
	}
	assert.Equal(t, []string{"PASS", "FAIL"}, verdicts)
	assert.Equal(t, 1, reports)
}

func TestFoldersOfResults(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	twice := small + strings.ReplaceAll(small[strings.Index(small, "  @good"):strings.Index(small, "  @bad")], "\n\n", "\n")
	err := Suite{
		Producers: []producer.Kind{sarama.Kind()}, Out: folder,
		Overrides: harness.Overrides{Set: []string{"oracle.stall_limit=10s"}},
		Godog:     godog.Options{FS: files(twice), Tags: "@good", Format: "progress", Output: io.Discard, Concurrency: 2},
	}.Run(t.Context())
	require.NoError(t, err)
	for _, name := range []string{"good", "good-2"} {
		for _, file := range []string{"result.json", "junit.xml", "evidence.json", "scenario.yaml"} {
			assert.FileExists(t, filepath.Join(folder, name, file))
		}
	}
	r, err := harness.Load(filepath.Join(folder, "good", "scenario.yaml"), harness.Overrides{})
	require.NoError(t, err)
	assert.Equal(t, 50, r.Fleets[0].Devices)

	long := &playing{Suite: Suite{Out: folder}, taken: map[string]struct{}{}}
	require.NoError(t, os.Mkdir(long.folder(strings.Repeat("one long story ", 20)), 0o755))
	require.NoError(t, os.Mkdir(long.folder(strings.Repeat("one long story ", 20)), 0o755))

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err = Suite{Out: file, Godog: godog.Options{FS: files(small)}}.Run(t.Context())
	require.ErrorContains(t, err, "make the folder of the results: ")
}

// TestOutlinesAreReadAsTheyArePlayed: what an example makes of a step is known only then.
func TestOutlinesAreReadAsTheyArePlayed(t *testing.T) {
	for name, test := range map[string]struct{ step, below, want string }{
		"no doc string": {"<what>", "", `"the settings:" needs a doc string of YAML below it`},
		"a table":       {"<what>", "      | a |\n", `"the settings:" needs a doc string of YAML below it`},
		"a doc string":  {"the load holds <rate> for 1s", "      \"\"\"\n      \"\"\"\n", `"the load holds 5/s for 1s" takes nothing below it`},
	} {
		t.Run(name, func(t *testing.T) {
			text := "Feature: f\n  Scenario Outline: s\n    Given an embedded broker\n    And " + test.step + "\n" + test.below +
				"    When the scenario runs\n    Examples:\n      | what | rate |\n      | the settings: | 5/s |\n"
			out, err := play(t, files(text), "progress", "")
			require.Error(t, err)
			assert.Contains(t, out+err.Error(), test.want)
		})
	}
}

// TestByteOrderMark: editors on Windows begin a file with one, which YAML passes over too.
func TestByteOrderMark(t *testing.T) {
	for name, begin := range map[string]string{"marked": "\ufeff", "not marked": ""} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, "x.feature"), []byte(begin+small), 0o600))
			played, _, err := Suite{Godog: godog.Options{Paths: []string{folder}}}.prepare()
			require.NoError(t, err)
			assert.Equal(t, 2, played.scenarios)
		})
	}
	file := filepath.Join(t.TempDir(), "short.feature")
	require.NoError(t, os.WriteFile(file, []byte("F"), 0o600))
	opened, err := system{}.Open(file)
	require.NoError(t, err)
	text, err := io.ReadAll(opened)
	require.NoError(t, errors.Join(err, opened.Close()))
	assert.Equal(t, "F", string(text))
}

// TestNothingPassesUnplayed holds Run to refusing what godog would let pass.
func TestNothingPassesUnplayed(t *testing.T) {
	for name, test := range map[string]struct {
		feature, tags, want string
	}{
		"no scenario has the tags":     {small, "@nosuch", `tags "@nosuch": no scenario matches: nothing was proven`},
		"no scenario at all":           {"Feature: f\n", "", "x.feature:1:1: no scenario in it is played (begin one with Scenario and a colon, and give an outline a row of examples)"},
		"tags of another language":     {small, "@good or @bad", `tags "@good or @bad": "@good or @bad" is no tag: want @good,@bad (@a,@b for either, @a && @b for both, ~@a for those without it)`},
		"no steps":                     {"Feature: f\n  Scenario: s\n", "", `x.feature:2:3: "s" has no steps, so nothing is played`},
		"no examples":                  {"Feature: f\n  Scenario Outline: s\n    When the scenario runs\n    Examples:\n      | a |\n", "", "x.feature:1:1: no scenario in it is played (begin one with Scenario and a colon, and give an outline a row of examples)"},
		"no examples in one of two":    {"Feature: f\n  Scenario Outline: s\n    When the scenario runs\n    Examples:\n      | a |\n  Scenario: t\n    When the scenario runs\n", "", `x.feature:2:3: "s" has no examples, so nothing is played (give it a row below the header)`},
		"a misspelt keyword":           {"Feature: f\n  Background:\n    Guven an idempotent producer\n  Scenario: s\n    Whe the scenario runs\n    Then promised\n", "", "x.feature:3:5: \"Guven\" is no keyword, so it is taken for a description (write Given, When, Then, And or But)\nx.feature:5:5: \"Whe\" is no keyword, so it is taken for a description (write Given, When, Then, And or But)"},
		"a misspelt keyword in a rule": {"Feature: f\n  Rule: r\n    Background:\n      Guven an idempotent producer\n    Scenario: s\n      When the scenario runs\n", "", "x.feature:4:7: \"Guven\" is no keyword, so it is taken for a description (write Given, When, Then, And or But)"},
		"a misspelt scenario":          {"Feature: f\n  Scenari: r\n    Given nonsense\n    When the scenario runs\n  Scenario: s\n    When the scenario runs\n", "", "x.feature:2:3: \"Scenari\" is no keyword, so it is taken for a description (write Scenario, Scenario Outline or Background)\nx.feature:4:5: this step stands in no scenario, so it is taken for a description (write Scenario, Scenario Outline or Background above it)"},
		"no doc string":                {"Feature: f\n  Scenario: s\n    Given the settings:\n    When the scenario runs\n", "", `x.feature:3:11: "the settings:" needs a doc string of YAML below it`},
		"a table instead of it":        {"Feature: f\n  Scenario: s\n    Given the settings:\n      | a |\n    When the scenario runs\n", "", `x.feature:3:11: "the settings:" needs a doc string of YAML below it`},
		"no keyword":                   {"Feature: f\n  Scenario: s\n    an idempotent producer\n    When the scenario runs\n", "", "x.feature:3:5: this step has no keyword, so it is taken for a description (write Given, When, Then, And or But)"},
		"no blank":                     {"Feature: f\n  Scenario: s\n    Given\tan idempotent producer\n    *zstd compression\n    Givenan embedded broker\n    When the scenario runs\n", "", "x.feature:3:5: this step has no blank behind \"Given\", so it is taken for a description (write one)\nx.feature:4:5: this step has no blank behind \"*\", so it is taken for a description (write one)\nx.feature:5:5: this step has no blank behind \"Given\", so it is taken for a description (write one)"},
		"a misspelt keyword below":     {"Feature: f\n  Scenario: s\n    When the scenario runs\n    Than promised\n", "", "x.feature:4:5: is no valid Gherkin: expected: #EOF, #TableRow, #DocStringSeparator, #StepLine, #TagLine, #ExamplesLine, #ScenarioLine, #RuleLine, #Comment, #Empty, got '    Than promised'"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := play(t, files(test.feature), "progress", test.tags)
			require.EqualError(t, err, test.want)
			assert.Empty(t, out)
		})
	}
	t.Run("but a description may be prose", func(t *testing.T) {
		_, err := play(t, files(strings.Replace(small, "  @good\n  Scenario: Good\n", `  When a broker dies, nobody wants to hear that
  nothing was compromised, or of no
  compression. Then: what the producer
  promised

  @good
  Scenario: Good
    The load holds its rate, and every record
    of the fleet "a" is acknowledged.

`, 1)), "progress", "@good")
		require.NoError(t, err)
	})
	t.Run("an undefined step", func(t *testing.T) {
		out, err := play(t, files(steps("everything is fine")), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, `x.feature:3:7: no step reads &#34;everything is fine&#34;`)
	})
	t.Run("a mistake fails its own step", func(t *testing.T) {
		out, err := play(t, files(steps("an embedded broker", `a fleet "a" of 0 devices with sensor "current" every 1s`, "the load holds 1/s for 1s", "the scenario runs")), "junit", "")
		require.Error(t, err)
		assert.Contains(t, out, "message=\"Step a fleet &#34;a&#34; of 0 devices with sensor &#34;current&#34; every 1s: nothing was started:&#xA;x.feature:4:7: fleets[0].devices: must be at least 1, got 0\"")
	})
	t.Run("nothing runs the scenario", func(t *testing.T) {
		out, err := play(t, files(steps(`a fleet "a" of 5 devices with sensor "current" every 1s`, "the load holds 5/s for 1s")), "junit", "")
		require.EqualError(t, err, "1 of 1 scenarios did not pass:\n  x.feature:2: s")
		assert.Contains(t, out, "nothing was started:&#xA;x.feature:2:3: nothing runs the scenario (write When the scenario runs)")
	})
	t.Run("no feature at all", func(t *testing.T) {
		err := Suite{Godog: godog.Options{FS: fstest.MapFS{"readme.txt": {}}}}.Run(t.Context())
		require.EqualError(t, err, ".: no scenario matches: nothing was proven")
		require.ErrorIs(t, err, ErrNoScenario)
	})
	t.Run("contents without a file", func(t *testing.T) {
		err := Suite{Godog: godog.Options{FeatureContents: []godog.Feature{{Name: "f"}}}}.Run(t.Context())
		require.EqualError(t, err, "features are read from files: give them in Godog.FS")
	})
	t.Run("no such path", func(t *testing.T) {
		err := Suite{Godog: godog.Options{Paths: []string{"nosuch.feature"}}}.Run(t.Context())
		require.EqualError(t, err, `read features: feature path "nosuch.feature" is not available`)
	})
	t.Run("no such format", func(t *testing.T) {
		_, err := play(t, files(small), "nosuch", "@good")
		require.EqualError(t, err, "play features: godog ended with status 2")
	})
}

// TestOneScenarioOfAFile plays what stands at a line.
func TestOneScenarioOfAFile(t *testing.T) {
	err := Suite{
		Producers: []producer.Kind{sarama.Kind()},
		Godog:     godog.Options{FS: files(small), Paths: []string{"x.feature:12"}, Output: io.Discard},
	}.Run(t.Context())
	require.EqualError(t, err, "1 of 1 scenarios did not pass:\n  x.feature:12: Bad")
}

// TestFilesOfTheSystem reads features and what they load from the file system.
func TestFilesOfTheSystem(t *testing.T) {
	folder := t.TempDir()
	for name, file := range files(strings.Replace(small, `a fleet "a" of 50 devices with sensor "current" every 1s`, `the scenario "own.yaml"`, 1),
		"own.yaml", "version: 1\nname: own\nfleets: [{name: a, devices: 50, interval: 1s, sensors: [switch]}]\nload: {stages: [{name: a, for: 1s, rate: 1/s}]}\n") {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), file.Data, 0o600))
	}
	err := Suite{
		Producers: []producer.Kind{sarama.Kind()}, Godog: godog.Options{Paths: []string{folder}, Tags: "@good", Output: io.Discard},
	}.Run(t.Context())
	require.NoError(t, err)
}

// TestTheEnvironmentIsKept lets godog's own variables be what they were.
func TestTheEnvironmentIsKept(t *testing.T) {
	t.Setenv("GODOG_SEED", "mine")
	_, err := play(t, files(small), "progress", "@good")
	require.NoError(t, err)
	assert.Equal(t, "mine", os.Getenv("GODOG_SEED"))
	_, found := os.LookupEnv("GODOG_TESTED_PACKAGE")
	assert.False(t, found)
}

func TestStepsAreForTheSuite(t *testing.T) {
	var suite Suite
	status := godog.TestSuite{ScenarioInitializer: suite.Initialize, Options: &godog.Options{
		FS: files(small), Paths: []string{"x.feature"}, Output: io.Discard, Format: "progress", Strict: true,
	}}.Run()
	assert.Equal(t, 1, status, "without Run nobody has read the features")
}
