package features

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const referenceFile = "../docs/steps.md"

// introduction opens the reference.
const introduction = `# The steps of Gherkin features

<!-- Generated from the table of steps in features/ by make update. Do not edit. -->

A feature is a scenario in prose. It comes to the same as a scenario in YAML: the same defaults lie under it, the same
rules check it, and the same verdict ends it.

` + "```gherkin\n" + `Feature: Lost acknowledgements

  Scenario: An idempotent producer stores every record once
    Given a fleet "climate" of 1000 devices with sensors "temperature, humidity" every 1s
    And the load holds 2000/s for 5s
    And at 1s acknowledgements are lost for 3s at a rate of 5/s
    When the scenario runs
    Then no record is duplicated
    And e2e_latency.p99 < 1s within 2s after fault lose-ack
` + "```" + `

* **Order.** First what is played, then the one step that plays it, then what must hold. Nothing is played before the whole
  scenario was read: whatever is wrong with it is told at once, with file and line.
* **Later steps override earlier ones**, and a background comes first. Scenarios never share anything.
* **Verdicts.** Each Then has its own, in the judge's words. FAIL, INCONCLUSIVE and ERROR all fail the step. What no Then
  states (the run itself, expectations of a loaded scenario) fails the step that runs it.
* **Names.** Stages, faults and anomalies are called after what they are, unless a step names them; expectations speak of
  them by these names. The scenario's own name, description and tags come from Gherkin's.
* **Tags** leave scenarios out: ` + "`@a,@b`" + ` is either, ` + "`@a && @b`" + ` both, ` + "`~@a`" + ` those without. Any other expression is refused, and
  so is one that nothing matches. Tag what needs Docker ` + "`@docker`" + `.
* **What has no step** is written as YAML, below ` + "`the settings:`" + `.

From Go, ` + "`features.Suite`" + ` plays features, and ` + "`fleettest.Features`" + ` makes tests of them. With godog's own command, in a folder with
a file like [features/godog_test.go](../features/godog_test.go):

` + "```sh\n" + `cd features && go run github.com/cucumber/godog/cmd/godog@v0.15.1 run --tags '~@docker' lost-acknowledgements.feature
` + "```" + `

The result (result.json), and where it does not pass the report (report.txt), are attached to the step that runs the
scenario: ` + "`-f cucumber:report.json`" + ` has them. JUnit (` + "`-f junit:report.xml`" + `) has no attachments; its failures carry the judge's
words and the first offenders.

## Notation

` + "`[ … ]`" + ` may be left out, ` + "`(a|b)`" + ` is one of the two, ` + "`broker(s)`" + ` is broker or brokers. In braces stands:

`

// reference writes down all the steps.
func reference() string {
	var text strings.Builder
	text.WriteString(introduction)
	for _, place := range placeholders() {
		fmt.Fprintf(&text, "* `{%s}` %s\n", place.name, place.doc)
	}
	last := part(-1)
	for _, s := range newBook() {
		if s.part != last {
			fmt.Fprintf(&text, "\n## %s\n", s.part)
			last = s.part
		}
		fmt.Fprintf(&text, "\n### `%s`\n\n%s\n\n```gherkin\n%s %s\n", s.pattern, s.doc, keyword(s.part), s.example)
		if s.takes {
			text.WriteString("  \"\"\" yaml\n  oracle: {rescan: true}\n  \"\"\"\n")
		}
		fmt.Fprintf(&text, "```\n\nSame as: `%s`\n", s.same)
	}
	return text.String()
}

func keyword(p part) string {
	switch p {
	case running:
		return "When"
	case verdict:
		return "Then"
	default:
		return "Given"
	}
}

// TestReference holds the reference in docs against the table of steps.
func TestReference(t *testing.T) {
	if os.Getenv("FLEETPROOF_UPDATE") != "" {
		require.NoError(t, os.WriteFile(referenceFile, []byte(reference()), 0o644))
	}
	written, err := os.ReadFile(referenceFile)
	require.NoError(t, err)
	assert.Equal(t, reference(), string(written), "make update writes it again")
}
