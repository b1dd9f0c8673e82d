package assertions

import "slices"

// Metric is a row of the closed table of what an expectation may be about.
type Metric struct {
	Name       string      // as an expectation writes it; NAME stands for the name of an anomaly or a fault
	Unit       string      // what a figure counts: records, s, B, ratio, records/s, …; a slope counts so many per hour
	Aggregates []Aggregate // one of them must be written; none where the metric is one figure
	Summary    string      // one line
	Doc        string      // several sentences: what exactly is counted, and what to know before relying on it

	kind   kind
	scopes reach
	timed  bool                                            // rests on the schedule having been kept
	figure func(*judge, phase, Expectation) (value, error) // what the evidence says in a phase
}

// metricOf finds a row by its name in the table.
func metricOf(name string) (Metric, error) {
	metrics := Metrics()
	i := slices.IndexFunc(metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, unknownMetric(name)
	}
	return metrics[i], nil
}

// takes says whether the metric has the aggregate.
func (m Metric) takes(a Aggregate) bool {
	if _, percentile := a.percentile(); percentile {
		return slices.Contains(m.Aggregates, Percentile)
	}
	return a != Percentile && slices.Contains(m.Aggregates, a)
}

// examples are aggregates of the metric that can be written, the usual one first.
func (m Metric) examples() []string {
	var examples []string
	for _, a := range m.Aggregates {
		if a == Percentile {
			examples = append(examples, "p99", "p50", "p90", "p99.9")
			continue
		}
		examples = append(examples, string(a))
	}
	return examples
}

// measure is what a figure of the metric counts.
func (m Metric) measure(a Aggregate) measure { return measure{kind: m.kind, slope: a == Slope} }

// unit is the unit of a figure of the metric.
func (m Metric) unit(a Aggregate) string {
	if a == Slope {
		return m.Unit + "/h"
	}
	return m.Unit
}

// reach says in which parts of the run a metric can be asked for.
type reach int

const (
	anywhere    reach = iota // the slices carry it
	stretches                // samples carry it: any stretch of time, but not second by second
	afterFaults              // it belongs to faults
	entirety                 // it is known for the whole run only
)

// Scopes lists the kinds of scope in which the metric can be asked for. Leaving the scope out is always possible.
func (m Metric) Scopes() []ScopeKind {
	switch m.scopes {
	case anywhere:
		return []ScopeKind{DuringRun, DuringStage, DuringFault, DuringAnomaly, OutsideFaults, Within}
	case stretches:
		return []ScopeKind{DuringRun, DuringStage, DuringFault, DuringAnomaly, OutsideFaults}
	case afterFaults:
		return []ScopeKind{DuringRun, DuringFault}
	default:
		return []ScopeKind{DuringRun}
	}
}

// refusal says why other scopes make no sense.
func (r reach) refusal() string {
	switch r {
	case stretches:
		return "the harness is sampled once a second, which is no measure of single seconds"
	case afterFaults:
		return "it belongs to a fault, so the only scope it takes is \"during fault NAME\""
	default:
		return "it is known for the whole run only"
	}
}
