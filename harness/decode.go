package harness

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// decoder fills a scenario from its nodes. It is strict: a key that no field has, a value of another type and a missing
// value are mistakes, and all of them are collected. What may be absent follows from the type: pointers, slices, maps and
// texts, but for a text called name, and what is tagged omitempty, because only some kinds of the thing have it. Everything
// else must be given, by the scenario or by defaults.yaml.
type decoder struct {
	*collector
	found   map[string]*node // every value by its path
	unsound damage           // what is missing or of another type
	secrets []variable       // what texts took from the environment
}

// damage is the set of values about which nothing more can be said, by their paths.
type damage struct {
	at     map[string]bool // the values themselves
	within map[string]bool // what they lie in, at any depth
}

func newDamage() damage { return damage{at: map[string]bool{}, within: map[string]bool{}} }

func (d damage) add(path string) {
	d.at[path] = true
	for path != "" {
		path = parent(path)
		d.within[path] = true
	}
}

// touches says whether a value is in the set, or lies in one that is, or has one in it.
func (d damage) touches(path string) bool {
	if d.within[path] {
		return true
	}
	for ; path != ""; path = parent(path) {
		if d.at[path] {
			return true
		}
	}
	return d.at[""]
}

// optional says whether a scenario may leave a field out.
func optional(f reflect.StructField) bool {
	if strings.HasSuffix(f.Tag.Get("yaml"), ",omitempty") {
		return true
	}
	switch f.Type.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return true
	default:
		return f.Type == reflect.TypeFor[string]() && key(f) != "name"
	}
}

// key is the name of a field in a scenario file, empty for a field that is not part of it.
func key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// spoil notes a value that is missing or of another type. Rules about it are not held against it then.
func (d *decoder) spoil(n *node, path, problem, remedy string) {
	d.unsound.add(path)
	d.add(n.origin, path, problem, remedy)
}

// decode fills into from a node.
func (d *decoder) decode(n *node, into reflect.Value, path string) {
	d.found[path] = n
	if n.spoilt {
		d.unsound.add(path)
		return
	}
	if n.null {
		d.spoil(n, path, "has no value", "give it one, or remove the key")
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if _, isText := into.Addr().Interface().(encoding.TextUnmarshaler); !isText {
		switch into.Kind() {
		case reflect.Struct:
			d.structure(n, into, path)
			return
		case reflect.Map:
			d.mapping(n, into, path)
			return
		case reflect.Slice:
			d.list(n, into, path)
			return
		}
	}
	if n.kind != scalar {
		d.spoil(n, path, fmt.Sprintf("want %s, got %s", wanted(into.Type()), n.say()), "")
		return
	}
	if problem, remedy := d.scalar(n, into); problem != "" {
		d.spoil(n, path, problem, remedy)
	}
}

// structure fills a struct, and brings the node's fields into the order of the struct's.
func (d *decoder) structure(n *node, into reflect.Value, path string) {
	if n.kind != mapping {
		d.spoil(n, path, "want a mapping, got "+n.say(), "known: "+strings.Join(keysOf(into.Type()), ", "))
		return
	}
	ordered := make([]field, 0, len(n.fields))
	for _, f := range reflect.VisibleFields(into.Type()) {
		name := key(f)
		if name == "" {
			continue
		}
		i := slices.IndexFunc(n.fields, func(have field) bool { return have.key == name })
		if i < 0 {
			if !optional(f) {
				d.missing(n, f.Type, join(path, name))
			}
			continue
		}
		ordered = append(ordered, n.fields[i])
		d.decode(n.fields[i].value, into.FieldByIndex(f.Index), join(path, name))
	}
	names := keysOf(into.Type())
	for _, have := range n.fields {
		if !slices.Contains(names, have.key) {
			d.add(have.origin, join(path, have.key), "unknown key", suggest(have.key, names))
		}
	}
	n.fields = ordered
}

// missing notes a value that must be there, or, of a struct, each value in it that must be.
func (d *decoder) missing(n *node, t reflect.Type, path string) {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		d.spoil(n, path, "missing", "give "+wanted(t))
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		if name := key(f); name != "" && !optional(f) {
			d.missing(n, f.Type, join(path, name))
		}
	}
}

// keysOf lists what a struct may hold.
func keysOf(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name := key(f); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (d *decoder) mapping(n *node, into reflect.Value, path string) {
	if n.kind != mapping {
		d.spoil(n, path, "want a mapping of names, got "+n.say(), "")
		return
	}
	into.Set(reflect.MakeMapWithSize(into.Type(), len(n.fields)))
	for _, f := range n.fields {
		value := reflect.New(into.Type().Elem()).Elem()
		d.decode(f.value, value, join(path, f.key))
		into.SetMapIndex(reflect.ValueOf(f.key), value)
	}
}

func (d *decoder) list(n *node, into reflect.Value, path string) {
	if n.kind != list {
		d.spoil(n, path, "want a list, got "+n.say(), "write each item behind a dash, or all of them between brackets")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.decode(item, into.Index(i), index(path, i))
	}
}
