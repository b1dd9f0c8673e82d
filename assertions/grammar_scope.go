package assertions

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// phases are the words that may follow during.
var phases = [...]string{"run", "stage", "fault", "anomaly"}

// reserved are the words of the grammar. None of them can be the name of a stage, fault, anomaly or fleet.
var reserved = [...]string{
	promised, "min", "mean", "max", "slope", "during", "outside", "faults", "within", "after",
	"run", "stage", "fault", "anomaly",
}

// CheckName says whether a stage, fault, anomaly or fleet may have this name.
func CheckName(name string) error {
	switch {
	case !wellFormed(name):
		return fmt.Errorf("want a name of lower-case letters, digits and dashes that begins with a letter, got %q", name)
	case slices.Contains(reserved[:], name):
		return fmt.Errorf("%q is a word of the expectation grammar and cannot be a name", name)
	default:
		return nil
	}
}

// wellFormed says whether a text matches [a-z][a-z0-9-]*.
func wellFormed(name string) bool {
	return name != "" && name[0] >= 'a' && name[0] <= 'z' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// parseScope reads the words after the limit.
func parseScope(words []string) (Scope, error) {
	if len(words) == 0 {
		return Scope{}, nil
	}
	var scope Scope
	var used int
	var err error
	switch words[0] {
	case "during":
		scope, used, err = parsePhase(words)
	case "outside":
		if len(words) < 2 || words[1] != "faults" {
			return Scope{}, fmt.Errorf(`want "outside faults", got %q`, strings.Join(words, " "))
		}
		scope, used = Scope{Kind: OutsideFaults}, 2
	case "within":
		scope, used, err = parseWithin(words)
	default:
		return Scope{}, &UnknownName{Kind: "scope", Got: words[0], Known: []string{"during", "outside", "within"}}
	}
	if err != nil {
		return Scope{}, err
	}
	if len(words) > used {
		return Scope{}, fmt.Errorf("want nothing after %q, got %q", scope, strings.Join(words[used:], " "))
	}
	return scope, nil
}

// parsePhase reads during run, during stage NAME, during fault NAME or during anomaly NAME.
func parsePhase(words []string) (Scope, int, error) {
	if len(words) < 2 {
		return Scope{}, 0, fmt.Errorf(`want "run", "stage NAME", "fault NAME" or "anomaly NAME" after "during", got nothing`)
	}
	switch {
	case !slices.Contains(phases[:], words[1]):
		return Scope{}, 0, &UnknownName{Kind: "phase", Got: words[1], Known: phases[:]}
	case words[1] == "run":
		return Scope{Kind: DuringRun}, 2, nil
	case len(words) < 3:
		return Scope{}, 0, fmt.Errorf(`want the name of the %s after "during %s", got nothing`, words[1], words[1])
	case !wellFormed(words[2]):
		return Scope{}, 0, CheckName(words[2])
	}
	return Scope{Kind: ScopeKind("during " + words[1]), Name: words[2]}, 3, nil
}

// parseWithin reads within 30s after fault NAME.
func parseWithin(words []string) (Scope, int, error) {
	const shape = `want "within DURATION after fault NAME", such as "within 30s after fault crash", got %q`
	if len(words) < 5 || words[2] != "after" || words[3] != "fault" {
		return Scope{}, 0, fmt.Errorf(shape, strings.Join(words, " "))
	}
	within, err := time.ParseDuration(words[1])
	switch {
	case err != nil || within <= 0:
		return Scope{}, 0, fmt.Errorf(
			`want a duration above zero with its unit (ns us ms s m h) after "within", such as 30s, got %q`, words[1])
	case !wellFormed(words[4]):
		return Scope{}, 0, CheckName(words[4])
	}
	return Scope{Kind: Within, Name: words[4], Within: within}, 5, nil
}
