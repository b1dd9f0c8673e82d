package report

import (
	"strings"
	"unicode/utf8"
)

// columns is the width of every report.
const columns = 100

// A row is one line of a table, with an optional note that is written below it.
type row struct {
	cells []string
	note  string
	paint paint // of the first cell
}

// A table lines up its rows. One of its columns takes the room that the others leave and breaks into lines where that is
// not enough.
type table struct {
	head  []string
	rows  []row
	wraps int          // the column that breaks
	right map[int]bool // columns that hold numbers
	notes int          // the column under which notes begin
}

const (
	margin = 2 // before the first column
	gutter = 2 // between columns
)

// lines writes the table, each line at most columns wide.
func (t table) lines(ink ink) []string {
	widths := t.widths()
	var lines []string
	if t.head != nil {
		lines = append(lines, t.line(widths, t.head, func(_ int, cell string) string { return ink.dim(cell) }))
	}
	for _, r := range t.rows {
		pieces := Wrap(r.cells[t.wraps], widths[t.wraps])
		for i, piece := range pieces {
			cells := make([]string, len(r.cells))
			if i == 0 {
				copy(cells, r.cells)
			}
			cells[t.wraps] = piece
			lines = append(lines, t.line(widths, cells, func(column int, cell string) string {
				if column == 0 {
					return ink.as(r.paint, cell)
				}
				return cell
			}))
		}
		indent := margin
		for _, width := range widths[:t.notes] {
			indent += width + gutter
		}
		for _, piece := range Wrap(r.note, columns-indent) {
			if piece != "" {
				lines = append(lines, strings.Repeat(" ", indent)+ink.dim(piece))
			}
		}
	}
	return lines
}

// widths gives every column the width of its widest cell, and the breaking one no more than is left.
func (t table) widths() []int {
	var widths []int
	grow := func(cells []string) {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	grow(t.head)
	for _, r := range t.rows {
		grow(r.cells)
	}
	left := columns - margin
	for i, width := range widths {
		if i != t.wraps {
			left -= width + gutter
		}
	}
	widths[t.wraps] = max(min(widths[t.wraps], left), 1)
	return widths
}

func (t table) line(widths []int, cells []string, painted func(column int, cell string) string) string {
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", margin))
	for i, cell := range cells {
		fill := strings.Repeat(" ", max(widths[i]-utf8.RuneCountInString(cell), 0))
		switch {
		case t.right[i]:
			line.WriteString(fill + painted(i, cell))
		default:
			line.WriteString(painted(i, cell) + fill)
		}
		if i < len(cells)-1 {
			line.WriteString(strings.Repeat(" ", gutter))
		}
	}
	return strings.TrimRight(line.String(), " ")
}

// Wrap breaks a text at spaces into lines of at most width, and a word that is longer than that within.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for utf8.RuneCountInString(word) > width {
			runes := []rune(word)
			lines = append(lines, string(runes[:width]))
			word = string(runes[width:])
		}
		line = word
	}
	return append(lines, line)
}
