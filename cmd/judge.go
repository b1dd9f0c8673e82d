package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
)

type judgeCommand struct {
	Folder string   `arg:"" name:"run_dir" help:"What run --out wrote."`
	Expect []string `sep:"none" placeholder:"EXPECTATION" help:"Expect something more than the run did, as in 'ack_latency.p99 < 50ms'. May be repeated."`
	JSON   bool     `name:"json" help:"Write the result as JSON instead of text: the bytes of result.json."`
}

// execute judges the evidence against what the run expected and what the flags add. The exit code is the verdict's, also
// for a run that was interrupted: the judging was not.
func (c judgeCommand) execute(w world) (int, error) {
	evidence, err := harness.ReadEvidence(c.Folder)
	if err != nil {
		return exitMistake, fmt.Errorf("%w: judge takes a folder that run --out has written, whole and as it was", err)
	}
	if evidence.Format != assertions.EvidenceFormat {
		return exitMistake, fmt.Errorf("%s: evidence of format %d, and this fleetproof reads %d: judge it with the one that wrote it, %s, or play the scenario again",
			c.Folder, evidence.Format, assertions.EvidenceFormat, cmp.Or(evidence.Run.Versions["fleetproof"], "of another version"))
	}
	stated := slices.Clone(evidence.Expectations)
	for _, text := range c.Expect {
		stated = append(stated, assertions.Stated{Text: text, Origin: "--expect"})
	}
	result, err := assertions.Judge(evidence, stated)
	if unknown := (*assertions.UnknownName)(nil); errors.As(err, &unknown) {
		err = meant(err, unknown.Got, unknown.Known)
	}
	if err != nil {
		return exitMistake, fmt.Errorf("%s: %w", c.Folder, err)
	}
	replay := quoted([]string{"fleetproof", "run", filepath.Join(c.Folder, report.ScenarioFile)})
	if err := show(w, result, c.JSON, replay); err != nil {
		return exitEnvironment, fmt.Errorf("write result: %w", err)
	}
	return exitOf(result.Verdict), nil
}
