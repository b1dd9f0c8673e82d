package assertions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseExpectation reads one expectation. Its error says what was found and what is allowed; it is an *UnknownName
// where a word is not one of a closed set. Names of stages, faults and anomalies are only known to Check.
func ParseExpectation(text string) (Expectation, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Expectation{}, fmt.Errorf(
			`empty expectation: want "promised", or a metric, an operator and a limit, such as "acked_lost == 0"`)
	}
	if words[0] == promised {
		if len(words) > 1 {
			return Expectation{}, fmt.Errorf(`"promised" stands alone, got %q after it`, strings.Join(words[1:], " "))
		}
		return Expectation{Promised: true}, nil
	}
	start := strings.IndexAny(text, "<>=!")
	if start < 0 {
		start = len(text)
	}
	end := start + len(text[start:]) - len(strings.TrimLeft(text[start:], "<>=!"))
	before, op, after := strings.Fields(text[:start]), text[start:end], strings.Fields(text[end:])

	if len(before) == 0 {
		return Expectation{}, fmt.Errorf("want a metric before %q", op)
	}
	e, metric, err := parseSubject(before[0])
	if unknown := (*UnknownName)(nil); errors.As(err, &unknown) && unknown.Kind == "metric" && op == "" {
		unknown.Known = append(unknown.Known, promised) // the one word that is an expectation without a limit
	}
	if err != nil {
		return Expectation{}, err
	}
	known := strings.Join(operators[:], " ")
	switch {
	case len(before) > 1:
		return Expectation{}, fmt.Errorf("%s: want an operator (%s), got %q", e.subject(), known, before[1])
	case op == "":
		return Expectation{}, fmt.Errorf("%s: want an operator (%s) and a limit after it", e.subject(), known)
	case !slices.Contains(operators[:], op):
		return Expectation{}, &UnknownName{Kind: "operator", Got: op, Known: operators[:]}
	case len(after) == 0:
		return Expectation{}, fmt.Errorf("%s %s: want %s, got nothing", e.subject(), op, metric.measure(e.Aggregate).want())
	}
	e.Op = Op(op)
	if e.Limit, err = metric.measure(e.Aggregate).parse(e.subject(), after[0]); err != nil {
		return Expectation{}, err
	}
	if e.Scope, err = parseScope(after[1:]); err != nil {
		return Expectation{}, err
	}
	return e, nil
}

// parseSubject reads a metric with its aggregate. The metric is matched longest first against the closed table; what
// remains is the aggregate.
func parseSubject(text string) (Expectation, Metric, error) {
	var found Metric
	var e Expectation
	matched := -1
	for _, metric := range Metrics() {
		name, rest, ok := match(metric.Name, text)
		if ok && len(text)-len(rest) > matched {
			matched = len(text) - len(rest)
			found, e = metric, Expectation{Metric: metric.Name, Name: name}
		}
	}
	if matched < 0 {
		return Expectation{}, Metric{}, unknownMetric(withoutAggregate(text))
	}
	rest, dotted := strings.CutPrefix(text[matched:], ".")
	switch {
	case !dotted && len(found.Aggregates) > 0:
		return Expectation{}, Metric{}, fmt.Errorf("%s needs one of the aggregates %s, such as %s.%s",
			e.subject(), strings.Join(found.examples(), " "), e.subject(), found.examples()[0])
	case !dotted:
		return e, found, nil
	case len(found.Aggregates) == 0:
		return Expectation{}, Metric{}, fmt.Errorf("%s takes no aggregate, got %q", e.subject(), rest)
	}
	if !found.takes(Aggregate(rest)) {
		return Expectation{}, Metric{}, &UnknownName{Kind: "aggregate", Of: e.subject(), Got: rest, Known: found.examples()}
	}
	e.Aggregate = Aggregate(rest)
	return e, found, nil
}

// match holds a text against a metric's name. It gives the name in the placeholder's position and what follows the
// metric: nothing, or a dot and more.
func match(pattern, text string) (name, rest string, ok bool) {
	prefix, suffix, named := strings.Cut(pattern, placeholder)
	if rest, ok = strings.CutPrefix(text, prefix); !ok {
		return "", "", false
	}
	if named {
		name, _, _ = strings.Cut(rest, ".")
		if !wellFormed(name) {
			return "", "", false
		}
		if rest, ok = strings.CutPrefix(rest[len(name):], suffix); !ok {
			return "", "", false
		}
	}
	return name, rest, rest == "" || rest[0] == '.'
}

// withoutAggregate is a text without the aggregate at its end, so that the metric alone is held against the table.
func withoutAggregate(text string) string {
	for i := range len(text) {
		if text[i] != '.' {
			continue
		}
		switch a := Aggregate(text[i+1:]); a {
		case Min, Mean, Max, Slope:
			return text[:i]
		default:
			if _, percentile := a.percentile(); percentile {
				return text[:i]
			}
		}
	}
	return text
}

// unknownMetric lists the table. Where the text begins like a metric with a name in it, that name is filled in, so that
// the nearest known name is one that can be written.
func unknownMetric(text string) error {
	first, rest, _ := strings.Cut(text, ".")
	name, _, _ := strings.Cut(rest, ".")
	var known []string
	for _, metric := range Metrics() {
		if strings.HasPrefix(metric.Name, first+"."+placeholder) && wellFormed(name) {
			known = append(known, strings.Replace(metric.Name, placeholder, name, 1))
			continue
		}
		known = append(known, metric.Name)
	}
	return &UnknownName{Kind: "metric", Got: text, Known: known}
}
