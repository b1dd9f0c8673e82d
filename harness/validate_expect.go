package harness

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// expectations parses every expectation and holds it against the scenario's names and setting.
func (v *validator) expectations() {
	names := assertions.Names{
		Stages:    namesOf(v.Load.Stages, func(s generator.Stage) string { return s.Name }),
		Faults:    namesOf(v.Faults, func(f fault.Spec) string { return f.Name }),
		Anomalies: namesOf(v.Anomalies, func(a generator.Anomaly) string { return a.Name }),
		Setting:   v.Setting(),
	}
	readable := v.named("load.stages", len(v.Load.Stages)) && v.named("faults", len(v.Faults)) &&
		v.named("anomalies", len(v.Anomalies)) && v.settled()
	for i, text := range v.Expect {
		path := index("expect", i)
		expectation, err := assertions.ParseExpectation(text)
		if err == nil && readable {
			err = expectation.Check(names)
		}
		if err != nil {
			problem, remedy := explain(err)
			if shown := v.found[path].shown; shown != "" {
				problem = shown + ": " + problem
			}
			v.told(path, problem, remedy)
		}
	}
}

// named says whether the names of all items of a list could be read.
func (v *validator) named(path string, items int) bool {
	for i := range items {
		if item := index(path, i); v.unread.at[item] || v.unread.touches(join(item, "name")) {
			return false
		}
	}
	return !v.unread.at[path] && !v.unread.at[parent(path)]
}

// settled says whether everything that the setting is made of could be read.
func (v *validator) settled() bool {
	return !slices.ContainsFunc([]string{"producer", "topic", "alerts", "faults"}, v.unread.touches)
}

// explain turns an error of the grammar into a problem and, for a word that is not known, what may have been meant.
func explain(err error) (problem, remedy string) {
	var unknown *assertions.UnknownName
	if !errors.As(err, &unknown) {
		return err.Error(), ""
	}
	problem = fmt.Sprintf("unknown %s %s", unknown.Kind, strconv.Quote(unknown.Got))
	if unknown.Of != "" {
		problem += " of " + unknown.Of
	}
	return problem, suggest(unknown.Got, unknown.Known)
}
