package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// table writes one row for each scenario and client.
func table(w io.Writer, scenarios []play, all []client, runs []run) error {
	var text strings.Builder
	text.WriteString("| scenario | client | verdicts | records/s | p99 from due to ack, ms | CPU-s per million | unknown | promises |\n")
	text.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, p := range scenarios {
		for _, c := range all {
			mine := slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return r.play != p.name || r.kind != c.kind })
			if len(mine) == 0 {
				continue
			}
			latency := spread(mine, 1e3, 0, run.p99)
			if p.closed {
				latency = "–" // from when it was due, and most of it was never handed over
			}
			fmt.Fprintf(&text, "| %s | %s %s | %s | %s | %s | %s | %s | %s |\n", p.name, c.kind, mine[0].version, verdicts(mine),
				spread(mine, 1, 0, run.rate), latency, spread(mine, 1, 1, run.costs),
				spread(mine, 1, 0, func(r run) float64 { return float64(r.result.Counts["unknown"]) }), promises(mine))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// spread is the median of a figure over the rounds that have it, and in brackets the lowest and the highest.
func spread(runs []run, scale float64, digits int, figure func(run) float64) string {
	var values []float64
	for _, r := range runs {
		if value := figure(r) * scale; !math.IsNaN(value) {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return "–"
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + values[middle]) / 2
	}
	if values[0] == values[len(values)-1] {
		return grouped(median, digits)
	}
	return fmt.Sprintf("%s (%s–%s)", grouped(median, digits), grouped(values[0], digits), grouped(values[len(values)-1], digits))
}

// grouped is a number with its thousands apart.
func grouped(value float64, digits int) string {
	whole, fraction, _ := strings.Cut(fmt.Sprintf("%.*f", digits, value), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole
}

// verdicts counts them: 4 PASS, 1 FAIL.
func verdicts(runs []run) string {
	var parts []string
	for _, verdict := range []string{"PASS", "FAIL", "INCONCLUSIVE", "ERROR"} {
		n := 0
		for _, r := range runs {
			if r.result.Verdict == verdict {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verdict))
		}
	}
	return strings.Join(parts, ", ")
}

// promises says what was broken in any round, in how many rounds something promised was not proven, what was found that
// nobody had promised, and what was not promised at all. All are kept only where every promise was proven in every round.
func promises(runs []run) string {
	var parts []string
	if broken := found(runs, run.broke); len(broken) > 0 {
		parts = append(parts, "**broken**: "+strings.Join(broken, ", "))
	}
	if doubts := unproven(runs); doubts != "" {
		parts = append(parts, doubts)
	}
	if len(parts) == 0 {
		parts = append(parts, "all kept")
	}
	if seen := found(runs, func(r run, name string) bool { return !r.promised(name) }); len(seen) > 0 {
		parts = append(parts, "found, not promised: "+strings.Join(seen, ", "))
	}
	for _, name := range []string{"acked_lost", "duplicates", "reordered"} {
		if !slices.ContainsFunc(runs, func(r run) bool { return r.promised(name) }) {
			parts = append(parts, "no promise of "+name+" == 0")
		}
	}
	return strings.Join(parts, "; ")
}

// named is how many promises are named that were not proven: where there are more, it is the run that proves nothing.
const named = 3

// unproven says in how many rounds something was not proven, and what. It is empty where all was.
func unproven(runs []run) string {
	without := slices.DeleteFunc(slices.Clone(runs), run.proves)
	if len(without) == 0 {
		return ""
	}
	var names []string
	for _, r := range without {
		names = append(names, r.doubts()...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	text := fmt.Sprintf("not proven in %d of %d rounds", len(without), len(runs))
	if 0 < len(names) && len(names) <= named {
		text += ": " + strings.Join(names, ", ")
	}
	return text
}

// findings are what a run may find, the gravest first.
var findings = []string{
	"acked_lost", "duplicates", "reordered", "affinity_splits", "wrong_partition", "offset_mismatches", "failed_but_stored",
	"phantoms", "corrupt", "truncated",
}

// found says how often what was found, and in how many of the rounds, of those rounds in which it matters.
func found(runs []run, matters func(r run, name string) bool) []string {
	var all []string
	for _, name := range findings {
		with := slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return r.result.Counts[name] == 0 || !matters(r, name) })
		if len(with) > 0 {
			times := spread(with, 1, 0, func(r run) float64 { return float64(r.result.Counts[name]) })
			all = append(all, fmt.Sprintf("%s %s in %d of %d rounds", times, name, len(with), len(runs)))
		}
	}
	return all
}
