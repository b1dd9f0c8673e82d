package features

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cucumber/godog"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
)

// Suite is what it takes to play features.
type Suite struct {
	// Godog says which features are played and how that is told: FS (nil: the file system), Paths (none: all of FS),
	// Tags, Format, Output, Concurrency, TestingT and so on. Strict is always on.
	Godog godog.Options

	Producers []producer.Kind   // as in harness.Options
	Versions  map[string]string // as in harness.Options
	External  bool              // as in harness.Options
	Overrides harness.Overrides // of every scenario, as the command line has them
	Out       string            // folder that receives a folder with result.json, junit.xml, evidence.json and scenario.yaml for each scenario; empty: nothing is written
}

// ErrNoScenario is returned where no scenario is among the paths and has the tags. It must not count as passed.
var ErrNoScenario = errors.New("no scenario matches: nothing was proven")

// Check says what would keep Run from playing anything, ErrNoScenario among it. Nothing is started.
func (s Suite) Check() error {
	_, _, err := s.prepare()
	return err
}

// prepare completes the options and reads the features.
func (s Suite) prepare() (*playing, godog.Options, error) {
	options := s.Godog
	if err := checkTags(options.Tags); err != nil { // godog would misread them, or not survive it
		return nil, options, err
	}
	if len(options.FeatureContents) > 0 {
		return nil, options, errors.New("features are read from files: give them in Godog.FS")
	}
	if options.FS == nil {
		options.FS = system{}
	}
	if len(options.Paths) == 0 {
		options.Paths = []string{"."}
	}
	if options.Format == "" {
		options.Format = "pretty"
	}
	p, err := s.open(options)
	return p, options, err
}

// Run plays the features, once each. The error says what kept them from being played, and then nothing was, or which
// scenarios did not pass. Under Godog.TestingT each of them is a subtest too.
func (s Suite) Run(ctx context.Context) error {
	p, options, err := s.prepare()
	if err != nil {
		return err
	}
	options.Strict, options.DefaultContext = true, ctx
	if s.Out != "" {
		if err := os.MkdirAll(s.Out, 0o755); err != nil {
			return fmt.Errorf("make the folder of the results: %w", err)
		}
	}
	defer keepEnvironment()()
	status := godog.TestSuite{Name: "fleetproof", ScenarioInitializer: p.initialize, Options: &options}.Run()
	switch {
	case len(p.failed) > 0:
		return p.failure()
	case status != 0:
		return fmt.Errorf("play features: godog ended with status %d", status)
	default:
		return nil
	}
}

// Initialize teaches godog the steps, for its command: it lists them, and plays features through Run.
func (s Suite) Initialize(scenario *godog.ScenarioContext) {
	(&playing{Suite: s, book: newBook()}).initialize(scenario)
}

// playing is a suite being played.
type playing struct {
	Suite
	book      book
	files     fs.FS
	places    map[string]lines // of the nodes of all features
	scenarios int

	mutex  sync.Mutex
	failed []failure           // scenarios that did not pass
	taken  map[string]struct{} // folders of results
}

// open reads the features, as godog will read them again, and refuses those of which godog would leave something out.
func (s Suite) open(options godog.Options) (*playing, error) {
	p := &playing{Suite: s, book: newBook(), files: options.FS, places: map[string]lines{}, taken: map[string]struct{}{}}
	tags := options.Tags
	options.Tags = ""
	all, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	if err != nil {
		return nil, unreadable(err)
	}
	options.Tags = tags
	tagged, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	if err != nil {
		return nil, unreadable(err)
	}
	for _, feature := range tagged {
		p.scenarios += len(feature.Pickles)
	}
	var mistakes harness.Mistakes
	var read []string
	for _, feature := range all {
		file, _, _ := strings.Cut(feature.Uri, ".feature:") // of one scenario: without its line
		feature.Uri = strings.TrimSuffix(file, ".feature") + ".feature"
		read = append(read, feature.Uri)
		mistakes = append(mistakes, p.book.examine(feature.GherkinDocument, feature.Content, p.places)...)
		mistakes = append(mistakes, p.uncallable(feature.Pickles)...)
	}
	mistakes = append(mistakes, empty(options, read)...)
	switch {
	case len(mistakes) > 0:
		return nil, mistakes
	case p.scenarios == 0 && tags != "":
		return nil, fmt.Errorf("tags %q: %w", tags, ErrNoScenario)
	case p.scenarios == 0:
		return nil, fmt.Errorf("%s: %w", strings.Join(options.Paths, ", "), ErrNoScenario)
	default:
		return p, nil
	}
}

// uncallable finds the steps that lack the doc string without which godog cannot call them. It would say so in terms of Go.
func (p *playing) uncallable(scenarios []*godog.Scenario) harness.Mistakes {
	var mistakes harness.Mistakes
	for _, scenario := range scenarios {
		for _, step := range scenario.Steps {
			found, _, known := p.book.read(step.Text)
			if !known || !found.takes || step.Argument != nil && step.Argument.DocString != nil {
				continue
			}
			at := p.places[step.AstNodeIds[0]].at
			mistakes = append(mistakes, mistakeAt(at, fmt.Sprintf("%q needs a doc string of YAML below it", step.Text), ""))
		}
	}
	return mistakes
}

