package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// states are the counts that are no findings.
var states = []string{"due", "sent", "acked", "failed", "unknown", "consumed", "unsent", "shed"}

// shownOffenders is how many offenders of a kind the text names; result.json has more.
const shownOffenders = 3

// Findings is the part of the text that says which promises records or devices broke, with the first offenders, for who
// shows the rest in another way. It is empty where none was broken.
func Findings(result *assertions.Result) string {
	t := text{result: result}
	t.findings()
	broken := slices.ContainsFunc(assertions.Metrics(), func(metric assertions.Metric) bool {
		return result.Counts[metric.Name] > 0 && !slices.Contains(states, metric.Name)
	})
	if !broken {
		return ""
	}
	return strings.TrimSpace(strings.Join(t.lines, "\n"))
}

// findings are the promises that records or devices broke, whether anybody had promised or not.
func (t *text) findings() {
	r := t.result
	var found, clean []assertions.Metric
	for _, metric := range assertions.Metrics() {
		n, counted := r.Counts[metric.Name]
		switch {
		case !counted || slices.Contains(states, metric.Name):
		case n > 0:
			found = append(found, metric)
		default:
			clean = append(clean, metric)
		}
	}
	if len(found)+len(clean) == 0 {
		return
	}
	t.section("FINDINGS")
	for _, metric := range found {
		t.finding(metric, r.Counts[metric.Name], r.Findings[metric.Name])
	}
	if len(clean) > 0 {
		names := make([]string, len(clean))
		for i, metric := range clean {
			names[i] = metric.Name
		}
		t.sentence("  none of ", strings.Join(names, ", "))
	}
}

// finding says what was found how often, and names the first offenders.
func (t *text) finding(metric assertions.Metric, n int64, offenders []assertions.OffenderResult) {
	line := fmt.Sprintf("  %s: %s – %s", metric.Name, count(n), metric.Summary)
	if !expected(t.result, metric.Name) {
		line += t.ink.dim(" (observed only: no expectation is about it)")
	}
	t.add(line)
	shown := offenders[:min(len(offenders), shownOffenders)]
	for _, offender := range shown {
		t.sentence("    ", t.offender(offender))
	}
	if more := n - int64(len(shown)); more > 0 && len(shown) > 0 {
		t.add(t.ink.dim(fmt.Sprintf("    and %s more", count(more))))
	}
}

// expected says whether some expectation is about a metric.
func expected(r *assertions.Result, metric string) bool {
	return slices.ContainsFunc(r.Expectations, func(j assertions.Judgement) bool {
		after, found := strings.CutPrefix(j.Expectation, metric)
		return found && strings.IndexAny(after, " .<>=!") == 0
	})
}

// offender says which record it was and where.
func (t *text) offender(o assertions.OffenderResult) string {
	var parts []string
	if o.Device != "" {
		who := o.Device
		if o.Sequence >= 0 {
			who += fmt.Sprintf(" #%d", o.Sequence)
		}
		parts = append(parts, who)
	}
	if o.Due != nil {
		parts = append(parts, "due "+due(*o.Due))
		if during := t.faultsAt(*o.Due); during != "" {
			parts = append(parts, during)
		}
	}
	if o.Partition >= 0 {
		place := fmt.Sprintf("partition %d", o.Partition)
		if o.Offset >= 0 {
			place += fmt.Sprintf(" offset %d", o.Offset)
		}
		parts = append(parts, place)
	}
	if o.Note != "" {
		parts = append(parts, o.Note)
	}
	return strings.Join(parts, ", ")
}

// faultsAt names the faults that were in effect at a moment, in seconds.
func (t *text) faultsAt(at float64) string {
	var names []string
	for _, f := range t.result.Faults {
		if f.InjectedAt != nil && at >= *f.InjectedAt && (f.HealedAt == nil || at < *f.HealedAt) {
			names = append(names, "during fault "+f.Name)
		}
	}
	return strings.Join(names, " and ")
}
