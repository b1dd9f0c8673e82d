package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cucumber/godog"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
)

// scene is a Gherkin scenario being played.
type scene struct {
	*playing
	script   *script
	resolved *harness.Resolved
	mistakes error // nil: there are none
	folder   string
	result   *assertions.Result
}

// resolve completes the scenario and finds all that is wrong with it.
func (o *scene) resolve() {
	if o.resolved, o.mistakes = o.script.draft.Resolve(o.Overrides); o.mistakes != nil {
		return
	}
	_, client := o.resolved.Client(o.Producers)
	o.mistakes = errors.Join(client, o.resolved.AllowExternal(o.External))
}

// step takes one step. Where something is wrong with the scenario, the first step that is wrong, or else the one that
// would play it, tells all of it, and nothing is played. Where no step would play it, any step tells.
func (o *scene) step(ctx context.Context, s reading) (context.Context, error) {
	never := o.script.begun == harness.Place{}
	switch {
	case o.mistakes != nil && (never || s.part == running || strings.Contains(o.mistakes.Error(), fmt.Sprintf("%s:%d:", s.at.File, s.at.Line))):
		return ctx, fmt.Errorf("nothing was started:\n%w", o.mistakes)
	case s.part == running:
		return o.play(ctx)
	case s.part == verdict:
		return ctx, o.verdict(s.at)
	default:
		return ctx, nil
	}
}

// play plays the scenario and attaches what came of it.
func (o *scene) play(ctx context.Context) (context.Context, error) {
	if o.folder != "" {
		if err := os.MkdirAll(o.folder, 0o755); err != nil {
			return ctx, fmt.Errorf("make the folder of the results: %w", err)
		}
	}
	result, err := harness.Run(ctx, o.resolved, harness.Options{Producers: o.Producers, Versions: o.Versions, External: o.External, Out: o.folder})
	if result == nil {
		return ctx, fmt.Errorf("ERROR: %w", err)
	}
	o.result = result
	ctx, attached := o.attach(ctx)
	return ctx, errors.Join(err, attached, o.unstated())
}

// attach adds the result to the step, and the report that a person reads where it does not pass, and writes both down
// where that was asked for.
func (o *scene) attach(ctx context.Context) (context.Context, error) {
	var json, text bytes.Buffer
	err := errors.Join(report.JSON(&json, o.result), report.Text(&text, o.result, report.Style{}))
	ctx = godog.Attach(ctx, godog.Attachment{Body: json.Bytes(), FileName: report.ResultFile, MediaType: "application/json"})
	if o.result.Verdict != assertions.Pass {
		ctx = godog.Attach(ctx, godog.Attachment{Body: text.Bytes(), FileName: "report.txt", MediaType: "text/plain"})
	}
	if o.folder != "" {
		err = errors.Join(err, report.WriteFolder(o.folder, o.resolved.YAML(), o.result))
	}
	return ctx, err
}

// unstated is what did not pass and what no Then will tell: the run itself, and expectations that were stated elsewhere.
// With it goes what the Thens would tell, because godog skips them now.
func (o *scene) unstated() error {
	var missed, others []assertions.Judgement
	for _, judgement := range o.result.Expectations {
		switch {
		case judgement.Verdict == assertions.Pass:
		case !o.states(judgement):
			missed = append(missed, judgement)
		case !o.wantsUndecided(judgement):
			others = append(others, judgement)
		}
	}
	if len(missed) == 0 && len(o.result.Reasons) == 0 {
		return nil
	}
	verdict := assertions.Inconclusive // which is all that reasons make of a run that was not broken
	if o.result.Verdict == assertions.Error {
		verdict = assertions.Error
	}
	var lines []string
	for _, reason := range o.result.Reasons {
		lines = append(lines, fmt.Sprintf("%s: %s", verdict, reason))
	}
	return o.missed(slices.Concat(lines, said(missed), said(others)))
}

// states says whether a Then of this scenario states an expectation.
func (o *scene) states(judgement assertions.Judgement) bool {
	for _, s := range o.script.steps {
		if s.part == verdict && s.at.String() == judgement.Origin {
			return true
		}
	}
	return false
}

// verdict looks up what the judge said to the expectations of one step. Those of later steps that did not pass are told
// with it, because godog skips what comes after a step that failed.
func (o *scene) verdict(at harness.Place) error {
	if o.script.undecided[at] {
		return o.undecided(at)
	}
	var own, others []assertions.Judgement
	for _, judgement := range o.result.Expectations {
		switch {
		case judgement.Verdict == assertions.Pass:
		case judgement.Origin == at.String():
			own = append(own, judgement)
		case o.states(judgement) && !o.wantsUndecided(judgement):
			others = append(others, judgement)
		}
	}
	if len(own) == 0 {
		return nil
	}
	return o.missed(append(said(own), said(others)...))
}

// undecided holds the judge to having said that nothing can be said.
func (o *scene) undecided(at harness.Place) error {
	for _, judgement := range o.result.Expectations {
		if judgement.Origin == at.String() && judgement.Verdict != assertions.Inconclusive {
			return fmt.Errorf("want INCONCLUSIVE, got %s: %s", judgement.Verdict, judgement)
		}
	}
	return nil
}

func (o *scene) wantsUndecided(judgement assertions.Judgement) bool {
	for at := range o.script.undecided {
		if at.String() == judgement.Origin {
			return true
		}
	}
	return false
}

// said is what the judge said, one judgement a line.
func said(judgements []assertions.Judgement) []string {
	lines := make([]string, len(judgements))
	for i, judgement := range judgements {
		lines[i] = fmt.Sprintf("%s: %s", judgement.Verdict, judgement)
	}
	return lines
}

// missed is the error of what did not pass: the judge's words, the first offenders of every finding, and where the rest
// is. It stands for itself, because JUnit carries nothing else.
func (o *scene) missed(lines []string) error {
	if findings := report.Findings(o.result); findings != "" {
		lines = append(lines, findings)
	}
	if o.folder != "" {
		lines = append(lines, "results: "+o.folder)
	}
	return errors.New(strings.Join(lines, "\n"))
}