// empty finds the features of which godog reads nothing. That their folders can be read, it has found out itself.
func empty(options godog.Options, read []string) harness.Mistakes {
	var mistakes harness.Mistakes
	for _, folder := range options.Paths {
		_ = fs.WalkDir(options.FS, folder, func(file string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(file, ".feature") && !slices.Contains(read, file) {
				mistakes = append(mistakes, mistakeAt(harness.Place{File: file, Line: 1, Column: 1},
					"no scenario in it is played", "begin one with Scenario and a colon, and give an outline a row of examples"))
			}
			return err
		})
	}
	return mistakes
}

// system is the file system, by the names that it knows itself.
type system struct{}

// Open opens a file, behind the byte order mark with which some editors begin one: to the parser it would be a text.
func (system) Open(name string) (fs.File, error) {
	const mark = "\ufeff"
	file, err := os.Open(name)
	if err != nil || !strings.HasSuffix(name, ".feature") {
		return file, err
	}
	first := make([]byte, len(mark))
	if n, _ := io.ReadFull(file, first); string(first[:n]) == mark {
		return file, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// parserLine is how the parser begins each of its complaints.
var parserLine = regexp.MustCompile(`(?m)^\((\d+:\d+)\): `)

// unreadable writes what the parser complains of as mistakes are written, file:line:column first.
func unreadable(err error) error {
	file, complaints, found := strings.Cut(err.Error(), " - Parser errors:\n")
	if !found {
		return fmt.Errorf("read features: %w", err)
	}
	return errors.New(parserLine.ReplaceAllString(strings.TrimSpace(complaints), file+":$1: is no valid Gherkin: "))
}

// keepEnvironment undoes what godog does to the environment, which scenarios may take values from.
func keepEnvironment() (restore func()) {
	before := map[string]string{}
	names := []string{"GODOG_SEED", "GODOG_TESTED_PACKAGE"}
	for _, name := range names {
		if value, found := os.LookupEnv(name); found {
			before[name] = value
		}
	}
	return func() {
		for _, name := range names {
			if value, found := before[name]; found {
				_ = os.Setenv(name, value) // it was there under this name
			} else {
				_ = os.Unsetenv(name)
			}
		}
	}
}

// initialize prepares godog for one scenario.
func (p *playing) initialize(scenario *godog.ScenarioContext) {
	for _, s := range p.book {
		if s.takes {
			scenario.Step(s.pattern.plain(), func(ctx context.Context, _ *godog.DocString) (context.Context, error) { return p.step(ctx) })
			continue
		}
		scenario.Step(s.pattern.plain(), p.step)
	}
	scenario.Before(p.begin)
	scenario.StepContext().Before(func(ctx context.Context, step *godog.Step) (context.Context, error) {
		return context.WithValue(ctx, stepKey{}, step.Id), nil
	})
	scenario.After(p.end)
}

type (
	sceneKey struct{} // of the scenario being played, in its context
	stepKey  struct{} // of the number of the step being taken
)

// begin reads the whole scenario before anything of it is played.
func (p *playing) begin(ctx context.Context, pickle *godog.Scenario) (context.Context, error) {
	one := &scene{playing: p, script: p.book.script(pickle, p.places, p.files)}
	one.resolve()
	if one.script.unread { // godog takes such a step for one that is still to be written
		return ctx, one.mistakes
	}
	one.folder = p.folder(pickle.Name)
	return context.WithValue(ctx, sceneKey{}, one), nil
}

// folder is where a scenario's results go, each into its own.
func (p *playing) folder(title string) string {
	if p.Out == "" {
		return ""
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var names []string
	for name := range p.taken {
		names = append(names, name)
	}
	const longest = 80 // of a name, well below what file systems take
	name := label(title)
	name = harness.Unused(name[:min(longest, len(name))], names)
	p.taken[name] = struct{}{}
	return filepath.Join(p.Out, name)
}

func (p *playing) step(ctx context.Context) (context.Context, error) {
	one, _ := ctx.Value(sceneKey{}).(*scene)
	id, _ := ctx.Value(stepKey{}).(string)
	if one == nil {
		return ctx, errors.New("play features: use Suite.Run")
	}
	return one.step(ctx, one.script.steps[id])
}

// end remembers who did not pass.
func (p *playing) end(ctx context.Context, pickle *godog.Scenario, err error) (context.Context, error) {
	if err != nil {
		node := pickle.AstNodeIds[len(pickle.AstNodeIds)-1] // an outline's row
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.failed = append(p.failed, failure{p.places[node].at, pickle.Name})
	}
	return ctx, nil
}

// failure is a scenario that did not pass.
type failure struct {
	at   harness.Place
	name string
}

// failure lists who did not pass, in the order of the features.
func (p *playing) failure() error {
	slices.SortFunc(p.failed, func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.at.File, b.at.File), cmp.Compare(a.at.Line, b.at.Line))
	})
	text := fmt.Sprintf("%d of %d scenarios did not pass:", len(p.failed), p.scenarios)
	for _, f := range p.failed {
		text += fmt.Sprintf("\n  %s: %s", f.at, f.name)
	}
	return errors.New(text)
}
