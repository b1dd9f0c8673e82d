package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
)

const replay = "fleetproof run scenarios/crash.yaml --set seed=7"

// formats are all the reports by the ending of their golden files.
func formats() map[string]func(io.Writer, *assertions.Result) error {
	return map[string]func(io.Writer, *assertions.Result) error{
		"txt":  func(w io.Writer, r *assertions.Result) error { return Text(w, r, Style{Replay: replay}) },
		"json": JSON,
		"xml":  JUnit,
	}
}

// golden compares with a file that a person has read. FLEETPROOF_UPDATE=1 writes the file anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("FLEETPROOF_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestReports(t *testing.T) {
	for name, result := range results() {
		for ending, write := range formats() {
			t.Run(name+"."+ending, func(t *testing.T) {
				var got bytes.Buffer
				require.NoError(t, write(&got, result))
				golden(t, name+"."+ending, got.Bytes())
			})
		}
	}
}

func TestTextIsNarrow(t *testing.T) {
	for name, result := range results() {
		var got bytes.Buffer
		require.NoError(t, Text(&got, result, Style{}))
		for line := range strings.Lines(got.String()) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), columns, "%s: %s", name, line)
		}
	}
}

func TestColourIsOnlyPaint(t *testing.T) {
	colours := regexp.MustCompile("\x1b\\[[0-9;]+m")
	for name, result := range results() {
		var plain, painted bytes.Buffer
		require.NoError(t, Text(&plain, result, Style{}))
		require.NoError(t, Text(&painted, result, Style{Colour: true}))
		assert.NotContains(t, plain.String(), "\x1b")
		assert.Contains(t, painted.String(), "\x1b")
		assert.Equal(t, plain.String(), colours.ReplaceAllString(painted.String(), ""), name)
	}
	var painted bytes.Buffer
	require.NoError(t, Text(&painted, results()["every-verdict"], Style{Colour: true}))
	for _, want := range []string{"\x1b[1;31mERROR\x1b[0m", "\x1b[31mFAIL\x1b[0m", "\x1b[32mPASS\x1b[0m", "\x1b[33mINCONCLUSIVE\x1b[0m"} {
		assert.Contains(t, painted.String(), want)
	}
}

func TestVerdictComesFirst(t *testing.T) {
	for name, result := range results() {
		var got bytes.Buffer
		require.NoError(t, Text(&got, result, Style{}))
		assert.Equal(t, result.Verdict.String(), strings.Fields(got.String())[0], name)
	}
}

func TestConclusion(t *testing.T) {
	const pass, inconclusive, fail = assertions.Pass, assertions.Inconclusive, assertions.Fail
	for _, c := range []struct {
		run  assertions.Verdict
		of   []assertions.Verdict
		want string
	}{
		{pass, []assertions.Verdict{pass}, "the one expectation holds"},
		{pass, []assertions.Verdict{pass, pass}, "all 2 expectations hold"},
		{fail, []assertions.Verdict{fail}, "1 of 1 expectation failed"},
		{fail, []assertions.Verdict{fail, inconclusive, pass}, "1 of 3 expectations failed, 1 could not be decided"},
		{inconclusive, []assertions.Verdict{inconclusive, pass}, "nothing failed, but 1 of 2 expectations could not be decided"},
		{inconclusive, []assertions.Verdict{pass}, "nothing failed, but the run proves too little"},
		{assertions.Error, []assertions.Verdict{fail}, "the run itself went wrong, so it proves nothing"},
		{pass, nil, "nothing was expected"},
	} {
		result := &assertions.Result{Verdict: c.run}
		for _, verdict := range c.of {
			result.Expectations = append(result.Expectations, assertions.Judgement{Verdict: verdict})
		}
		assert.Equal(t, c.want, conclusion(result))
	}
}

// TestJSONHasWhatTheLanguagePromises holds the names that other programs rely on.
func TestJSONHasWhatTheLanguagePromises(t *testing.T) {
	var got bytes.Buffer
	require.NoError(t, JSON(&got, results()["every-verdict"]))
	var result struct {
		Scenario, Verdict, Started *string
		Seed, Duration             *float64
		Counts                     map[string]*float64
		Expectations, Faults       []map[string]any
		Latencies                  []map[string]any
		Versions                   map[string]string
	}
	require.NoError(t, json.Unmarshal(got.Bytes(), &result))
	require.NotNil(t, result.Scenario)
	require.NotNil(t, result.Verdict)
	require.NotNil(t, result.Started)
	require.NotNil(t, result.Seed)
	require.NotNil(t, result.Duration)
	assert.Equal(t, "ERROR", *result.Verdict)
	assert.Contains(t, result.Counts, "acked_lost")
	for _, key := range []string{"expectation", "verdict", "got", "limit", "samples", "origin"} {
		assert.Contains(t, result.Expectations[0], key)
	}
	for _, key := range []string{"name", "injected_at", "healed_at", "hits", "proven"} {
		assert.Contains(t, result.Faults[0], key)
	}
	for _, key := range []string{"metric", "phase", "count", "p50", "p90", "p99", "p99.9", "max"} {
		assert.Contains(t, result.Latencies[0], key)
	}
	assert.Equal(t, "v1.61.1", result.Versions["sarama"])
}

