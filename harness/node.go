package harness

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// node is one value of a scenario file: what it says and where that stands. Files are merged, overridden and expanded
// as nodes, so that every value keeps its origin until it is decoded, and beyond.
type node struct {
	kind   nodeKind
	origin origin

	text   string     // of a scalar, with its references to the environment replaced
	shown  string     // of a scalar, as it was written: the only form that may be printed
	quoted bool       // a scalar in quotes, or a block scalar: a text, whatever it looks like
	null   bool       // a scalar that stands for nothing
	spoilt bool       // a scalar whose references lead nowhere: the mistake is noted
	env    []variable // of the environment, that a scalar took its text from

	fields []field // of a mapping, in the order of the file
	items  []*node // of a list
}

type nodeKind int

const (
	scalar nodeKind = iota
	mapping
	list
)

// field is one key of a mapping with its value.
type field struct {
	key    string
	origin origin // of the key
	value  *node
}

// origin is where something was written. Line and column count from 1 and are 0 where there is no file.
type origin struct {
	file         string
	line, column int
}

// String writes file:line, or the file alone where there are no lines.
func (o origin) String() string {
	if o.line == 0 {
		return o.file
	}
	return fmt.Sprintf("%s:%d", o.file, o.line)
}

// get is the value of a key of a mapping, nil where there is none.
func (n *node) get(key string) *node {
	for _, f := range n.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// set gives a key of a mapping a value, in its old place or at the end.
func (n *node) set(key string, at origin, value *node) {
	for i, f := range n.fields {
		if f.key == key {
			n.fields[i] = field{key: key, origin: at, value: value}
			return
		}
	}
	n.fields = append(n.fields, field{key: key, origin: at, value: value})
}

// without is a mapping with all keys but one.
func (n *node) without(key string) *node {
	rest := &node{kind: n.kind, origin: n.origin}
	for _, f := range n.fields {
		if f.key != key {
			rest.fields = append(rest.fields, f)
		}
	}
	return rest
}

// say describes what was found, for a message that wanted something else. A value from the environment is described by
// its reference.
func (n *node) say() string {
	switch {
	case n.kind == mapping:
		return "a mapping"
	case n.kind == list:
		return "a list"
	case n.null:
		return "nothing"
	default:
		return fmt.Sprintf("%q", n.shown)
	}
}

// from writes where a value came from, as the plan shows it.
func (n *node) from() string {
	if len(n.env) == 0 {
		return n.origin.String()
	}
	text := "environment"
	for _, v := range n.env {
		text += " " + v.name
	}
	return text + ", " + n.origin.String()
}

// mask replaces, in a text about a scalar, what the scalar took from the environment by the references to it.
func (n *node) mask(text string) string {
	if mask := newMask(n.env); mask != nil {
		return mask.Replace(text)
	}
	return text
}

// legible is a scalar as it was written, in quotes where nobody could see it otherwise.
func (n *node) legible() string {
	if strings.TrimSpace(n.shown) != n.shown || n.shown == "" || strings.ContainsFunc(n.shown, unicode.IsControl) {
		return strconv.Quote(n.shown)
	}
	return n.shown
}

// walk visits a node and all below it, with their paths.
func (n *node) walk(path string, visit func(path string, n *node)) {
	visit(path, n)
	for _, f := range n.fields {
		f.value.walk(join(path, f.key), visit)
	}
	for i, item := range n.items {
		item.walk(index(path, i), visit)
	}
}

// join and index build the paths under which messages name values: fleets[0].devices.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// parent is the path of what a value lies in.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
