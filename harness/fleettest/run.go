package fleettest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
	"github.com/fleetproof/fleetproof/harness/report"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// Options say how scenarios are played in a test. The zero value plays them as they are written.
type Options struct {
	Set    []string                         // override values, as --set does: fleets.climate.devices=100
	Expect []string                         // expect something more, as --expect does
	Env    func(name string) (string, bool) // looks up ${env:NAME}; nil: in the environment of the process

	// Producer is put under test instead of the client that producer.kind names. Without it that is one of those which
	// come with fleetproof in this module: sarama and franz.
	Producer producer.Kind

	// AllowInconclusive names what may be inconclusive without failing the test: expectations as the scenario or the
	// report writes them (what promised stands for, one by one), and RunItself for what makes the run as a whole prove too
	// little, such as a fault that touched nothing. A name that no expectation has fails the test, so that none is left over.
	AllowInconclusive []string

	// Tags leave out what Features plays without them: @a,@b is either, @a && @b both, ~@a those without.
	Tags string

	AllowExternal bool // scenarios with an external broker may create topics in that cluster, write to them and delete them
}

// RunItself is the name of the subtest for what no expectation says: that the run went wrong, was interrupted, or proves
// too little as a whole. There is none when nothing of that happened.
const RunItself = report.RunItself

// Run plays a scenario, which is a file or the name of a shipped one, and makes each expectation a subtest. FAIL and
// ERROR fail it, and so does INCONCLUSIVE unless Options allow it. A scenario with mistakes fails the test before anything
// is started; one that needs Docker is skipped where there is none, unless FLEETPROOF_REQUIRE_DOCKER=1 forbids that.
//
// Result, evidence, JUnit report and the resolved scenario are written to the test's artefact folder (go test -artifacts),
// or to a temporary one that is kept when the test fails; then the test says where. Several tests may run at the same
// time, but they share one machine: a harness that gets no time makes latencies inconclusive.
//
// When the test's deadline comes near, the load ends, faults are healed, and what was sent is judged; the test then fails
// as interrupted.
func Run(t *testing.T, scenario string, options Options) {
	t.Helper()
	overrides, kinds, err := options.forScenarios()
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := harness.Load(scenario, overrides)
	if err != nil {
		t.Fatal(err)
	}
	options.play(t, resolved, kinds)
}

// RunAll plays every scenario of a file system that matches a pattern (fs.Glob), one after the other, each as Run does in
// a subtest with the name of its file. A pattern that matches nothing fails the test.
func RunAll(t *testing.T, fsys fs.FS, pattern string, options Options) {
	t.Helper()
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		t.Fatalf("find scenarios: %s: %v", pattern, err)
	}
	if len(files) == 0 {
		t.Fatalf("find scenarios: nothing matches %s", pattern)
	}
	overrides, kinds, err := options.forScenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			text, err := fs.ReadFile(fsys, file)
			if err != nil {
				t.Fatalf("read scenario: %v", err)
			}
			resolved, err := harness.Parse(file, text, overrides)
			if err != nil {
				t.Fatal(err)
			}
			options.play(t, resolved, kinds)
		})
	}
}

// forScenarios prepares the options of scenarios that are no features.
func (o Options) forScenarios() (harness.Overrides, []producer.Kind, error) {
	if o.Tags != "" {
		return harness.Overrides{}, nil, errors.New("Options.Tags are for Features: RunAll chooses by its pattern")
	}
	return o.prepare()
}

// prepare turns options into what the harness understands.
func (o Options) prepare() (harness.Overrides, []producer.Kind, error) {
	overrides := harness.Overrides{Set: o.Set, Expect: o.Expect, Env: o.Env}
	if overrides.Env == nil {
		overrides.Env = os.LookupEnv
	}
	kinds := []producer.Kind{sarama.Kind(), franz.Kind()}
	switch named := o.Producer.Name != ""; {
	case named != (o.Producer.New != nil):
		return overrides, nil, errors.New("Options.Producer needs both a name and a constructor")
	case named:
		kinds = []producer.Kind{o.Producer}
		overrides.Set = append(slices.Clone(o.Set), "producer.kind="+o.Producer.Name)
	}
	return overrides, kinds, nil
}