// TestJUnitAddsUp reads the file as a CI server does and counts again.
func TestJUnitAddsUp(t *testing.T) {
	type problem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
	}
	type suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
		Cases    []struct {
			Name      string    `xml:"name,attr"`
			ClassName string    `xml:"classname,attr"`
			Failures  []problem `xml:"failure"`
			Errors    []problem `xml:"error"`
			Skipped   []problem `xml:"skipped"`
		} `xml:"testcase"`
	}
	for name, result := range results() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			require.NoError(t, JUnit(&got, result))
			var file struct {
				XMLName  xml.Name `xml:"testsuites"`
				Tests    int      `xml:"tests,attr"`
				Failures int      `xml:"failures,attr"`
				Errors   int      `xml:"errors,attr"`
				Suites   []suite  `xml:"testsuite"`
			}
			require.NoError(t, xml.Unmarshal(got.Bytes(), &file))
			require.Len(t, file.Suites, 1)
			s := file.Suites[0]
			assert.Equal(t, result.Scenario, s.Name)
			_, err := strconv.ParseFloat(s.Time, 64)
			require.NoError(t, err)

			verdicts := map[string]assertions.Verdict{}
			for _, judgement := range result.Expectations {
				verdicts[judgement.Expectation] = judgement.Verdict
			}
			var failures, errs int
			for _, c := range s.Cases {
				failures += len(c.Failures)
				errs += len(c.Errors)
				assert.LessOrEqual(t, len(c.Failures)+len(c.Errors), 1, c.Name)
				assert.Empty(t, c.Skipped, "skipped counts as good")
				assert.NotEmpty(t, c.ClassName)
				for _, p := range append(c.Failures, c.Errors...) {
					assert.NotEmpty(t, p.Message, c.Name)
				}
				if verdict, isExpectation := verdicts[c.Name]; isExpectation {
					assert.Equal(t, verdict == assertions.Pass, len(c.Failures)+len(c.Errors) == 0, c.Name)
					assert.Equal(t, verdict == assertions.Fail, len(c.Failures) == 1, c.Name)
					delete(verdicts, c.Name)
				} else {
					assert.Equal(t, "the run itself", c.Name)
					assert.Len(t, c.Errors, 1)
				}
			}
			assert.Empty(t, verdicts, "every expectation has its test case")
			assert.Equal(t, []int{len(s.Cases), failures, errs, 0}, []int{s.Tests, s.Failures, s.Errors, s.Skipped})
			assert.Equal(t, []int{s.Tests, s.Failures, s.Errors}, []int{file.Tests, file.Failures, file.Errors})
			assert.Equal(t, result.Verdict == assertions.Pass, s.Failures+s.Errors == 0, "green means PASS")
		})
	}
}

func TestRunsWithoutExpectationsThatProveNothingAreNotGreen(t *testing.T) {
	for verdict, want := range map[assertions.Verdict]string{
		assertions.Inconclusive: `<error type="INCONCLUSIVE"`,
		assertions.Error:        `<error type="ERROR"`,
	} {
		var got bytes.Buffer
		require.NoError(t, JUnit(&got, &assertions.Result{Scenario: "bare", Verdict: verdict}))
		assert.Contains(t, got.String(), want)
		assert.Contains(t, got.String(), `errors="1"`)
	}
	var got bytes.Buffer
	require.NoError(t, JUnit(&got, &assertions.Result{Scenario: "bare", Interrupted: true}))
	assert.Contains(t, got.String(), `<error type="INTERRUPTED"`)
}

// full fails after so many bytes, as a disk does.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWritersErrorsAreReturned(t *testing.T) {
	result := results()["every-verdict"]
	for ending, write := range formats() {
		var whole bytes.Buffer
		require.NoError(t, write(&whole, result))
		for _, room := range []int{0, len(xml.Header), whole.Len() - 1} {
			assert.ErrorIs(t, write(&full{left: room}, result), errFull, "%s with room for %d bytes", ending, room)
		}
	}
}

// TestFindings writes the findings alone, as they stand in the text, and nothing where there is none.
func TestFindings(t *testing.T) {
	found := 0
	for name, result := range results() {
		findings := Findings(result)
		if findings == "" {
			continue
		}
		found++
		var text bytes.Buffer
		require.NoError(t, Text(&text, result, Style{}))
		assert.Contains(t, text.String(), findings, name)
		assert.True(t, strings.HasPrefix(findings, "FINDINGS\n  "), name)
	}
	assert.NotZero(t, found)
	assert.Empty(t, Findings(&assertions.Result{Counts: map[string]int64{"due": 5, "acked_lost": 0}}))
}
