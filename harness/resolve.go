package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/scenarios"
)

// Resolved is a scenario that is complete and free of mistakes: what its file says, over the defaults, under the
// command line's overrides, with the environment's values in place.
type Resolved struct {
	Scenario
	File   string              // where it was read from
	Stated []assertions.Stated // Expect, each with where it was stated

	tree  *node             // the same as values, with their origins
	found map[string]*node  // the values of the tree by path
	mask  *strings.Replacer // hides what texts took from the environment
}

// Overrides is what the command line and the environment add to a scenario's file.
type Overrides struct {
	Set    []string                         // path=value; items of lists are addressed by name: fleets.climate.devices=100
	Expect []string                         // further expectations
	Env    func(name string) (string, bool) // looks up a variable for ${env:NAME}; nil: there is none
}

// defaultsFile is the name of the defaults in messages.
const defaultsFile = "scenarios/defaults.yaml"

// Load reads a scenario from a file, or a shipped one by its bare name, and resolves it. The error is Mistakes: all that
// is wrong with it, at once.
func Load(name string, overrides Overrides) (*Resolved, error) {
	file, text, err := read(name)
	if err != nil {
		return nil, Mistakes{*err}
	}
	return Parse(file, text, overrides)
}

// Parse resolves a scenario from its text. The file is only a name for messages.
func Parse(file string, text []byte, overrides Overrides) (*Resolved, error) {
	defaults, err := readDefaults()
	if err != nil {
		return nil, err
	}
	if bytes.Equal(text, defaults) { // as by a shell that was asked for scenarios/*.yaml
		c := &collector{}
		c.add(origin{file: file, line: 1, column: 1}, "", "is no scenario: these are the defaults, which lie under every one", "leave it out")
		return nil, c.mistakes
	}
	return resolve(file, text, defaults, overrides)
}

func readDefaults() ([]byte, error) {
	defaults, err := scenarios.Files.ReadFile(path.Base(defaultsFile))
	if err != nil {
		return nil, fmt.Errorf("read the defaults: %w", err)
	}
	return defaults, nil
}

// resolve makes a scenario of a text over the text of the defaults.
func resolve(file string, text, defaults []byte, overrides Overrides) (*Resolved, error) {
	c := &collector{}
	root := document(origin{file: file, line: 1, column: 1}, text, c)
	if root != nil {
		expand(root, "", overrides.environment(), c)
	}
	return complete(file, root, stated(overrides.Expect), c, defaults, overrides)
}

// document parses a text that must be a mapping, as scenarios are. It returns nil where it is none, with a mistake noted.
func document(at origin, text []byte, c *collector) *node {
	root := parse(at.file, text, c)
	if root != nil && root.kind != mapping {
		c.add(root.origin, "", "want a mapping of keys to values, got "+root.say(), "begin with version: 1")
		return nil
	}
	return root
}

// complete makes a scenario of its nodes, in which references to the environment have been replaced: over the defaults,
// under the overrides, with expectations added to its own. The collector has the mistakes so far. A root of nil is one of
// them.
func complete(file string, root *node, also []*node, c *collector, defaults []byte, overrides Overrides) (*Resolved, error) {
	under := parse(defaultsFile, defaults, c)
	if root == nil || under == nil {
		return nil, c.mistakes
	}
	root = merge(under.without("each"), root)
	for _, assignment := range overrides.Set {
		override(root, assignment, overrides.environment(), c)
	}
	if each := under.get("each"); each != nil {
		fill(root, each)
	}
	yield(root)
	suit(root)
	expectAlso(root, also)

	r := &Resolved{File: file, tree: root, found: map[string]*node{}}
	d := &decoder{collector: c, found: r.found, unsound: newDamage()}
	d.decode(root, reflect.ValueOf(&r.Scenario).Elem(), "")
	r.mask = newMask(d.secrets)
	r.finish()
	(&validator{collector: c, Resolved: r, unsound: d.unsound}).scenario()
	if len(c.mistakes) > 0 {
		for i, m := range c.mistakes {
			c.mistakes[i].Problem, c.mistakes[i].Remedy = r.Masked(m.Problem), r.Masked(m.Remedy)
		}
		c.mistakes.sort(file)
		return nil, c.mistakes
	}
	return r, nil
}

// environment is where variables are looked up.
func (o Overrides) environment() environment {
	if o.Env == nil {
		return func(string) (string, bool) { return "", false }
	}
	return o.Env
}

