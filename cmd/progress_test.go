package cmd

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness"
)

// under is a run under load, with a fault in effect.
var under = harness.Progress{
	Step: "load", Elapsed: 12345 * time.Millisecond, Total: 60 * time.Second, Stage: "hold", Target: 30000, Achieved: 29987.4,
	Due: 370000, Sent: 369990, Acked: 361203, Failed: 2, Unknown: 5, Consumed: 361000, Lag: 812 * time.Microsecond, Fault: "crash",
}

func TestScreen(t *testing.T) {
	draining := under
	draining.Step, draining.Stage, draining.Fault = "draining", "", ""
	over := under
	over.Elapsed, over.Fault, over.Failed, over.Unknown = 61*time.Second, "", 0, 0
	for name, c := range map[string]struct {
		p    harness.Progress
		want []string
	}{
		"starting": {harness.Progress{Step: "starting broker"}, []string{"starting broker"}},
		"load": {under, []string{
			"stage hold  ████░░░░░░░░░░░░░░░░░░░░  47.7s left  fault crash",
			"sending 29,987/s of 30,000/s  361,203 acked  7 failed or unknown  lag 812µs  361,000 read back",
		}},
		"past the end": {over, []string{
			"stage hold  ████████████████████████  0s left",
			"sending 29,987/s of 30,000/s  361,203 acked  lag 812µs  361,000 read back",
		}},
		"draining": {draining, []string{"draining  361,203 acked  7 failed or unknown  8,780 in flight  361,000 read back"}},
	} {
		assert.Equal(t, c.want, screen(c.p, 120), name)
	}
}

func TestScreenFitsEveryTerminal(t *testing.T) {
	for width := range 130 {
		for _, line := range screen(under, width) {
			assert.Less(t, utf8.RuneCountInString(line), max(width, 1))
		}
	}
	assert.Equal(t, []string{"stage hold", "sending 29,987/s of 30,000/s"}, screen(under, 32), "the most important comes first")
}

func TestLine(t *testing.T) {
	assert.Equal(t,
		"  12.3s  load  stage hold  fault crash  47.7s left  sending 29,987/s of 30,000/s  361,203 acked  7 failed or unknown  lag 812µs  361,000 read back",
		line(under))
	assert.Equal(t, "   0.0s  starting broker", line(harness.Progress{Step: "starting broker"}))
}
