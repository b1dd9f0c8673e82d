package report

import "github.com/fleetproof/fleetproof/assertions"

// ink writes with colours or without.
type ink struct{ colour bool }

// paint is one of ANSI's graphic renditions; the zero paint is none.
type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	green  paint = "32"
	yellow paint = "33"
	red    paint = "31"
	alarm  paint = "1;31"
)

// paintOf is the colour of a verdict.
func paintOf(verdict assertions.Verdict) paint {
	switch verdict {
	case assertions.Pass:
		return green
	case assertions.Inconclusive:
		return yellow
	case assertions.Fail:
		return red
	default:
		return alarm
	}
}

func (i ink) as(p paint, text string) string {
	if !i.colour || p == "" || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

func (i ink) bold(text string) string { return i.as(bold, text) }
func (i ink) dim(text string) string  { return i.as(dim, text) }
