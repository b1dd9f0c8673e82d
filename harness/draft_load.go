package harness

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// burst is a stretch of another load within the load.
type burst struct {
	where  Place
	at     time.Duration
	length time.Duration
	rate   string
	name   string
}

// Burst puts a stage into the load that begins at a moment. It takes its time out of the stage it falls into, which goes
// on afterwards, or, where it begins when the load ends, is one more stage. Durations and rate are written as in a stage.
func (d *Draft) Burst(where Place, at, length, rate, name string) {
	from, wrong := time.ParseDuration(at)
	long, bad := time.ParseDuration(length)
	if wrong != nil || bad != nil {
		d.Mistake(where, fmt.Sprintf("want durations with their units, such as 200ms, 5s or 1m30s, got %q and %q", at, length), "")
		return
	}
	d.bursts = append(d.bursts, burst{where: where, at: from, length: long, rate: rate, name: name})
}

// place finds the stage that a burst falls into and splits it. Stages that cannot be read are mistakes already.
func (d *Draft) place(b burst) {
	stages := lookup(d.root, "load.stages")
	if stages == nil {
		stages = &node{kind: list, origin: b.where.origin()}
	}
	if stages.kind != list {
		return
	}
	var from time.Duration
	for i, stage := range stages.items {
		length, err := time.ParseDuration(scalarAt(stage, "for"))
		if err != nil {
			return
		}
		to := from + length
		if b.at >= to {
			from = to
			continue
		}
		end, name := b.at+b.length, scalarAt(stage, "name")
		switch {
		case scalarAt(stage, "ramp") == "linear":
			d.Mistake(b.where, fmt.Sprintf("the burst falls into stage %s, which ramps", name), "let it begin where a stage holds its rate")
			return
		case end > to:
			d.Mistake(b.where, fmt.Sprintf("the burst ends at %s, after stage %s, into which it falls and which ends at %s", written(end), name, written(to)),
				"let it end with that stage or before")
			return
		}
		_, names := named(stages, "")
		pieces := []*node{b.stage(b.name, b.length)}
		if b.at > from {
			pieces = slices.Insert(pieces, 0, b.piece(stage, name, b.at-from))
			name = Unused(name, names)
		}
		if end < to {
			pieces = append(pieces, b.piece(stage, name, to-end))
		}
		stages.items = slices.Replace(stages.items, i, i+1, pieces...)
		return
	}
	if b.at > from {
		d.Mistake(b.where, fmt.Sprintf("the burst begins at %s, and the load ends at %s", written(b.at), written(from)), "let it begin with the end or before")
		return
	}
	stages.items = append(stages.items, b.stage(b.name, b.length))
	put(d.root, b.where.origin(), "load.stages", stages, &d.collector)
}

// End ends the load at a moment, in the middle of a stage or between two. Faults and anomalies end with it, and those that
// would have come later do not come. Nor does a repetition of a fault that would have been under way.
func (d *Draft) End(where Place, at string) {
	moment, err := time.ParseDuration(at)
	if err != nil || moment <= 0 {
		d.Mistake(where, fmt.Sprintf("want a moment within the load, such as 2s, got %q", at), "")
		return
	}
	d.end = &ending{where: where, at: moment}
}

// ending is where the load is ended.
type ending struct {
	where Place
	at    time.Duration
}

// cut ends the load. What cannot be read is a mistake already.
func (d *Draft) cut(e ending) {
	stages := lookup(d.root, "load.stages")
	if stages == nil || stages.kind != list {
		return
	}
	var from time.Duration
	for i, stage := range stages.items {
		length, err := time.ParseDuration(scalarAt(stage, "for"))
		if err != nil {
			return
		}
		if e.at > from+length {
			from += length
			continue
		}
		if e.at == from+length && i == len(stages.items)-1 {
			break
		}
		if e.at < from+length && scalarAt(stage, "ramp") == "linear" {
			d.Mistake(e.where, fmt.Sprintf("the shutdown falls into stage %s, which ramps", scalarAt(stage, "name")), "let it come where a stage holds its rate")
			return
		}
		e.shorten(stage, e.at-from)
		stages.items = stages.items[:i+1]
		e.within(d.root.get("faults"))
		e.within(d.root.get("anomalies"))
		return
	}
	d.Mistake(e.where, fmt.Sprintf("the shutdown after %s must come before the load ends", written(e.at)), "")
}

// within ends what is under way at the end, and takes out what would come later.
func (e ending) within(items *node) {
	if items == nil {
		return
	}
	items.items = slices.DeleteFunc(slices.Clone(items.items), func(item *node) bool {
		at, err := time.ParseDuration(scalarAt(item, "at"))
		if err != nil {
			return false
		}
		length, err := time.ParseDuration(scalarAt(item, "for"))
		if err == nil && at < e.at && at+length > e.at {
			e.shorten(item, e.at-at)
		}
		e.fewer(item.get("repeat"), e.at-at-length)
		return at >= e.at
	})
}

// fewer leaves out the repetitions of a fault that are not over at the end, which comes so long after the first is. How
// many fit where none are counted shows when the scenario is resolved.
func (e ending) fewer(repeat *node, left time.Duration) {
	if repeat == nil {
		return
	}
	every, err := time.ParseDuration(scalarAt(repeat, "every"))
	times, wrong := strconv.Atoi(scalarAt(repeat, "times"))
	if err != nil || wrong != nil || every <= 0 {
		return
	}
	if fit := 1 + int(max(0, left)/every); fit < times {
		at, text := e.where.origin(), strconv.Itoa(fit)
		repeat.set("times", at, &node{origin: at, text: text, shown: text})
	}
}

func (e ending) shorten(item *node, length time.Duration) {
	at := e.where.origin()
	item.set("for", at, &node{origin: at, text: written(length), shown: written(length)})
}

// stage is the burst itself.
func (b burst) stage(name string, length time.Duration) *node {
	n := &node{kind: mapping, origin: b.where.origin()}
	for _, f := range [][2]string{{"name", name}, {"for", written(length)}, {"rate", b.rate}} {
		n.set(f[0], n.origin, &node{origin: n.origin, text: f[1], shown: f[1]})
	}
	return n
}

// piece is a part of the stage that the burst falls into: the same in all but name and length.
func (b burst) piece(stage *node, name string, length time.Duration) *node {
	part := *stage
	part.fields = slices.Clone(stage.fields)
	at := b.where.origin()
	part.set("name", at, &node{origin: at, text: name, shown: name})
	part.set("for", at, &node{origin: at, text: written(length), shown: written(length)})
	return &part
}

// scalarAt is the text of a single value in a mapping, empty where there is none.
func scalarAt(n *node, key string) string {
	if value := n.get(key); value != nil && value.kind == scalar {
		return value.text
	}
	return ""
}

// Unused is the name itself, or, where it is among names, the first of name-2, name-3, … that is not.
func Unused(name string, names []string) string {
	free := name
	for n := 2; slices.Contains(names, free); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}
