package features

import (
	"regexp"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// pattern is how a step is written, in the notation of the reference: {int} and its like stand for values, [ … ] may be
// left out, (a|b) is one of several, (s) a letter that may be.
type pattern string

// values says what the placeholders stand for. Only texts are written in quotes, which are no part of their value.
func values() map[string]string {
	const (
		number   = `[0-9]+(?:\.[0-9]+)?`
		duration = `(?:` + number + `(?:ns|us|µs|ms|s|m|h))+`
		building = `building [0-9]+`
		location = building + `(?:,? floor [0-9]+(?:,? room [0-9]+)?)?|(?:room [0-9]+ of )?floor [0-9]+ of ` + building
	)
	return map[string]string{
		"int":      `[0-9]+`,
		"float":    `-?` + number,
		"word":     `[a-z0-9_-]+`,
		"string":   `[^"]*`,
		"duration": duration,
		"rate":     number + `(?:/s|/min|x)`,
		"often":    number + `(?:/s|/min|%)`,
		"change":   `-?` + number + `(?:/s)?`,
		"place":       `every device|fleet "[^"]*"(?: in (?:` + location + `))?|` + location,
		"expectation": expectation(),
	}
}

// expectation is the shape of an expectation, from the table of metrics. Whether it is one, its grammar says.
func expectation() string {
	var names []string
	for _, metric := range assertions.Metrics() {
		names = append(names, strings.Replace(regexp.QuoteMeta(metric.Name), "NAME", `[a-z][a-z0-9-]*`, 1))
	}
	return `promised|(?:` + strings.Join(names, "|") + `)(?:\.[^ <>=!]+)? *(?:<=|>=|==|!=|<|>) *[^ <>=!]+(?: .+)?`
}

// token is a piece of the notation.
var token = regexp.MustCompile(`\{[a-z]+\}|\[|\]|\([^)]*\)|[^\[\](){}]+`)

// expression is the anchored regular expression of the pattern. Its groups are the placeholders and alternatives, in
// their order; those of a part that was left out are empty.
func (p pattern) expression() string {
	known := values()
	var text strings.Builder
	for _, piece := range token.FindAllString(string(p), -1) {
		switch {
		case piece == "[":
			text.WriteString("(?:")
		case piece == "]":
			text.WriteString(")?")
		case piece[0] == '(' && len(piece) == len("(s)"):
			text.WriteString(piece[1:2] + "?")
		case piece == "{string}":
			text.WriteString(`"(` + known["string"] + `)"`)
		case piece[0] == '{':
			text.WriteString("(" + known[strings.Trim(piece, "{}")] + ")")
		case piece[0] == '(':
			text.WriteString(piece)
		default:
			text.WriteString(regexp.QuoteMeta(piece))
		}
	}
	return "^" + text.String() + "$"
}

// group begins a group that is remembered, escaped parentheses aside.
var group = regexp.MustCompile(`(\\\()|\((\?:)?`)

// plain is the expression without groups. godog hands groups to functions one by one, and these steps read their texts
// themselves.
func (p pattern) plain() string {
	return group.ReplaceAllStringFunc(p.expression(), func(found string) string {
		if found[0] == '\\' {
			return found
		}
		return "(?:"
	})
}
