package harness

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// merge lays a value over its default: mappings are merged key by key, everything else replaces what is under it.
func merge(under, over *node) *node {
	if under == nil || under.kind != mapping || over.kind != mapping {
		return over
	}
	merged := &node{kind: mapping, origin: over.origin, fields: slices.Clone(under.fields)}
	for _, f := range over.fields {
		merged.set(f.key, f.origin, merge(merged.get(f.key), f.value))
	}
	return merged
}

// fill merges the defaults of what a scenario may have many of, or none: every fleet, every stage, the alerts if there
// are any. Each key of each is the path of such a thing, with * for the items of a list or the values of a mapping.
func fill(root, each *node) {
	for _, f := range each.fields {
		fillAt(root, strings.Split(f.key, "."), f.value)
	}
}

func fillAt(n *node, path []string, under *node) {
	if path[0] == "*" {
		for i := range n.fields {
			n.fields[i].value = merge(under, n.fields[i].value)
		}
		for i := range n.items {
			n.items[i] = merge(under, n.items[i])
		}
		return
	}
	for i, f := range n.fields {
		if f.key != path[0] {
			continue
		}
		if len(path) == 1 {
			n.fields[i].value = merge(under, f.value)
		} else {
			fillAt(f.value, path[1:], under)
		}
	}
}

// override sets one value: fleets.climate.devices=100. Items of a list are addressed by their name. The value is YAML,
// so that a whole list may be given: tags=[smoke].
func override(root *node, assignment string, variables environment, c *collector) {
	at := origin{file: "--set " + assignment}
	path, text, found := strings.Cut(assignment, "=")
	if !found || path == "" {
		c.add(at, "", "want path=value", "write --set fleets.climate.devices=100")
		return
	}
	value := parseValue(at, text, c)
	if value == nil {
		return
	}
	expand(value, path, variables, c)
	put(root, at, path, value, c)
}

// put gives the value at a path another one. What leads there and is not there yet is made.
func put(root *node, at origin, path string, value *node, c *collector) {
	n, keys := root, split(path)
	for i, key := range keys {
		done, last := strings.Join(keys[:i], "."), i == len(keys)-1
		switch n.kind {
		case scalar:
			c.add(at, done, "is a single value: nothing lies within it", "set it as a whole")
			return
		case mapping:
			if last {
				n.set(key, at, value)
				return
			}
			if n.get(key) == nil {
				n.set(key, at, &node{kind: kindOf(append(keys[:i:i], key)), origin: at})
			}
			n = n.get(key)
		case list:
			place, names := named(n, key)
			if place < 0 {
				c.add(at, done, "has no item named "+key, suggest(key, names))
				return
			}
			if last {
				n.items[place] = value
				return
			}
			n = n.items[place]
		}
	}
}

// kindOf says what the language has at the path of something that holds more: a list or a mapping.
func kindOf(keys []string) nodeKind {
	t := reflect.TypeFor[Scenario]()
	for _, name := range keys {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return mapping
		}
		i := slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return key(f) == name })
		if i < 0 {
			return mapping
		}
		t = reflect.VisibleFields(t)[i].Type
	}
	if t.Kind() == reflect.Slice {
		return list
	}
	return mapping
}

// split takes a path apart. The settings of a broker have dots in their names.
func split(path string) []string {
	if setting, found := strings.CutPrefix(path, "broker.config."); found {
		return []string{"broker", "config", setting}
	}
	return strings.Split(path, ".")
}

// named finds the item of a list that has a name, as it is or as it was written, and says which names there are.
func named(n *node, name string) (place int, names []string) {
	place = -1
	for i, item := range n.items {
		label := item.get("name")
		if label == nil || label.kind != scalar {
			continue
		}
		if (label.text == name || label.shown == name) && place < 0 {
			place = i
		}
		names = append(names, label.shown)
	}
	return place, names
}

// parseValue reads a value from its text. Every node of it has the same origin.
func parseValue(at origin, text string, c *collector) *node {
	if strings.TrimSpace(text) == "" {
		return &node{origin: at, null: true}
	}
	inner := &collector{}
	value := parse(at.file, []byte(text), inner)
	for _, mistake := range inner.mistakes {
		c.add(at, mistake.Path, mistake.Problem, mistake.Remedy)
	}
	if value == nil {
		return nil
	}
	value.walk("", func(_ string, n *node) {
		n.origin = at
		for i := range n.fields {
			n.fields[i].origin = at
		}
	})
	return value
}

// yield settles the defaults that are written "up to 3": they yield to another number that they must not exceed, so that
// a scenario with a single broker need not speak of replication.
func yield(root *node) {
	for _, pair := range [][2]string{
		{"topic.replication_factor", "broker.brokers"},
		{"topic.min_insync_replicas", "topic.replication_factor"},
	} {
		n, bound := lookup(root, pair[0]), lookup(root, pair[1])
		if n == nil || n.origin.file != defaultsFile {
			continue
		}
		digits, yields := strings.CutPrefix(n.text, "up to ")
		if !yields {
			continue
		}
		n.text = digits
		if bound != nil {
			number, err := strconv.Atoi(digits)
			limit, bad := strconv.Atoi(bound.text)
			if err == nil && bad == nil && limit >= 1 {
				n.text = strconv.Itoa(min(number, limit))
			}
		}
		n.shown = n.text
	}
}

// suit takes the defaults of a broker of another kind out: they are neither shown nor held against the scenario.
func suit(root *node) {
	kind := lookup(root, "broker.kind")
	if kind == nil || !slices.Contains(broker.Kind("").Known(), kind.text) {
		return
	}
	has := broker.Kind(kind.text).Fields()
	spec := root.get("broker")
	spec.fields = slices.DeleteFunc(spec.fields, func(f field) bool {
		return f.value.origin.file == defaultsFile && !slices.Contains(has, f.key)
	})
}

// lookup finds a value by the keys that lead to it, nil where there is none.
func lookup(n *node, path string) *node {
	for _, key := range strings.Split(path, ".") {
		if n = n.get(key); n == nil {
			return nil
		}
	}
	return n
}
