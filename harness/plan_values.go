package harness

import (
	"fmt"
	"math"
	"strings"
)

// values lists every value with its origin, under the path by which --set changes it. Expectations are listed already.
func (p *plan) values() {
	var rows []string
	p.tree.without("expect").leaves("", func(path string, n *node) {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s", path, brief(n), n.from()))
	})
	p.section("values, by the paths that --set takes", rows)
}

// leaves visits what --set can change: the single values and the lists that are set as a whole. Items with a name are
// addressed by it.
func (n *node) leaves(path string, visit func(path string, n *node)) {
	for _, f := range n.fields {
		f.value.leaves(join(path, f.key), visit)
	}
	if n.kind == list && len(n.items) > 0 && n.items[0].get("name") != nil {
		for _, item := range n.items {
			item.without("name").leaves(join(path, item.get("name").shown), visit)
		}
	} else if len(n.fields) == 0 {
		visit(path, n)
	}
}

// widest is where a value is cut in the list of values.
const widest = 48

// brief writes a value on one line.
func brief(n *node) string {
	text := n.shown
	switch {
	case n.kind == list && len(n.items) > 0 && n.items[0].kind == mapping:
		return fmt.Sprintf("[%s]", plural(len(n.items), "item"))
	case n.kind != scalar:
		text = string(toYAML(n))
	case text == "":
		return `""`
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > widest {
		text = string(runes[:widest-1]) + "…"
	}
	return text
}

// plural writes 1 device, 1,000 devices.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return amount(float64(n)) + " " + noun + "s"
}

// amount writes a number for people: thousands apart, decimals only where it is small.
func amount(n float64) string {
	if n != math.Trunc(n) && n < 100 {
		return fmt.Sprintf("%.2f", n)
	}
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func mebibytes(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }
