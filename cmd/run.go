package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
	"github.com/fleetproof/fleetproof/harness/telemetry"
)

// overrides are the flags that change a scenario.
type overrides struct {
	Set    []string `sep:"none" placeholder:"PATH=VALUE" help:"Override a value, as in fleets.climate.devices=100. May be repeated."`
	Expect []string `sep:"none" placeholder:"EXPECTATION" help:"Expect something more, as in 'ack_latency.p99 < 50ms'. May be repeated."`
}

// load loads a scenario under the flags. Its client is one that there is.
func (o overrides) load(name string, w world) (*harness.Resolved, error) {
	scenario, err := harness.Load(name, harness.Overrides{Set: o.Set, Expect: o.Expect, Env: w.env})
	if err != nil {
		return nil, err
	}
	if _, err := scenario.Client(w.kinds); err != nil {
		return nil, err
	}
	return scenario, nil
}

// loadAll loads scenarios and returns those that are right. The error lists the mistakes of all others.
func (o overrides) loadAll(names []string, w world) ([]*harness.Resolved, error) {
	var scenarios []*harness.Resolved
	var mistakes harness.Mistakes
	for _, name := range names {
		scenario, err := o.load(name, w)
		var found harness.Mistakes
		switch {
		case err == nil:
			scenarios = append(scenarios, scenario)
		case errors.As(err, &found):
			mistakes = append(mistakes, found...)
		default:
			return scenarios, err
		}
	}
	if len(mistakes) > 0 {
		return scenarios, mistakes
	}
	return scenarios, nil
}

type runCommand struct {
	Files []string `arg:"" name:"file" help:"Scenario files, or names of shipped scenarios, to be played one after the other."`
	overrides
	AllowExternal bool          `name:"allow-external" help:"Let scenarios with an external broker create topics in that cluster, write to them and delete them."`
	Out           outFolder     `placeholder:"DIR" help:"Write result.json, junit.xml, evidence.json and the resolved scenario.yaml there; with several scenarios, into a folder for each. An earlier run in it is replaced."`
	JSON          bool          `name:"json" help:"Write the result as JSON instead of text, one document for each scenario."`
	Metrics       listenAddress `placeholder:"HOST:PORT" help:"Offer Prometheus metrics at http://HOST:PORT/metrics while running."`
	Quiet         bool          `help:"Show no progress."`
	CPUProfile    newFile       `name:"cpu-profile" placeholder:"FILE" help:"Write where the processor time of harness, client and embedded broker went, for go tool pprof."`
	HeapProfile   newFile       `name:"heap-profile" placeholder:"FILE" help:"Write what was in memory when the load ended, and all that was ever allocated, for go tool pprof."`
}

// Validate refuses flags that contradict each other, before anything else is done.
func (c runCommand) Validate() error {
	if c.CPUProfile != "" && filepath.Clean(string(c.CPUProfile)) == filepath.Clean(string(c.HeapProfile)) {
		return errors.New("--cpu-profile and --heap-profile are the same file: choose two")
	}
	return nil
}

