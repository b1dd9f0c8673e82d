package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness"
)

// TestConsoleWithoutTerminal plays a run as a CI server sees it.
func TestConsoleWithoutTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := newConsole(world{stderr: &out, env: none}, false)
		assert.False(t, c.live)
		start := time.Now()
		show := func(step, stage, fault string, from, to time.Duration) {
			for at := from; at < to; at += 200 * time.Millisecond {
				<-time.After(time.Until(start.Add(at)))
				c.progress(harness.Progress{Step: step, Stage: stage, Fault: fault, Elapsed: at, Total: 40 * time.Second})
			}
		}
		show("load", "warmup", "", 0, 2*time.Second)
		show("load", "hold", "", 2*time.Second, 25*time.Second)
		c.say("interrupted")
		show("load", "hold", "crash", 25*time.Second, 26*time.Second)
		show("load", "hold", "", 26*time.Second, 27*time.Second)
		show("draining", "", "", 27*time.Second, 28*time.Second)
		c.clear()
		show("draining", "", "", 28*time.Second, 29*time.Second)

		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		assert.Equal(t, []string{
			"0.0s load stage warmup 40s left",
			"2.0s load stage hold 38s left",
			"12.0s load stage hold 28s left",
			"22.0s load stage hold 18s left",
			"interrupted",
			"25.0s load stage hold fault crash 15s left",
			"26.0s load stage hold 14s left",
			"27.0s draining",
			"28.0s draining", // the next run
		}, got)
		assert.NotContains(t, out.String(), "\x1b", "a file is no terminal")
	})
}

// TestConsoleOnTerminal holds what is left on a terminal's screen.
func TestConsoleOnTerminal(t *testing.T) {
	var out bytes.Buffer
	c := &console{out: &out, live: true, width: func() int { return 100 }}
	p := harness.Progress{Step: "load", Stage: "hold", Total: 10 * time.Second, Due: 1}
	c.progress(harness.Progress{Step: "starting broker"})
	for range 3 {
		p.Elapsed += time.Second
		p.Acked += 1000
		c.progress(p)
	}
	c.say("interrupted")
	assert.Equal(t, []string{"interrupted", "stage hold  ███████░░░░░░░░░░░░░░░░░  7s left", "sending 0/s of 0/s  3,000 acked  lag 0  0 read back"}, shown(out.String()))
	p.Step = "draining"
	c.progress(p)
	assert.Equal(t, []string{"interrupted", "draining  3,000 acked  0 read back"}, shown(out.String()))
	c.clear()
	c.clear()
	assert.Equal(t, []string{"interrupted", ""}, shown(out.String()), "nothing of it is left, and the cursor is where the report begins")
}

func TestQuietConsoleShowsNoProgress(t *testing.T) {
	for _, live := range []bool{true, false} {
		var out bytes.Buffer
		c := &console{out: &out, live: live, quiet: true, width: func() int { return 100 }}
		c.progress(harness.Progress{Step: "load"})
		c.say("what matters is said all the same")
		c.clear()
		assert.Equal(t, "what matters is said all the same\n", out.String())
	}
}

func TestProgressThatCannotBeShownStopsNothing(t *testing.T) {
	c := &console{out: broken{}, live: true, width: func() int { return 100 }}
	c.progress(harness.Progress{Step: "load"})
	c.clear()
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func none(string) (string, bool) { return "", false }

// shown plays what was written on a screen and returns its lines, as a terminal would after the three sequences that the
// console uses: to the line's start, up, and erase to the end.
func shown(written string) []string {
	screen, row, column := [][]rune{{}}, 0, 0
	for len(written) > 0 {
		r := []rune(written)[0]
		used := len(string(r))
		switch {
		case r == '\r':
			column = 0
		case r == '\n':
			row, column = row+1, 0
			if row == len(screen) {
				screen = append(screen, nil)
			}
		case strings.HasPrefix(written, "\x1b[J"):
			screen[row] = screen[row][:column]
			screen, used = screen[:row+1], len("\x1b[J")
		case r == '\x1b':
			var up int
			if _, err := fmt.Sscanf(written, "\x1b[%dA", &up); err != nil {
				panic(fmt.Sprintf("unknown sequence %q", written[:min(len(written), 8)]))
			}
			row, used = row-up, strings.IndexByte(written, 'A')+1
		default:
			screen[row] = append(screen[row][:column], append([]rune{r}, screen[row][min(column+1, len(screen[row])):]...)...)
			column++
		}
		written = written[used:]
	}
	lines := make([]string, len(screen))
	for i, cells := range screen {
		lines[i] = string(cells)
	}
	return lines
}