// play plays a scenario and reports it.
func (o Options) play(t *testing.T, scenario *harness.Resolved, kinds []producer.Kind) {
	t.Helper()
	if err := scenario.AllowExternal(o.AllowExternal); err != nil {
		t.Fatal(err)
	}
	if _, err := scenario.Client(kinds); err != nil {
		t.Fatal(err)
	}
	if scenario.Broker.Kind == broker.Docker {
		dockertest.NeedImage(t, scenario.Broker.Image)
	}
	out := artefacts(t)
	ctx, cancel := inTime(t, scenario.Oracle.HealTimeout+scenario.Oracle.DrainTimeout)
	defer cancel()
	result, err := harness.Run(ctx, scenario, harness.Options{Producers: kinds, Out: out, External: o.AllowExternal})
	if result != nil {
		err = errors.Join(err, report.WriteFolder(out, scenario.YAML(), result))
		o.report(t, result)
	}
	if err != nil {
		t.Errorf("run %s: %s", scenario.Name, scenario.Masked(err.Error()))
	}
	if !t.Failed() {
		return
	}
	if result != nil {
		var text strings.Builder
		_ = report.Text(&text, result, report.Style{}) // a strings.Builder takes everything
		t.Log("\n" + text.String())
	}
	t.Logf("the artefacts of this run are in %s", out)
}

// inTime ends so long before the test's deadline that a run can still heal what it broke, drain and be judged: what that
// may take, but no more than a quarter of the time there is.
func inTime(t *testing.T, finish time.Duration) (context.Context, context.CancelFunc) {
	deadline, limited := t.Deadline()
	if !limited {
		return context.WithCancel(t.Context())
	}
	return context.WithDeadline(t.Context(), deadline.Add(-min(finish, time.Until(deadline)/4)))
}

// report makes subtests of a result.
func (o Options) report(t *testing.T, result *assertions.Result) {
	t.Helper()
	allowed := o.allowed()
	for _, judgement := range result.Expectations {
		mayBe := allowed.take(judgement.Expectation)
		t.Run(judgement.Expectation, func(t *testing.T) {
			switch {
			case judgement.Verdict == assertions.Pass:
			case judgement.Verdict == assertions.Inconclusive && mayBe:
				t.Logf("INCONCLUSIVE, as allowed: %s", report.Measured(judgement))
			default:
				t.Errorf("%s: %s: %s: %s", judgement.Origin, judgement.Expectation, judgement.Verdict, report.Measured(judgement))
			}
		})
	}
	o.reportRun(t, result, allowed.take(RunItself))
	if left := allowed.left(); len(left) > 0 {
		t.Errorf("Options.AllowInconclusive names what %s does not expect: %s", result.Scenario, strings.Join(left, ", "))
	}
}

// reportRun makes a subtest of what no expectation says, if there is anything. It concerns each of the others, so that it
// is told also where -run leaves this one out.
func (o Options) reportRun(t *testing.T, result *assertions.Result, mayBe bool) {
	t.Helper()
	reasons := strings.Join(result.Reasons, "; ")
	broken := result.Verdict == assertions.Error
	if !broken && !result.Interrupted && reasons == "" {
		return
	}
	told := false
	tell := func(t *testing.T) {
		told = true
		switch {
		case broken:
			t.Errorf("ERROR: %s", reasons)
		case result.Interrupted:
			t.Errorf("interrupted by the end of the test's time: only what was sent until then is judged: %s", reasons)
		case mayBe:
			t.Logf("INCONCLUSIVE, as allowed: %s", reasons)
		default:
			t.Errorf("INCONCLUSIVE: %s", reasons)
		}
	}
	t.Run(RunItself, tell)
	if !told {
		tell(t)
	}
}

// allowance is what may be inconclusive, by the name of its subtest, and whether that has been there.
type allowance map[string]bool

func (o Options) allowed() allowance {
	a := allowance{}
	for _, name := range o.AllowInconclusive {
		if expectation, err := assertions.ParseExpectation(name); err == nil {
			name = expectation.String()
		}
		a[name] = name == RunItself // which need not be there
	}
	return a
}

// take says whether a name is allowed.
func (a allowance) take(name string) bool {
	_, allowed := a[name]
	if allowed {
		a[name] = true
	}
	return allowed
}

// left are the names that were not there.
func (a allowance) left() []string {
	var left []string
	for name, met := range a {
		if !met {
			left = append(left, fmt.Sprintf("%q", name))
		}
	}
	slices.Sort(left)
	return left
}
