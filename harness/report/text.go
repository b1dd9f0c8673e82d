package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// Style says how the text looks.
type Style struct {
	Colour bool   // ANSI colours, for a terminal
	Replay string // the command that plays the run again; empty: unknown
}

// Text writes the report that a person reads: the verdict and what it rests on first, then what was found, done and
// measured. No line is wider than 100 columns, names of the scenario aside. The error is the writer's.
func Text(w io.Writer, result *assertions.Result, style Style) error {
	t := text{result: result, ink: ink{colour: style.Colour}}
	t.headline()
	t.expectations()
	t.findings()
	t.faults()
	t.latencies()
	t.counts()
	t.errors()
	t.footer(style.Replay)
	_, err := io.WriteString(w, strings.Join(t.lines, "\n")+"\n")
	return err
}

// text is a report being written.
type text struct {
	result *assertions.Result
	ink    ink
	lines  []string
}

func (t *text) add(lines ...string) { t.lines = append(t.lines, lines...) }

func (t *text) section(title string) { t.add("", t.ink.bold(title)) }

// sentence adds a text, broken into lines, behind a mark. Lines that it has already, such as those of a broker's log, stay
// lines.
func (t *text) sentence(mark, words string) {
	for line := range strings.SplitSeq(words, "\n") {
		for _, piece := range Wrap(line, columns-len([]rune(mark))) {
			t.add(mark + piece)
			mark = strings.Repeat(" ", len([]rune(mark)))
		}
	}
}

// headline says what the run came to, and why where no expectation says it.
func (t *text) headline() {
	r := t.result
	verdict := t.ink.as(paintOf(r.Verdict), r.Verdict.String())
	t.add(fmt.Sprintf("%s  %s: %s", verdict, t.ink.bold(r.Scenario), conclusion(r)))
	if r.Interrupted {
		t.sentence("  • ", interrupted)
	}
	for _, reason := range r.Reasons {
		t.sentence("  • ", reason)
	}
}

// interrupted says what an interruption means for the verdict.
const interrupted = "the run was interrupted: what had been sent by then was read back and judged"

// conclusion is the verdict in words.
func conclusion(r *assertions.Result) string {
	var by [assertions.Error + 1]int
	for _, judgement := range r.Expectations {
		by[judgement.Verdict]++
	}
	all := len(r.Expectations)
	switch {
	case r.Verdict == assertions.Error:
		return "the run itself went wrong, so it proves nothing"
	case by[assertions.Fail] > 0 && by[assertions.Inconclusive] > 0:
		return fmt.Sprintf("%d of %s failed, %d could not be decided", by[assertions.Fail], expectations(all), by[assertions.Inconclusive])
	case by[assertions.Fail] > 0:
		return fmt.Sprintf("%d of %s failed", by[assertions.Fail], expectations(all))
	case by[assertions.Inconclusive] > 0:
		return fmt.Sprintf("nothing failed, but %d of %s could not be decided", by[assertions.Inconclusive], expectations(all))
	case r.Verdict == assertions.Inconclusive:
		return "nothing failed, but the run proves too little"
	case all == 0:
		return "nothing was expected"
	case all == 1:
		return "the one expectation holds"
	default:
		return fmt.Sprintf("all %s hold", expectations(all))
	}
}

func expectations(n int) string {
	if n == 1 {
		return "1 expectation"
	}
	return fmt.Sprintf("%d expectations", n)
}

// expectations is the verdict table.
func (t *text) expectations() {
	if len(t.result.Expectations) == 0 {
		return
	}
	verdicts := table{
		head:  []string{"VERDICT", "EXPECTATION", "GOT", "LIMIT", "SAMPLES"},
		wraps: 1, notes: 1, right: map[int]bool{2: true, 3: true, 4: true},
	}
	for _, j := range t.result.Expectations {
		got, limit := sideBySide(j)
		r := row{
			cells: []string{j.Verdict.String(), j.Expectation, got, limit, count(j.Samples)},
			paint: paintOf(j.Verdict),
		}
		if j.Verdict != assertions.Pass {
			r.note = because(j)
		}
		verdicts.rows = append(verdicts.rows, r)
	}
	t.add("")
	t.add(verdicts.lines(t.ink)...)
}

// because says where an expectation was stated and why it did not pass.
func because(j assertions.Judgement) string {
	switch {
	case j.Origin == "":
		return j.Reason
	case j.Reason == "":
		return j.Origin
	default:
		return j.Origin + ": " + j.Reason
	}
}

// counts are the records by state, as the sums that have to add up.
func (t *text) counts() {
	c := t.result.Counts
	if len(c) == 0 {
		return
	}
	t.section("RECORDS")
	sums := table{wraps: 2, right: map[int]bool{1: true}}
	sums.rows = append(sums.rows,
		row{cells: []string{"due", count(c["due"]), fmt.Sprintf("= %s sent + %s shed + %s unsent",
			count(c["sent"]), count(c["shed"]), count(c["unsent"]))}},
		row{cells: []string{"sent", count(c["sent"]), fmt.Sprintf("= %s acked + %s failed + %s unknown",
			count(c["acked"]), count(c["failed"]), count(c["unknown"]))}},
		row{cells: []string{"consumed", count(c["consumed"]), "read back by another client"}},
	)
	t.add(sums.lines(t.ink)...)
}

// errors are the client's own words about what it did not acknowledge, the most frequent first.
func (t *text) errors() {
	if len(t.result.Errors) == 0 {
		return
	}
	t.section("ERRORS")
	said := table{head: []string{"RECORDS", "STATE", "THE CLIENT SAID"}, wraps: 2, right: map[int]bool{0: true}}
	often := slices.SortedStableFunc(slices.Values(t.result.Errors), func(a, b assertions.ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	for _, e := range often[:min(len(often), shownErrors)] {
		said.rows = append(said.rows, row{cells: []string{count(e.Count), e.State, cmp.Or(e.Text, "something else each time")}})
	}
	t.add(said.lines(t.ink)...)
	if more := len(often) - shownErrors; more > 0 {
		t.add(t.ink.dim(fmt.Sprintf("  and %d more", more)))
	}
}

// shownErrors is how many texts of errors are shown; result.json has more.
const shownErrors = 10

// footer says which run it was, on what, and how to see it again.
func (t *text) footer(replay string) {
	r := t.result
	t.add("", strings.Join([]string{
		"run " + r.Run, fmt.Sprintf("seed %d", r.Seed), r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), "took " + took(r.Duration),
	}, " · "))
	var versions []string
	for _, name := range versionNames(r) {
		version := r.Versions[name]
		if !strings.HasPrefix(version, name) { // Go's own begins with go
			version = name + " " + version
		}
		versions = append(versions, version)
	}
	if len(versions) > 0 {
		t.sentence("", strings.Join(versions, " · "))
	}
	if replay != "" {
		t.add("replay: " + replay)
	}
}

// versionNames lists what took part: the harness, the client it put under test, and what they ran on.
func versionNames(r *assertions.Result) []string {
	const client = "" // whatever it is called
	order := []string{"fleetproof", client, "broker", "go"}
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return slices.Index(order, client)
	}
	names := slices.Sorted(maps.Keys(r.Versions))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return names
}
