package assertions

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a client does not keep up with is its own doing only where the machine could have done more.
func TestSlowClient(t *testing.T) {
	const (
		shown   = "the load was not kept up: only 18% of 10,000 records due outside faults were handed over in time, below the floor of 95%, "
		full    = shown + "while the machine had no processor time to spare"
		unknown = shown + "and how busy the machine was is not known"
	)
	unsampled := func(e *Evidence) { e.Samples = nil }
	// A client that is slow for three seconds, and by the end has handed over nearly everything.
	hiccup := func(e *Evidence) {
		e.Faults = nil
		each(4, 7, func(s *Slice) {
			s.OnTime, s.Later = 700, nil
			s.Histograms[metricScheduleLag], s.Histograms[metricAckLatency] = histogram(700, ms, 300, 8*second), histogram(700, ms, 300, 8*second)
		})(e)
	}
	for _, test := range []struct {
		name    string
		changes []func(*Evidence)
		verdict Verdict
		reason  string // of an inconclusive verdict
	}{
		{"an idle machine", []func(*Evidence){slowClient, busy(0.35)}, Fail, ""},
		{"a machine with a little to spare", []func(*Evidence){slowClient, busy(0.89)}, Fail, ""},
		{"a machine with nothing to spare", []func(*Evidence){slowClient, busy(0.9)}, Inconclusive, full},
		{"a machine nobody knows", []func(*Evidence){slowClient}, Inconclusive, unknown},
		{"a machine nobody looked at", []func(*Evidence){slowClient, unsampled}, Inconclusive, unknown},
		{"an idle machine that was busy for a second", []func(*Evidence){slowClient, busy(0.35), busy(1, 7)}, Fail, ""},
		{"an idle machine of which a second is not known", []func(*Evidence){slowClient, busy(0.35), func(e *Evidence) { e.Samples[7].Busy = nil }}, Fail, ""},
		{"an idle machine that was busy until the load was judged", []func(*Evidence){slowClient, busy(0.35), busy(1, 1)}, Fail, ""},
		{"a machine that was busy half of the time", []func(*Evidence){slowClient, busy(0.35), busy(1, 2, 3, 4, 5, 6, 7)}, Inconclusive, full},
		{"a machine that was busy where the client was slow", []func(*Evidence){hiccup, busy(0.35), busy(1, 5, 6, 7)}, Inconclusive,
			"the load was not kept up: only 91% of 10,000 records due outside faults were handed over in time, below the floor of 95%, " +
				"while the machine had no processor time to spare"},
		{"a machine that was busy elsewhere", []func(*Evidence){hiccup, busy(0.35), busy(1, 10, 11)}, Fail, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range []string{"achieved_rate >= 98%", "ack_latency.p99 < 50ms", "schedule_lag.p99 < 50ms"} {
				judgement := judgedOnce(t, with(test.changes...), text)
				assert.Equal(t, test.verdict, judgement.Verdict, judgement)
				if test.verdict == Inconclusive {
					assert.Equal(t, test.reason, judgement.Reason, text)
				}
			}
		})
	}

	// The generator's own lateness is not the client's, however idle the machine.
	late := with(slowClient, busy(0.1), each(2, 12, func(s *Slice) { s.Late = 500 }))
	assert.Equal(t, Inconclusive, judgedOnce(t, late, "ack_latency.p99 < 50ms").Verdict)
}
