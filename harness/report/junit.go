package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// The layout is the one that Jenkins, GitLab and GitHub's reporters read: testsuites, testsuite, testcase, and in a test
// case at most one of failure, error and skipped.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Failure   *junitProblem `xml:"failure"`
		Error     *junitProblem `xml:"error"`
	}
	junitProblem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// RunItself is the name of what no expectation says, among the names of expectations.
const RunItself = "the run itself"

// Measured says in one line what an expectation got and why that is not enough, or is.
func Measured(j assertions.Judgement) string {
	got, limit := sideBySide(j)
	line := fmt.Sprintf("got %s, limit %s, from %s samples", got, limit, count(j.Samples))
	if j.Reason != "" {
		line += ": " + j.Reason
	}
	return line
}

// JUnit writes a result as one test suite with a test case for each expectation. What no expectation says, that the run
// was interrupted, proves too little or went wrong in itself, is one more test case with an error: "the run itself".
//
// A failed expectation is a failure. An inconclusive one is an error of type INCONCLUSIVE: nothing was proven, which
// must not count as passed, and CI servers count what is skipped as good. Nothing is ever skipped.
//
// The error is the writer's.
func JUnit(w io.Writer, result *assertions.Result) error {
	suite := junitSuite{
		Name:      result.Scenario,
		Time:      fmt.Sprintf("%.3f", result.Duration),
		Timestamp: result.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"run", result.Run}, {"seed", fmt.Sprint(result.Seed)}, {"verdict", result.Verdict.String()},
		},
	}
	for _, name := range versionNames(result) {
		suite.Properties = append(suite.Properties, junitProperty{"version." + name, result.Versions[name]})
	}
	for _, judgement := range result.Expectations {
		suite.Cases = append(suite.Cases, expectationCase(result.Scenario, judgement))
	}
	if problem := runProblem(result); problem != nil {
		suite.Cases = append(suite.Cases, junitCase{Name: RunItself, ClassName: result.Scenario, Error: problem})
	}
	for _, c := range suite.Cases {
		suite.Tests++
		if c.Failure != nil {
			suite.Failures++
		}
		if c.Error != nil {
			suite.Errors++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	err := encoder.Encode(junitSuites{
		Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: suite.Time, Suites: []junitSuite{suite},
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// runProblem is what no expectation says, or nil.
func runProblem(result *assertions.Result) *junitProblem {
	reasons := strings.Join(result.Reasons, "\n")
	switch {
	case result.Verdict == assertions.Error:
		return &junitProblem{Type: result.Verdict.String(), Message: conclusion(result), Text: reasons}
	case result.Interrupted:
		return &junitProblem{Type: "INTERRUPTED", Message: interrupted, Text: reasons}
	case len(result.Reasons) > 0 || result.Verdict != assertions.Pass && len(result.Expectations) == 0:
		return &junitProblem{Type: assertions.Inconclusive.String(), Message: "the run as a whole proves too little", Text: reasons}
	default:
		return nil
	}
}

// expectationCase stands for one expectation.
func expectationCase(scenario string, j assertions.Judgement) junitCase {
	c := junitCase{Name: j.Expectation, ClassName: scenario}
	problem := &junitProblem{Type: j.Verdict.String(), Message: Measured(j), Text: because(j)}
	switch j.Verdict {
	case assertions.Pass:
	case assertions.Fail:
		c.Failure = problem
	default:
		c.Error = problem
	}
	return c
}
