// Command knownbad plays a scenario as fleetproof run does, with a client that is known to lose acknowledged records in
// place of the one in use:
//
//	knownbad --out out/v1.47.0 known-bad
//
// It proves that the harness finds what it is there to find. It lives in a module of its own, whose go.mod replaces Sarama
// by the old version: no other program gets it. The report names the version, and what --out writes can be judged again by
// fleetproof judge. It knows nothing but flags: everything else is done by the packages that fleetproof itself uses.
//
// The exit codes are fleetproof's: 0 for PASS, 1 for FAIL, 2 for a wrong scenario or command line, 3 for INCONCLUSIVE, 4
// when the environment failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
	"github.com/fleetproof/fleetproof/producer/knownbad/sarama147"
)

// The exit codes of a run, as cmd/fleetproof has them.
const (
	exitPass         = 0
	exitFail         = 1
	exitMistake      = 2
	exitInconclusive = 3
	exitEnvironment  = 4
)

// commandLine has the flags of fleetproof run, as far as they change what is proven.
type commandLine struct {
	Scenario string   `arg:"" help:"Scenario file, or name of a shipped scenario."`
	Set      []string `sep:"none" placeholder:"PATH=VALUE" help:"Override a value, as in fleets.climate.devices=100. May be repeated."`
	Expect   []string `sep:"none" placeholder:"EXPECTATION" help:"Expect something more, as in 'ack_latency.p99 < 50ms'. May be repeated."`
	Out      string   `placeholder:"DIR" help:"Write result.json, evidence.json and the resolved scenario.yaml there. It must be new or empty."`
	JSON     bool     `name:"json" help:"Write the result as JSON instead of text."`
}

func main() {
	ctx, abort := untilInterrupted()
	os.Exit(execute(ctx, abort, os.Args[1:], os.Stdout, os.Stderr))
}

// untilInterrupted ends ctx at the first signal, and closes abort at the second.
func untilInterrupted() (ctx context.Context, abort <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	caught, second := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-caught
		cancel()
		<-caught
		close(second)
		signal.Stop(caught)
	}()
	return ctx, second
}

// execute parses a command line, plays its scenario and returns the exit code.
func execute(ctx context.Context, abort <-chan struct{}, args []string, stdout, stderr io.Writer) int {
	var line commandLine
	helped := false
	parser, err := kong.New(&line, kong.Name("knownbad"), kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.Description(fmt.Sprintf("Plays a scenario with Sarama %s, which is known to lose acknowledged records.", sarama147.Version())))
	if err == nil {
		_, err = parser.Parse(args)
	}
	if helped {
		return exitPass
	}
	var scenario *harness.Resolved
	if err == nil {
		scenario, err = harness.Load(line.Scenario, harness.Overrides{Set: line.Set, Expect: line.Expect, Env: os.LookupEnv})
	}
	if err == nil {
		err = prepare(line.Out)
	}
	if err != nil {
		fmt.Fprintf(stderr, "knownbad: %v\n", err)
		return exitMistake
	}
	result, err := line.play(ctx, abort, scenario, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "knownbad: run %s: %s\n", scenario.Name, scenario.Masked(err.Error()))
		return exitEnvironment
	}
	return exitOf(result.Verdict)
}

// prepare makes the folder for the results. It replaces no earlier run.
func prepare(folder string) error {
	if folder == "" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty: choose another folder", folder)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// play runs the scenario and delivers what it came to.
func (c commandLine) play(
	ctx context.Context, abort <-chan struct{}, scenario *harness.Resolved, stdout, stderr io.Writer,
) (*assertions.Result, error) {
	fmt.Fprintf(stderr, "%s with %s %s\n", scenario.Name, sarama147.Name, sarama147.Version())
	step := ""
	result, err := harness.Run(ctx, scenario, harness.Options{
		Producer: sarama147.New,
		Versions: map[string]string{sarama147.Name: sarama147.Version()},
		Progress: func(p harness.Progress) {
			if p.Step != step {
				step = p.Step
				fmt.Fprintln(stderr, step)
			}
		},
		Out:   c.Out,
		Abort: abort,
	})
	if err != nil {
		return nil, err
	}
	if err := c.show(stdout, result); err != nil {
		return nil, fmt.Errorf("write result: %w", err)
	}
	if c.Out == "" {
		return result, nil
	}
	return result, write(c.Out, scenario, result)
}

func (c commandLine) show(w io.Writer, result *assertions.Result) error {
	if c.JSON {
		return report.JSON(w, result)
	}
	return report.Text(w, result, report.Style{})
}

// write puts the result and the scenario beside the evidence, which the harness has written.
func write(folder string, scenario *harness.Resolved, result *assertions.Result) error {
	file, err := os.Create(filepath.Join(folder, "result.json"))
	if err != nil {
		return err
	}
	return errors.Join(
		report.JSON(file, result), file.Close(),
		os.WriteFile(filepath.Join(folder, "scenario.yaml"), scenario.YAML(), 0o644),
	)
}

// exitOf is the exit code of a verdict.
func exitOf(verdict assertions.Verdict) int {
	switch verdict {
	case assertions.Pass:
		return exitPass
	case assertions.Fail:
		return exitFail
	case assertions.Inconclusive:
		return exitInconclusive
	default:
		return exitEnvironment
	}
}
