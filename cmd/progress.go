package cmd

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
)

// barWidth is the length of the bar of time on a terminal.
const barWidth = 24

// screen draws progress as two lines of less than width columns: where the run stands, and what it does.
func screen(p harness.Progress, width int) []string {
	if p.Total <= 0 || p.Step != "load" {
		return []string{fit(append([]string{p.Step}, measures(p)...), width)}
	}
	done := min(float64(p.Elapsed)/float64(p.Total), 1)
	filled := int(done * barWidth)
	bar := strings.Repeat("█", filled) + strings.Repeat("░", barWidth-filled)
	where := []string{"stage " + p.Stage, bar, left(p)}
	if p.Fault != "" {
		where = append(where, "fault "+p.Fault)
	}
	return []string{fit(where, width), fit(measures(p), width)}
}

// line is the same in one line, for a file.
func line(p harness.Progress) string {
	words := []string{fmt.Sprintf("%6.1fs", p.Elapsed.Seconds()), p.Step}
	if p.Stage != "" {
		words = append(words, "stage "+p.Stage)
	}
	if p.Fault != "" {
		words = append(words, "fault "+p.Fault)
	}
	if p.Step == "load" {
		words = append(words, left(p))
	}
	return strings.Join(append(words, measures(p)...), "  ")
}

// left says how much time of the load is left.
func left(p harness.Progress) string {
	return (max(p.Total-p.Elapsed, 0)).Round(100*time.Millisecond).String() + " left"
}

// measures are what is counted and measured, the most important first.
func measures(p harness.Progress) []string {
	if p.Due == 0 {
		return nil
	}
	number := func(n int64) string { return report.Human(float64(n), "records") }
	var m []string
	if p.Step == "load" {
		m = append(m, fmt.Sprintf("sending %s of %s", report.Human(p.Achieved, "records/s"), report.Human(p.Target, "records/s")))
	}
	m = append(m, number(p.Acked)+" acked")
	if wrong := p.Failed + p.Unknown; wrong > 0 {
		m = append(m, number(wrong)+" failed or unknown")
	}
	if p.Step == "load" {
		m = append(m, "lag "+report.Human(p.Lag.Seconds(), "s"))
	} else if waiting := p.Sent - p.Acked - p.Failed - p.Unknown; waiting > 0 {
		m = append(m, number(waiting)+" in flight")
	}
	return append(m, number(p.Consumed)+" read back")
}

// fit joins as many parts as there is room for. A line as wide as the terminal would wrap, and could not be redrawn.
func fit(parts []string, width int) string {
	text := ""
	for i, part := range parts {
		if i > 0 {
			part = "  " + part
		}
		if utf8.RuneCountInString(text+part) >= width {
			break
		}
		text += part
	}
	return text
}
