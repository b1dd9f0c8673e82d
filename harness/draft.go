package harness

import "slices"

// Place is where something was written.
type Place struct {
	File         string
	Line, Column int // from 1
}

// String writes file:line.
func (p Place) String() string { return p.origin().String() }

func (p Place) origin() origin { return origin{file: p.File, line: p.Line, column: p.Column} }

// Draft is a scenario that something other than a YAML file puts together, value by value: every value keeps the place
// where it was written, also in mistakes and in the plan. A value is given as YAML, at a path as --set takes it. What is
// wrong with it is told by Resolve, all at once.
//
// It is laid over the defaults, decoded and checked exactly as a file is, so that both come to the same scenario where
// they say the same.
type Draft struct {
	collector
	at     Place
	root   *node
	based  bool // on whole scenarios, to whose expectations others are added
	claims []*node
	bursts []burst
	end    *ending // nil: the load is played to its end
}

// NewDraft begins a scenario that is written in a file, from a line on.
func NewDraft(at Place) *Draft {
	return &Draft{at: at, root: &node{kind: mapping, origin: at.origin()}}
}

// Load lays a whole scenario over what there is: a file, or a shipped one by its bare name. Its values keep their own
// places.
func (d *Draft) Load(at Place, name string) {
	file, text, wrong := read(name)
	if wrong != nil {
		d.Mistake(at, "the scenario "+wrong.File+" "+wrong.Problem, wrong.Remedy)
		return
	}
	d.Base(file, text)
}

// Base lays a whole scenario over what there is, from its text. The file is only a name for messages.
func (d *Draft) Base(file string, text []byte) {
	d.based = true
	d.Lay(Place{File: file, Line: 1, Column: 1}, text)
}

// Lay lays YAML that begins at a place over what there is, as scenarios lie over the defaults: mappings are merged key by
// key, everything else replaces what is under it.
func (d *Draft) Lay(at Place, text []byte) {
	shift := func(o *origin) {
		o.line += at.Line - 1
		o.column += at.Column - 1
	}
	inner := &collector{}
	over := document(at.origin(), text, inner)
	for _, m := range inner.mistakes {
		o := origin{line: m.Line, column: m.Column}
		shift(&o)
		d.add(origin{file: at.File, line: o.line, column: o.column}, m.Path, m.Problem, m.Remedy)
	}
	if over == nil {
		return
	}
	over.walk("", func(_ string, n *node) {
		shift(&n.origin)
		for i := range n.fields {
			shift(&n.fields[i].origin)
		}
	})
	d.root = merge(d.root, over)
}

// Set gives the value at a path another one, as --set does.
func (d *Draft) Set(at Place, path, value string) {
	if n := parseValue(at.origin(), value, &d.collector); n != nil {
		put(d.root, at.origin(), path, n, &d.collector)
	}
}

// Add adds an item to the list at a path, or replaces the one that has its name.
func (d *Draft) Add(at Place, path, item string) {
	n := parseValue(at.origin(), item, &d.collector)
	if n == nil {
		return
	}
	if lookup(d.root, path) == nil {
		put(d.root, at.origin(), path, &node{kind: list, origin: at.origin()}, &d.collector)
	}
	items := lookup(d.root, path)
	if items == nil || items.kind != list {
		return // what is there instead is a mistake of its own
	}
	if name := n.get("name"); name != nil {
		if place, _ := named(items, name.text); place >= 0 {
			items.items[place] = n
			return
		}
	}
	items.items = append(items.items, n)
}

// Names lists the names of the items of the list at a path.
func (d *Draft) Names(path string) []string {
	items := lookup(d.root, path)
	if items == nil || items.kind != list {
		return nil
	}
	_, names := named(items, "")
	return names
}

// Text is the single value at a path, so far, or by default.
func (d *Draft) Text(path string) string {
	n := lookup(d.root, path)
	if defaults, err := readDefaults(); n == nil && err == nil {
		n = lookup(parse(defaultsFile, defaults, &collector{}), path)
	}
	if n == nil {
		return ""
	}
	return n.text
}

// Expect adds an expectation. They are added to those of a scenario that was loaded, or else they are all there are.
func (d *Draft) Expect(at Place, expectation string) {
	d.claims = append(d.claims, &node{origin: at.origin(), text: expectation, shown: expectation})
}

// Mistake notes something that is wrong and that Resolve cannot see.
func (d *Draft) Mistake(at Place, problem, remedy string) { d.add(at.origin(), "", problem, remedy) }

// Resolve completes the scenario, once. The error is Mistakes: all that is wrong with it.
func (d *Draft) Resolve(overrides Overrides) (*Resolved, error) {
	defaults, err := readDefaults()
	if err != nil {
		return nil, err
	}
	expand(d.root, "", overrides.environment(), &d.collector)
	for _, b := range d.bursts {
		d.place(b)
	}
	if d.end != nil {
		d.cut(*d.end)
	}
	for i, claim := range d.claims {
		expand(claim, index("expect", i), overrides.environment(), &d.collector)
	}
	also := slices.Concat(d.claims, stated(overrides.Expect))
	if stated := d.root.get("expect"); stated == nil && !d.based && len(d.claims) > 0 {
		d.root.set("expect", d.claims[0].origin, &node{kind: list, origin: d.claims[0].origin})
	}
	return complete(d.at.File, d.root, also, &d.collector, defaults, overrides)
}
