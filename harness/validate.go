package harness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
)

// validator holds a scenario against the rules between its values. It looks at every value that the decoder could read,
// so that the author learns of all mistakes at once, and keeps silent about those that are mistaken already. Each part
// has its own file: the fleet, the load, Kafka, its brokers, the expectations.
type validator struct {
	*collector
	*Resolved
	unsound damage // what could not be read, or broke a rule
	unread  damage // the former alone
}

// rule is one condition that must hold: for the value at a path, or, with others, between it and them.
type rule struct {
	holds   bool
	path    string
	problem string // the value that was found is added to it
	remedy  string
	others  []string
}

// check notes the first rule that does not hold, unless a value it is about could not be read. Later rules may rest on
// earlier ones.
func (v *validator) check(rules ...rule) {
	for _, r := range rules {
		if r.holds || !v.sound(append(r.others, r.path)...) {
			continue
		}
		problem := r.problem
		if n := v.found[r.path]; n != nil && n.kind == scalar {
			problem += ", got " + n.legible()
		}
		v.add(v.origin(append([]string{r.path}, r.others...)...), r.path, problem, r.remedy)
		v.unsound.add(r.path)
		return
	}
}

// wrong notes a mistake that needs no rule. Where the value is a default, it stands where the others were written.
func (v *validator) wrong(path, problem, remedy string, others ...string) {
	if v.sound(path) {
		v.add(v.origin(append([]string{path}, others...)...), path, problem, remedy)
		v.unsound.add(path)
	}
}

// sound says whether the values at all these paths, what they lie in and what lies in them could be read, and keep to the
// rules so far.
func (v *validator) sound(paths ...string) bool {
	return !slices.ContainsFunc(paths, v.unsound.touches)
}

// origin is where the first of the paths was written that is not a default: there the author has to change something.
// What is absent counts as written where the value begins that should hold it.
func (v *validator) origin(paths ...string) origin {
	var first *node
	for _, path := range paths {
		for v.found[path] == nil {
			path = parent(path)
		}
		n := v.found[path]
		if n.origin.file != defaultsFile {
			return n.origin
		}
		if first == nil {
			first = n
		}
	}
	return first.origin
}

// scenario checks everything.
func (v *validator) scenario() {
	v.unread = damage{at: maps.Clone(v.unsound.at), within: maps.Clone(v.unsound.within)}
	v.check(rule{v.Version == 1, "version", "must be 1", "", nil})
	v.label("name", v.Name)
	for i := range v.Tags {
		at := index("tags", i)
		v.label(at, v.found[at].text)
	}
	v.kafka()
	v.fleet()
	v.load()
	v.anomalies()
	v.faults()
	v.expectations()
	v.caps()
	if len(v.mistakes) == 0 && len(v.Anomalies) > 0 {
		v.placed()
	}
}

// placed checks that every anomaly selects some device, which only a fleet without mistakes can tell.
func (v *validator) placed() {
	fleet := generator.New(v.Generator())
	for i, anomaly := range v.Anomalies {
		if v.selected(fleet, anomaly) == 0 {
			v.wrong(join(index("anomalies", i), "where"), "selects no device", "devices are spread evenly: there are fewer of them than places")
		}
	}
}

// longest bounds every duration, so that none can overflow in a sum.
const longest = 30 * 24 * time.Hour

// between checks a duration against its bounds.
func (v *validator) between(path string, d, least, most time.Duration) {
	v.check(
		rule{d >= least, path, "must be at least " + written(least), "", nil},
		rule{d <= most, path, "must be at most " + written(most), "", nil},
	)
}

// written writes a duration as people do: 720h, not 720h0m0s.
func written(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// from1 checks a number of things.
func (v *validator) from1(path string, n, most int) {
	v.check(
		rule{n >= 1, path, "must be at least 1", "", nil},
		rule{n <= most, path, fmt.Sprintf("must be at most %d", most), "", nil},
	)
}

var labelPattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// label checks the shape of a name that expectations never speak of.
func (v *validator) label(path, name string) {
	v.check(rule{labelPattern.MatchString(name), path, "must be lower-case letters, digits and dashes, beginning with a letter", "", nil})
}

// names checks the names of a list's items: that expectations can speak of them, and that each is used once.
func (v *validator) names(path string, names []string) {
	for i, name := range names {
		at := join(index(path, i), "name")
		if err := assertions.CheckName(name); err != nil {
			v.told(at, err.Error(), "")
		} else if first := slices.Index(names, name); first < i {
			v.wrong(at, "is the name of "+index(path, first)+" too", "names tell items apart: choose another one")
		}
	}
}

// told notes a mistake in the words of another package, which end in what was got. A value from the environment is told
// as its reference instead.
func (v *validator) told(path, problem, remedy string, others ...string) {
	if n := v.found[path]; n != nil && len(n.env) > 0 {
		problem, _, _ = strings.Cut(problem, ", got ")
		problem, remedy = n.mask(problem)+", got "+n.legible(), n.mask(remedy)
	}
	v.wrong(path, problem, remedy, others...)
}

// namesOf collects the names of items.
func namesOf[T any](items []T, name func(T) string) []string {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = name(item)
	}
	return names
}
