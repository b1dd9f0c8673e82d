package features

import (
	"regexp"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// pattern is how a step is written, in the notation of the reference: {int} and its like stand for values, [ … ] may be
// left out, (a|b) is one of several, (s) a letter that may be.
type pattern string

// placeholder is a name in braces, and what may stand for it.
type placeholder struct{ name, expr, doc string }

// placeholders are all there are. Only texts are written in quotes, which are no part of their value.
func placeholders() []placeholder {
	const (
		number   = `[0-9]+(?:\.[0-9]+)?`
		building = `building [0-9]+`
		location = building + `(?:,? floor [0-9]+(?:,? room [0-9]+)?)?|(?:room [0-9]+ of )?floor [0-9]+ of ` + building
	)
	return []placeholder{
		{"string", `[^"]*`, `a text in quotes: "climate"`},
		{"word", `[a-z0-9_-]+`, "one word: lz4"},
		{"int", `[0-9]+`, "a whole number: 24"},
		{"float", `-?` + number, "a number: 99.9"},
		{"duration", `(?:` + number + `(?:ns|us|µs|ms|s|m|h))+`, "a length of time with its unit: 200ms, 5s, 1m30s. A moment is one since the load began"},
		{"rate", number + `(?:/s|/min|x)`, "records per time, or so many times the fleet's own pace: 5000/s, 600/min, 20x"},
		{"often", number + `(?:/s|/min|%)`, "how often something strikes: 3/s, 30/min, or 10% of the occasions"},
		{"change", `-?` + number + `(?:/s)?`, "a value, or a change per second: 9.5, 2/s"},
		{
			"place", `every device|fleet "[^"]*"(?: in (?:` + location + `))?|` + location,
			"which devices: every device, fleet \"power\", building 1, building 1 floor 2, room 3 of floor 2 of building 1, fleet \"power\" in building 1",
		},
		{"expectation", expectation(), "METRIC[.AGGREGATE] OPERATOR LIMIT [SCOPE], or promised: ack_latency.p99 < 500ms outside faults"},
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
	known := map[string]string{}
	for _, place := range placeholders() {
		known[place.name] = place.expr
	}
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

// group begins a group, which is remembered or not. Patterns have no parentheses of their own.
var group = regexp.MustCompile(`\((\?:)?`)

// plain is the expression without groups that are remembered. godog hands those to functions one by one, and these steps
// read their texts themselves.
func (p pattern) plain() string { return group.ReplaceAllString(p.expression(), "(?:") }