// stated makes nodes of the command line's expectations.
func stated(texts []string) []*node {
	nodes := make([]*node, len(texts))
	for i, text := range texts {
		nodes[i] = &node{origin: origin{file: "--expect"}, text: text, shown: text}
	}
	return nodes
}

// expectAlso adds expectations to the scenario's own.
func expectAlso(root *node, also []*node) {
	if len(also) == 0 {
		return
	}
	expect := root.get("expect")
	if expect == nil {
		expect = &node{kind: list, origin: also[0].origin}
		root.set("expect", also[0].origin, expect)
	}
	expect.items = append(expect.items, also...)
}

// finish derives what the decoder does not: where each expectation was stated, and texts that are only ever printed,
// which keep their references to the environment.
func (r *Resolved) finish() {
	if n := r.found["description"]; n != nil {
		r.Description = n.shown
	}
	for i := range r.Tags {
		r.Tags[i] = r.found[index("tags", i)].shown
	}
	for i, text := range r.Expect {
		r.Stated = append(r.Stated, assertions.Stated{Text: text, Origin: r.found[index("expect", i)].origin.String()})
	}
}

// read finds the text of a scenario: a shipped one by its bare name, any other by its path.
func read(name string) (file string, text []byte, wrong *Mistake) {
	bare := !strings.ContainsAny(name, `/\.`)
	if bare && slices.Contains(Shipped(), name) {
		text, err := scenarios.Files.ReadFile(name + ".yaml")
		if err == nil {
			return "scenarios/" + name + ".yaml", text, nil
		}
	}
	text, err := readFile(name)
	if err == nil {
		return name, text, nil
	}
	wrong = &Mistake{File: name, Problem: "cannot be read: " + cause(err)}
	shipped := strings.TrimSuffix(filepath.Base(name), ".yaml")
	switch {
	case bare:
		wrong.Problem = "is neither a file nor a shipped scenario"
		wrong.Remedy = suggest(name, Shipped())
	case slices.Contains(Shipped(), shipped):
		wrong.Remedy = "the shipped scenario is run by its bare name: " + shipped
	}
	return name, nil, wrong
}

// readFile reads a little more than the longest scenario: enough to see that a file is too long, however long it is.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

// cause is what the system says about a file, without the name of the file and of the call.
func cause(err error) string {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}

// Shipped lists the names of the scenarios that come with fleetproof, in order of the alphabet.
func Shipped() []string {
	names, _ := fs.Glob(scenarios.Files, "*.yaml") // the pattern is well-formed
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".yaml")
	}
	slices.Sort(names) // lost-acks before lost-acks-at-least-once, which the suffix had the other way round
	return slices.DeleteFunc(names, func(name string) bool { return name+".yaml" == path.Base(defaultsFile) })
}

// Client is the client that the scenario puts under test, out of those at hand. It gives Mistakes where none of them has
// the name that producer.kind gives.
func (r *Resolved) Client(kinds []producer.Kind) (producer.Kind, error) {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		if kind.Name == r.Producer.Kind {
			return kind, nil
		}
		names[i] = kind.Name
	}
	n := r.found["producer.kind"]
	return producer.Kind{}, Mistakes{{
		File: n.origin.file, Line: n.origin.line, Column: n.origin.column, Path: "producer.kind",
		Problem: "unknown client " + n.say(),
		Remedy:  suggest(n.shown, names),
	}}
}

// AllowExternal gives Mistakes where the scenario would write to the cluster of an external broker and may not. A scenario
// with another broker may be played anyway.
func (r *Resolved) AllowExternal(allowed bool) error {
	if allowed || r.Broker.Kind != broker.External {
		return nil
	}
	at := r.found["broker.kind"].origin
	return Mistakes{{
		File: at.file, Line: at.line, Column: at.column, Path: "broker.kind",
		Problem: fmt.Sprintf("the run would write to cluster %s at %s, and nobody said that it may", r.show("broker.cluster_id"), r.show("broker.bootstrap")),
		Remedy:  "say --allow-external if it may; plan shows what it would do",
	}}
}

// YAML writes the scenario with every value in place. It needs no defaults, and it loads into an equal scenario under the
// same environment: values from there are written as their references.
func (r *Resolved) YAML() []byte {
	return append([]byte("# Resolved from "+r.File+": complete, without defaults.\n"), toYAML(r.tree)...)
}
