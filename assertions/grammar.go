package assertions

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Expectation is one parsed line of a scenario's expect section:
//
//	expectation = "promised" | metric [ "." aggregate ] op quantity [ scope ]
//
// Two expectations that mean the same in the same words are equal (==).
type Expectation struct {
	Promised  bool      // the word promised: everything else is zero then
	Metric    string    // the row of the metric table: acked_lost, anomalies.NAME.detected
	Name      string    // the anomaly or fault that stands for NAME in Metric
	Aggregate Aggregate // empty where the metric takes none
	Op        Op
	Limit     Quantity
	Scope     Scope
}

// Aggregate says which figure of many is meant: min, mean, max, slope, or a percentile such as p99.9.
type Aggregate string

// The aggregates. A percentile is written as p and a number between 0 and 100; the metric table lists it as pN.
const (
	Min        Aggregate = "min"
	Mean       Aggregate = "mean"
	Max        Aggregate = "max"
	Slope      Aggregate = "slope" // per hour
	Percentile Aggregate = "pN"
)

// percentile reads p99.9 as 99.9. Only what lies strictly between 0 and 100 is a percentile.
func (a Aggregate) percentile() (float64, bool) {
	digits, found := strings.CutPrefix(string(a), "p")
	if !found || !decimal(digits) {
		return 0, false
	}
	percent, err := strconv.ParseFloat(digits, 64)
	return percent, err == nil && percent > 0 && percent < 100
}

// Op compares what was got, on its left, with the limit on its right.
type Op string

// The operators.
const (
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Equal        Op = "=="
	NotEqual     Op = "!="
)

var operators = [...]string{"<", "<=", ">", ">=", "==", "!="}

// badness orders figures by how far they are from meeting the limit: the largest is the worst.
func (o Op) badness(got, limit float64) float64 {
	switch o {
	case Less, LessEqual:
		return got
	case Greater, GreaterEqual:
		return -got
	case NotEqual:
		return -math.Abs(got - limit)
	default:
		return math.Abs(got - limit)
	}
}

// holds says whether every value between low and high meets the limit, and whether all of them agree on the answer.
// Where they do not, the answer is not certain.
func (o Op) holds(low, high, limit float64) (met, certain bool) {
	switch o {
	case Less:
		return high < limit, high < limit || low >= limit
	case LessEqual:
		return high <= limit, high <= limit || low > limit
	case Greater:
		return low > limit, low > limit || high <= limit
	case GreaterEqual:
		return low >= limit, low >= limit || high < limit
	case NotEqual:
		met, certain = Equal.holds(low, high, limit)
		return certain && !met, certain
	default:
		met = low == limit && high == limit
		return met, met || limit < low || limit > high
	}
}

// Quantity is a number with its unit.
type Quantity struct {
	Value float64 // in base units: seconds, bytes, records, a share as 0…1
	Text  string  // as it was written: 250ms
}

// Scope is the part of the run that an expectation looks at.
type Scope struct {
	Kind   ScopeKind
	Name   string        // of the stage, fault or anomaly
	Within time.Duration // for Within: how long after healing
}

// ScopeKind names a kind of scope.
type ScopeKind string

// The kinds of scope. Everywhere is what an expectation means that names no scope: the judged stages for latencies and
// rates, the whole run for counters and findings.
const (
	Everywhere    ScopeKind = ""
	DuringRun     ScopeKind = "during run" // the same as Everywhere, said aloud
	DuringStage   ScopeKind = "during stage"
	DuringFault   ScopeKind = "during fault"
	DuringAnomaly ScopeKind = "during anomaly"
	OutsideFaults ScopeKind = "outside faults"
	Within        ScopeKind = "within"
)

// String writes the scope as a scenario does.
func (s Scope) String() string {
	switch s.Kind {
	case DuringStage, DuringFault, DuringAnomaly:
		return string(s.Kind) + " " + s.Name
	case Within:
		return fmt.Sprintf("within %s after fault %s", short(s.Within), s.Name)
	default:
		return string(s.Kind)
	}
}

// short writes 1m0s as 1m and 2h0m0s as 2h, as people do.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// String writes the expectation so that ParseExpectation gives the same again.
func (e Expectation) String() string {
	if e.Promised {
		return promised
	}
	text := e.subject() + " " + string(e.Op) + " " + e.Limit.Text
	if e.Scope.Kind != Everywhere {
		text += " " + e.Scope.String()
	}
	return text
}

// subject is what the expectation is about: the metric by its full name, with its aggregate.
func (e Expectation) subject() string {
	name := strings.Replace(e.Metric, placeholder, e.Name, 1)
	if e.Aggregate != "" {
		name += "." + string(e.Aggregate)
	}
	return name
}

const (
	promised    = "promised"
	placeholder = "NAME" // in a metric's name: stands for the name of an anomaly or a fault
)

// UnknownName says that a word is none of a closed set. A caller with more room may offer the nearest of Known.
type UnknownName struct {
	Kind  string   // metric, aggregate, operator, unit, scope, phase, stage, fault, anomaly
	Of    string   // what the word belongs to, where it matters: the metric of an aggregate or a unit
	Got   string   // the word
	Known []string // the set
}

// Error lists the set.
func (u *UnknownName) Error() string {
	kind := "unknown " + u.Kind + " " + strconv.Quote(u.Got)
	if u.Of != "" {
		kind += " of " + u.Of
	}
	if len(u.Known) == 0 {
		return kind + ": there is none"
	}
	return kind + "; known: " + strings.Join(u.Known, " ")
}
