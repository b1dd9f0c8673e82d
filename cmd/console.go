package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/fleetproof/fleetproof/harness"
)

// console is standard error: progress that redraws itself on a terminal, or now and then a line where there is none,
// and between them whatever else has to be said. It may be used from any goroutine.
type console struct {
	out   io.Writer
	live  bool       // a terminal: progress is redrawn in place
	quiet bool       // no progress at all
	width func() int // of the terminal, in columns

	mu    sync.Mutex
	drawn []string         // the lines of progress on the terminal now
	last  harness.Progress // what the last line without a terminal showed
	at    time.Time        // and when
}

// lineEvery is how often progress is written where nothing changes and there is no terminal.
const lineEvery = 10 * time.Second

// fallbackWidth is used where a terminal does not tell its width.
const fallbackWidth = 80

func newConsole(w world, quiet bool) *console {
	c := &console{out: w.stderr, live: w.terminal(w.stderr), quiet: quiet}
	c.width = func() int {
		if file, isFile := w.stderr.(*os.File); isFile {
			if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
				return width
			}
		}
		return fallbackWidth
	}
	return c
}

// progress shows how a run goes.
func (c *console) progress(p harness.Progress) {
	if c.quiet {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live {
		c.redraw(screen(p, c.width()))
		return
	}
	now := time.Now()
	changed := p.Step != c.last.Step || p.Stage != c.last.Stage || p.Fault != c.last.Fault
	if !changed && now.Sub(c.at) < lineEvery {
		return
	}
	c.last, c.at = p, now
	fmt.Fprintln(c.out, line(p))
}

// say writes a line above the progress.
func (c *console) say(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drawn := c.drawn
	c.redraw(nil)
	fmt.Fprintln(c.out, line)
	c.redraw(drawn)
}

// clear takes the progress away, before a report or the end. The next run's progress begins anew.
func (c *console) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.redraw(nil)
	c.last, c.at = harness.Progress{}, time.Time{}
}

// redraw replaces the drawn lines by others. The cursor rests at the end of the last one. All of it is one write, so
// that a terminal never shows half of it.
func (c *console) redraw(lines []string) {
	if len(c.drawn) == 0 && len(lines) == 0 {
		return
	}
	var frame strings.Builder
	frame.WriteString("\r")
	if up := len(c.drawn) - 1; up > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA", up)
	}
	frame.WriteString("\x1b[J") // erases from the cursor to the end of the screen
	frame.WriteString(strings.Join(lines, "\n"))
	_, _ = io.WriteString(c.out, frame.String()) // progress that cannot be shown stops no run
	c.drawn = lines
}
