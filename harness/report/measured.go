package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// faults are the lives of the faults.
func (t *text) faults() {
	if len(t.result.Faults) == 0 {
		return
	}
	t.section("FAULTS")
	lives := table{
		head:  []string{"FAULT", "DOES", "INJECTED", "PROVEN", "HEALED", "RESUMED", "TOUCHED"},
		wraps: 6, notes: 1, right: map[int]bool{2: true, 3: true, 4: true, 5: true},
	}
	for faults := t.result.Faults; len(faults) > 0; {
		again := faults[:1]
		for len(again) < len(faults) && faults[len(again)].Repetition > 1 {
			again = faults[:len(again)+1]
		}
		faults = faults[len(again):]
		if len(again) > 1 {
			lives.rows = append(lives.rows, repeated(again))
			continue
		}
		f := again[0]
		r := row{cells: []string{
			f.Name, f.Do + " " + f.Target,
			moment(f.InjectedAt), moment(f.ProvenAt), moment(f.HealedAt), moment(f.ResumedAt),
			strings.TrimSpace(count(f.Hits) + " " + f.Proof),
		}}
		switch {
		case f.InjectedAt == nil:
			r.paint, r.note = yellow, "it was never injected: the run proves nothing about it"
		case !f.Proven:
			r.paint, r.note = yellow, "no effect of it was seen: the run proves nothing about it"
		case f.HealedAt == nil:
			r.paint, r.note = alarm, "its healing was never proven"
		case f.ResumedAt == nil:
			r.paint, r.note = yellow, "no record handed over after the healing was acknowledged"
		}
		lives.rows = append(lives.rows, r)
	}
	t.add(lives.lines(t.ink)...)
}

// everywhere are the latencies that are shown for every phase: what users and the cluster feel. The others say where
// time was spent, which the run as a whole tells well enough.
var everywhere = []string{"ack_latency", "e2e_latency"}

// latencies are the percentiles of the run, and of every phase where it matters.
func (t *text) latencies() {
	percentiles := table{
		head:  []string{"LATENCY", "PHASE", "COUNT", "P50", "P90", "P99", "P99.9", "MAX"},
		wraps: 1, right: map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true, 7: true},
	}
	var run assertions.Latency // of the metric at hand
	before := ""
	for _, l := range t.result.Latencies {
		if l.Phase == "run" {
			run = l
		}
		if l.Count == 0 || l.Phase != "run" && (!slices.Contains(everywhere, l.Metric) || same(l, run)) {
			continue
		}
		metric := l.Metric
		if metric == before {
			metric = ""
		}
		before = l.Metric
		percentiles.rows = append(percentiles.rows, row{cells: []string{
			metric, l.Phase, count(l.Count),
			quantile(l, l.P50), quantile(l, l.P90), quantile(l, l.P99), quantile(l, l.P999), quantile(l, l.Max),
		}})
	}
	if len(percentiles.rows) == 0 {
		return
	}
	t.section("LATENCIES")
	t.add(percentiles.lines(t.ink)...)
	if t.result.StallLimit > 0 {
		t.sentence("  ", fmt.Sprintf("pauses of this machine of up to %s (oracle.stall_limit) count as latency; the longest seen was %s",
			Human(t.result.StallLimit, "s"), Human(t.result.LongestPause, "s")))
	}
}

// same says whether a phase is no other than the whole run, as the only stage is.
func same(l, run assertions.Latency) bool {
	l.Phase = run.Phase
	return l == run
}

// longest is the longest latency that is measured, in seconds.
const longest = 3600

// quantile writes one figure of a latency. What was longer than could be measured is not shown as if it had been.
func quantile(l assertions.Latency, value float64) string {
	if l.Beyond > 0 && value >= longest {
		return "> 1h"
	}
	return Human(value, "s")
}
