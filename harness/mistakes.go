package harness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with a scenario, where it stands and what to do about it.
type Mistake struct {
	File   string // scenarios/crash.yaml, "--set fleets.climate.devices=0" or --expect
	Line   int    // from 1; 0 where File is no file
	Column int    // from 1; 0 where File is no file

	Path    string // fleets[0].devices; empty where the file as a whole is meant
	Problem string // must be at least 1, got 0
	Remedy  string // what to write instead; empty where the problem says it all
}

// Error writes file:line:column: path: problem (remedy).
func (m Mistake) Error() string {
	var text strings.Builder
	text.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&text, ":%d:%d", m.Line, m.Column)
	}
	if m.Path != "" {
		text.WriteString(": " + m.Path)
	}
	text.WriteString(": " + m.Problem)
	if m.Remedy != "" {
		text.WriteString(" (" + m.Remedy + ")")
	}
	return text.String()
}

// Mistakes is everything that is wrong with a scenario: the scenario's file first, from top to bottom.
type Mistakes []Mistake

// Error writes one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// sort brings the mistakes into the order in which their reader would correct them: the scenario's own file, then what
// else was mentioned, each from top to bottom.
func (m Mistakes) sort(file string) {
	rank := map[string]int{file: 0}
	for _, mistake := range m {
		if _, known := rank[mistake.File]; !known {
			rank[mistake.File] = len(rank)
		}
	}
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(rank[a.File], rank[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// collector gathers mistakes, so that all of them are told at once.
type collector struct{ mistakes Mistakes }

// add notes a mistake at an origin.
func (c *collector) add(at origin, path, problem, remedy string) {
	c.mistakes = append(c.mistakes, Mistake{
		File: at.file, Line: at.line, Column: at.column, Path: path, Problem: problem, Remedy: remedy,
	})
}

// enough is how many names fit into a message.
const enough = 50

// suggest writes the names somebody may have meant, the likeliest first. It is the remedy of every unknown name. Of more
// names than fit into a message it writes those that are least far away.
func suggest(got string, names []string) string {
	if len(names) == 0 {
		return "there is none"
	}
	list := "known: " + strings.Join(names, ", ")
	if len(names) > enough {
		nearer := func(a, b string) int { return cmp.Compare(distance(got, a), distance(got, b)) }
		list = fmt.Sprintf("among %d: %s, …", len(names), strings.Join(slices.SortedStableFunc(slices.Values(names), nearer)[:8], ", "))
	}
	if near := Nearest(got, names); near != "" {
		return fmt.Sprintf("did you mean %s? %s", near, list)
	}
	return list
}

// Nearest is the name with the fewest edits from what somebody wrote, for a question like "did you mean …?". It is empty
// where none is near: a word of which more than a third is changed is another word.
func Nearest(got string, names []string) string {
	best, fewest := "", 0
	for _, name := range names {
		edits := distance(strings.ToLower(got), strings.ToLower(name))
		if limit := max(1, max(len(got), len(name))/3); edits > limit {
			continue
		}
		if best == "" || edits < fewest {
			best, fewest = name, edits
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b (the optimal string
// alignment distance).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
