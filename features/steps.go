package features

import (
	"regexp"
	"strings"

	"github.com/fleetproof/fleetproof/harness"
)

// step is a row of the table of steps.
type step struct {
	pattern pattern
	doc     string // what it says, for the reference
	example string // how it is written
	same    string // what says the same: YAML, or of a verdict the expectations
	takes   bool   // a doc string
	do      func(s *script, arg []string)

	part part
	expr *regexp.Regexp // of the pattern
}

// part is the part of a Gherkin scenario to which a step belongs. They come in this order.
type part int

const (
	world part = iota
	trouble
	running
	verdict
)

// String is the heading of the part in the reference.
func (p part) String() string {
	return [...]string{"World", "Load and trouble", "The run", "Verdict"}[p]
}

// book is the table of steps, ready to read steps by.
type book []step

func newBook() book {
	var all book
	for p, steps := range [...][]step{world: worldSteps(), trouble: troubleSteps(), running: runSteps(), verdict: verdictSteps()} {
		for _, s := range steps {
			s.part, s.expr = part(p), regexp.MustCompile(s.pattern.expression())
			all = append(all, s)
		}
	}
	return all
}

// read finds the step that a text is, with the values in it.
func (b book) read(text string) (found step, arg []string, known bool) {
	for _, s := range b {
		if parts := s.expr.FindStringSubmatch(text); parts != nil {
			return s, parts[1:], true
		}
	}
	return step{}, nil, false
}

// filling is what steps fill in: quoted texts and numbers with their units, or the placeholders of the pattern.
var filling = regexp.MustCompile(`"[^"]*"|"?\{[a-z]+\}%?"?|-?[0-9][^ ]*`)

// extra is what a pattern may leave out, and all but the first of what it chooses from.
var extra = regexp.MustCompile(`\[[^\]]*\]|\|[^)]*`)

// nearest is the pattern of the step that somebody may have meant.
func (b book) nearest(text string) pattern {
	plain := func(text string) string {
		return strings.NewReplacer("(", "", ")", "").Replace(filling.ReplaceAllString(text, "_"))
	}
	var shapes []string
	patterns := map[string]pattern{}
	for _, s := range b {
		for _, shape := range []string{plain(s.example), plain(extra.ReplaceAllString(string(s.pattern), ""))} {
			shapes, patterns[shape] = append(shapes, shape), s.pattern
		}
	}
	return patterns[harness.Nearest(plain(text), shapes)]
}

// list takes "temperature, humidity and pressure" apart.
func list(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(text, " and ", ","), func(r rune) bool { return r == ',' || r == ' ' })
}
