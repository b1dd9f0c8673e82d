package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// This file is the only one that knows the YAML library: it turns text into nodes and nodes into text.

const (
	// maxFile bounds a scenario file. The largest sensible one is a few kilobytes.
	maxFile = 1 << 20

	// maxNodes bounds what a file's aliases may blow it up to.
	maxNodes = 20_000

	// maxDepth bounds how deep values may lie within each other; the language needs five levels.
	maxDepth = 50
)

// parse turns the text of a file into its nodes. It returns nil, with at least one mistake noted, where the text is not
// exactly one YAML document.
func parse(file string, text []byte, c *collector) *node {
	top := origin{file: file, line: 1, column: 1}
	if len(text) > maxFile {
		c.add(top, "", "is larger than 1 MiB", "a scenario is a page or two of YAML")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, next yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		c.add(top, "", "is empty", "a scenario needs at least version, name, fleets and load")
		return nil
	} else if err != nil {
		c.add(blame(file, text, err), "", "is no valid YAML: "+reason(err), remedy(reason(err)))
		return nil
	}
	root := (&converter{collector: c, file: file}).convert(document.Content[0], "")
	if err := decoder.Decode(&next); err == nil {
		c.add(origin{file: file, line: next.Line, column: next.Column}, "", "a second YAML document begins", "one file holds one scenario: move it to a file of its own")
	} else if !errors.Is(err, io.EOF) {
		c.add(blame(file, text, err), "", "is no valid YAML: "+reason(err), remedy(reason(err)))
	}
	return root
}

// complaint takes the library's messages apart: the line, where there is one, and what is wrong.
var complaint = regexp.MustCompile(`(?s)^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// reason is the library's message without its prefix and without its line, which is often another one.
func reason(err error) string { return complaint.FindStringSubmatch(err.Error())[2] }

// maxBlamed is the length of a file up to which the line of a syntax error is searched for. It takes some 20 readings.
const maxBlamed = 64 << 10

// blame finds the line of a syntax error. The library names the line at which the enclosing construct began, if any; the
// true one is the first line with which the text, cut off after it, fails in the same way.
func blame(file string, text []byte, err error) origin {
	if len(text) > maxBlamed {
		line, _ := strconv.Atoi(complaint.FindStringSubmatch(err.Error())[1])
		return origin{file: file, line: max(1, line), column: 1}
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	first := sort.Search(len(lines)-1, func(n int) bool {
		return syntax(bytes.Join(lines[:n+1], nil)) == err.Error()
	})
	line := lines[first]
	return origin{file: file, line: first + 1, column: 1 + len(line) - len(bytes.TrimLeft(line, " "))}
}

// syntax is the message of the first syntax error in a text, empty where there is none.
func syntax(text []byte) string {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return ""
		} else if err != nil {
			return err.Error()
		}
	}
}

// converter turns the library's nodes into ours, refusing what the language does not have.
type converter struct {
	*collector
	file  string
	nodes int
	open  []*yaml.Node // what is being converted, outermost first: an alias to one of these would never end
}

// convert returns nil where the node cannot be told, with a mistake noted.
func (c *converter) convert(from *yaml.Node, path string) *node {
	n := &node{origin: origin{file: c.file, line: from.Line, column: from.Column}}
	if c.nodes++; c.nodes > maxNodes {
		if c.nodes == maxNodes+1 {
			c.add(n.origin, path, fmt.Sprintf("more than %d values, with what the aliases stand for", maxNodes), "write less, and without aliases")
		}
		return nil
	}
	if from.Style&yaml.TaggedStyle != 0 {
		c.add(n.origin, path, fmt.Sprintf("the tag %s has no meaning here", from.Tag), "remove it")
		return nil
	}
	if len(c.open) == maxDepth {
		c.add(n.origin, path, fmt.Sprintf("is nested deeper than %d levels", maxDepth), "")
		return nil
	}
	if from.Kind == yaml.AliasNode && slices.Contains(c.open, from.Alias) {
		c.add(n.origin, path, "an alias holds itself", "write the values out")
		return nil
	}
	c.open = append(c.open, from)
	defer func() { c.open = c.open[:len(c.open)-1] }()

	switch from.Kind {
	case yaml.AliasNode:
		return c.convert(from.Alias, path)
	case yaml.SequenceNode:
		n.kind = list
		for i, item := range from.Content {
			if c.nodes > maxNodes {
				break
			}
			if value := c.convert(item, index(path, i)); value != nil {
				n.items = append(n.items, value)
			}
		}
	case yaml.MappingNode:
		n.kind = mapping
		lines := map[string]int{}
		for i := 0; i < len(from.Content) && c.nodes <= maxNodes; i += 2 {
			c.field(n, from.Content[i], from.Content[i+1], path, lines)
		}
	default:
		n.text, n.shown = from.Value, from.Value
		n.quoted = from.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		n.null = from.Tag == "!!null"
	}
	return n
}

// field adds one key and its value to a mapping. lines are those of the keys so far.
func (c *converter) field(n *node, key, value *yaml.Node, path string, lines map[string]int) {
	at := origin{file: c.file, line: key.Line, column: key.Column}
	switch {
	case key.Tag == "!!merge":
		c.add(at, join(path, "<<"), "merge keys have no meaning here", "write the fields out")
		return
	case key.Kind != yaml.ScalarNode:
		c.add(at, path, "a key must be a single word", "")
		return
	}
	path = join(path, key.Value)
	if line := lines[key.Value]; line > 0 {
		c.add(at, path, fmt.Sprintf("duplicate key, already given in line %d", line), "keep one of the two")
		return
	}
	lines[key.Value] = key.Line
	if converted := c.convert(value, path); converted != nil {
		n.fields = append(n.fields, field{key: key.Value, origin: at, value: converted})
	}
}

// toYAML writes a node as YAML. Values from the environment are written as their references.
func toYAML(n *node) []byte {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	// Neither can fail: the nodes came from valid YAML, and a buffer takes everything.
	_ = encoder.Encode(n.yaml())
	_ = encoder.Close()
	return text.Bytes()
}

// yaml turns a node back into the library's.
func (n *node) yaml() *yaml.Node {
	switch n.kind {
	case mapping:
		to := &yaml.Node{Kind: yaml.MappingNode}
		if len(n.fields) == 0 {
			to.Style = yaml.FlowStyle
		}
		for _, f := range n.fields {
			to.Content = append(to.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.key}, f.value.yaml())
		}
		return to
	case list:
		to := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range n.items {
			if item.kind != scalar || strings.Contains(item.shown, " ") {
				to.Style = 0 // one item a line
			}
			to.Content = append(to.Content, item.yaml())
		}
		return to
	default:
		to := &yaml.Node{Kind: yaml.ScalarNode, Value: n.shown}
		if n.quoted {
			to.Tag = "!!str"
		}
		return to
	}
}