// execute finds out everything that can be wrong before it starts anything, then plays one scenario after the other.
// Interrupted, it judges what was sent and leaves the rest.
func (c runCommand) execute(w world) (int, error) {
	console := newConsole(w, c.Quiet)
	interrupts := watchInterrupts(console.say)
	defer interrupts.stop()

	scenarios, err := c.loadAll(c.Files, w)
	if err != nil {
		return exitMistake, err
	}
	if err := c.allow(scenarios); err != nil {
		return exitMistake, err
	}
	metrics, server, err := c.serveMetrics(interrupts.ctx)
	if err != nil {
		return exitEnvironment, err
	}
	defer func() { _ = server.Close() }() // whatever ended it before has ended no run
	folders, code, err := prepareFolders(string(c.Out), scenarios)
	if err != nil {
		return code, err
	}
	profiles, err := startProfiles(c.CPUProfile, c.HeapProfile)
	if err != nil {
		return exitEnvironment, err
	}
	if server != nil {
		console.say("metrics: " + server.URL())
	}

	code = exitPass
	var summary []string
	for i, scenario := range scenarios {
		if interrupts.interrupted() {
			summary = append(summary, fmt.Sprintf("%-12s  %s", "not played", scenario.Name))
			continue
		}
		if i > 0 && !c.JSON {
			fmt.Fprintln(w.stdout)
		}
		result, err := harness.Run(interrupts.ctx, scenario, harness.Options{
			Producers: w.kinds,
			Versions:  map[string]string{"fleetproof": version()},
			Progress: func(p harness.Progress) {
				console.progress(p)
				if err := profiles.progress(p); err != nil {
					console.say("fleetproof: " + err.Error())
				}
			},
			Metrics:  metrics,
			Out:      folders.of(i),
			External: c.AllowExternal,
			Abort:    interrupts.abort,
		})
		console.clear()
		verdict := assertions.Error
		if result != nil { // also where only the clean-up failed: what was proven stands, beside that error
			verdict = result.Verdict
			err = errors.Join(err, c.deliver(w, c.Files[i], scenario, result, folders.of(i)))
		}
		if err != nil {
			console.say(fmt.Sprintf("fleetproof: run %s: %s", scenario.Name, scenario.Masked(err.Error())))
			code = worse(code, exitEnvironment)
		}
		code = worse(code, exitOf(verdict))
		summary = append(summary, fmt.Sprintf("%-12s  %s", verdict, scenario.Name))
	}
	if err := profiles.stop(); err != nil {
		console.say("fleetproof: write profiles: " + err.Error())
		code = worse(code, exitEnvironment)
	}
	if len(summary) > 1 && !c.JSON {
		written, err := w.print(fmt.Sprintf("\n%s\n", strings.Join(summary, "\n")))
		code = worse(code, written)
		if err != nil {
			console.say("fleetproof: " + err.Error())
		}
	}
	if interrupts.interrupted() {
		code = exitInterrupted
	}
	return code, nil
}

// allow wants the flag for every scenario that would write to somebody's cluster.
func (c runCommand) allow(scenarios []*harness.Resolved) error {
	var refused harness.Mistakes
	for _, scenario := range scenarios {
		var mistakes harness.Mistakes
		if errors.As(scenario.AllowExternal(c.AllowExternal), &mistakes) {
			refused = append(refused, mistakes...)
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

// serveMetrics starts to offer metrics where that was asked for. Where it was not, both are nil.
func (c runCommand) serveMetrics(ctx context.Context) (*telemetry.Metrics, *telemetry.Server, error) {
	if c.Metrics == "" {
		return nil, nil, nil
	}
	metrics := telemetry.New()
	server, err := metrics.Serve(ctx, string(c.Metrics))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: choose another --metrics, or port 0 for any that is free", err)
	}
	return metrics, server, nil
}

// deliver writes a result into its folder and shows it, also where it could not be written.
func (c runCommand) deliver(w world, name string, scenario *harness.Resolved, result *assertions.Result, folder string) error {
	var written error
	if folder != "" {
		written = report.WriteFolder(folder, scenario.YAML(), result)
	}
	return errors.Join(written, show(w, result, c.JSON, c.replay(name, result)))
}

// show writes a result to standard output.
func show(w world, result *assertions.Result, json bool, replay string) error {
	if json {
		return report.JSON(w.stdout, result)
	}
	return report.Text(w.stdout, result, report.Style{Colour: w.coloured(w.stdout), Replay: replay})
}

// replay is the command that plays the same records again.
func (c runCommand) replay(name string, result *assertions.Result) string {
	words := []string{"fleetproof", "run", name}
	for _, set := range c.Set {
		if !strings.HasPrefix(set, "seed=") {
			words = append(words, "--set", set)
		}
	}
	words = append(words, "--set", fmt.Sprintf("seed=%d", result.Seed))
	for _, expect := range c.Expect {
		words = append(words, "--expect", expect)
	}
	if c.AllowExternal {
		words = append(words, "--allow-external")
	}
	return quoted(words)
}

// quoted writes words so that a shell reads them back.
func quoted(words []string) string {
	line := make([]string, len(words))
	for i, word := range words {
		line[i] = word
		if word == "" || strings.ContainsFunc(word, special) {
			line[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(line, " ")
}

// special says whether a shell may give a character a meaning.
func special(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%", r)
}
