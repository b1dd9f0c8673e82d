package assertions

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bad makes the acknowledgements of slices take 300 ms.
func bad(from, to int) func(*Evidence) { return slow(metricAckLatency, from, to, 1000, 300*ms) }

// fault adds a fault.
func fault(name string, injected, healed, resumed time.Duration) func(*Evidence) {
	return func(e *Evidence) {
		e.Faults = append(e.Faults, Fault{Name: name, Hits: 1, InjectedAt: injected, ProvenAt: injected, HealedAt: healed, ResumedAt: resumed})
	}
}

// crashed moves the healing and the recovery of the fault of healthy evidence.
func crashed(healed, resumed time.Duration) func(*Evidence) {
	return func(e *Evidence) { e.Faults[0].HealedAt, e.Faults[0].ResumedAt = healed, resumed }
}

// tenths cuts a second into ten, each with as many records as the whole.
func tenths(number int) func(*Evidence) {
	return func(e *Evidence) {
		var parts []Slice
		for i := range 10 {
			part := second1000(number)
			part.From = time.Duration(number)*second + time.Duration(i)*100*ms
			part.To = part.From + 100*ms
			parts = append(parts, part)
		}
		e.Slices = slices.Replace(e.Slices, number, number+1, parts...)
		balanced(e)
	}
}

func TestWithin(t *testing.T) {
	stall := func(e *Evidence) { e.Stalls = []Stall{{Span{5 * second, 5500 * ms}}} }
	const text = "ack_latency.p99 < 250ms within 3s after fault crash"
	for _, test := range []struct {
		name     string
		changes  []func(*Evidence)
		text     string
		verdict  Verdict
		recovery float64 // −1: none
		got      float64 // −1: none
		reason   string
	}{
		{"at once", nil, text, Pass, 0, 0.005, ""},
		{"in the fault alone", []func(*Evidence){bad(4, 5)}, text, Pass, 0, 0.005, ""},
		{"after two seconds", []func(*Evidence){bad(4, 7)}, text, Pass, 2, 0.005, ""},
		{"just in time", []func(*Evidence){bad(4, 8)}, text, Pass, 3, 0.005, ""},
		{"on and off", []func(*Evidence){bad(4, 6), bad(7, 8)}, text, Pass, 3, 0.005, ""},
		{
			"too late", []func(*Evidence){bad(4, 9)}, text, Fail, 4, 0.3,
			"got 300.031 ms over 1,000 records; worst at 8.0 s – 9.0 s, held again 4 s after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"a relapse", []func(*Evidence){bad(10, 11)}, text, Fail, 6, 0.3,
			"got 300.031 ms over 1,000 records; worst at 10.0 s – 11.0 s, held again 6 s after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"never", []func(*Evidence){bad(4, 12)}, text, Fail, -1, 0.3,
			"got 300.031 ms over 1,000 records; worst at 8.0 s – 9.0 s, never again since fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"never, but not seen for long enough", []func(*Evidence){bad(4, 12)}, "ack_latency.p99 < 250ms within 8s after fault crash", Inconclusive, -1, 0.3,
			"ack_latency.p99 did not hold at 12.0 s, 7 s after fault crash was healed, and what happened later within 8s is not known",
		},
		{"until the next fault", []func(*Evidence){bad(4, 7), bad(9, 12), fault("slow", 9*second, 10*second, 10*second)}, text, Pass, 2, 0.005, ""},
		{
			"the next fault comes too early", []func(*Evidence){bad(4, 12), fault("slow", 7500*ms, 9*second, 9*second)}, text, Inconclusive, -1, 0.3,
			"ack_latency.p99 did not hold at 7.0 s, 2 s after fault crash was healed, and what happened later within 3s is not known",
		},
		{
			"the next fault comes at once", []func(*Evidence){fault("slow", 5900*ms, 9*second, 9*second)}, text, Inconclusive, -1, -1,
			"no whole slice lies between 5.0 s, when fault crash was healed, and 5.9 s",
		},
		{"an earlier fault that was never injected", []func(*Evidence){fault("slow", Never, Never, Never)}, text, Pass, 0, 0.005, ""},
		{"an earlier fault that is over", []func(*Evidence){fault("slow", 1*second, 2*second, 2*second)}, text, Pass, 0, 0.005, ""},
		{
			"another fault in effect", []func(*Evidence){fault("slow", 3*second, 9*second, 9*second)}, text, Inconclusive, -1, -1,
			"fault slow was still in effect when fault crash was healed",
		},
		{
			"another fault that never ended", []func(*Evidence){fault("slow", 3*second, Never, Never)}, text, Inconclusive, -1, -1,
			"fault slow was still in effect when fault crash was healed",
		},
		{"never healed", []func(*Evidence){crashed(Never, Never)}, text, Inconclusive, -1, -1, "fault crash was never seen healed"},
		{
			"never injected", []func(*Evidence){func(e *Evidence) { e.Faults[0].InjectedAt = Never }}, text, Inconclusive, -1, -1,
			"fault crash was never injected",
		},
		{
			"healed at the end of the load", []func(*Evidence){crashed(11500*ms, 11600*ms)}, text, Inconclusive, -1, -1,
			"no whole slice lies between 11.5 s, when fault crash was healed, and 12.0 s",
		},
		{
			"interrupted soon after", []func(*Evidence){func(e *Evidence) { e.Run.Interrupted, e.Run.LoadEnded = true, 5700*ms }}, text, Inconclusive, -1, -1,
			"no whole slice lies between 5.0 s, when fault crash was healed, and 5.7 s",
		},
		{
			"healed in the middle of a slice", []func(*Evidence){crashed(5300*ms, 5400*ms), bad(4, 7)}, text, Pass, 1.7, 0.005, "",
		},
		{
			"missed in the slice of the healing", []func(*Evidence){crashed(5300*ms, 5400*ms), bad(4, 6)}, text, Pass, 0.7, 0.005, "",
		},
		{
			"missed in the slice of the healing, perhaps afterwards", []func(*Evidence){crashed(5300*ms, 5400*ms), bad(4, 6)},
			"ack_latency.p99 < 250ms within 600ms after fault crash", Inconclusive, 0.7, 0.3,
			"fault crash was healed at 5.300 s, and it is not known whether ack_latency.p99 was missed before or after that, until 6.000 s",
		},
		{
			"tenths of a second", []func(*Evidence){crashed(5020*ms, 5030*ms), tenths(5), bad(4, 9)},
			"ack_latency.p99 < 250ms within 380ms after fault crash", Pass, 0.38, 0.005, "",
		},
		{
			"missed for some tenths of a second", []func(*Evidence){crashed(5020*ms, 5030*ms), tenths(5), bad(4, 9)},
			"ack_latency.p99 < 250ms within 300ms after fault crash", Fail, 0.38, 0.3,
			"got 300.031 ms over 1,000 records; worst at 5.3 s – 5.4 s, held again 380 ms after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"a rate in tenths of a second is one of a whole second", []func(*Evidence){
				crashed(5020*ms, 5030*ms), tenths(5), each(5, 15, func(s *Slice) { s.Due, s.Sent, s.Acked = 100, 100, 100 }),
				each(7, 8, func(s *Slice) { s.Due, s.Sent, s.Acked = 99, 99, 99 }), each(8, 9, func(s *Slice) { s.Due, s.Sent, s.Acked = 101, 101, 101 }), balanced,
			},
			"throughput >= 1000/s within 300ms after fault crash", Pass, 0, 1000, "",
		},
		{
			"a stall can explain it", []func(*Evidence){slow(metricAckLatency, 5, 6, 500, 5*ms, 500, 300*ms), stall},
			"ack_latency.p99 < 250ms within 500ms after fault crash", Inconclusive, 1, 0.3,
			"the machine did not run the harness for 500 ms here, which can have held up 500 of 1,000 records",
		},
		{"a stall that changes nothing", []func(*Evidence){stall}, text, Pass, 0, 0.005, ""},
		{
			"too few samples in all", []func(*Evidence){each(5, 12, func(s *Slice) { s.Histograms = map[string][]byte{metricAckLatency: histogram(40, 5*ms)} })},
			text, Inconclusive, -1, -1, "ack_latency.p99 has too few samples between 5.0 s, when fault crash was healed, and 12.0 s",
		},
		{
			"too few in a second, enough in four; the rest joins the last", []func(*Evidence){
				each(5, 12, func(s *Slice) { s.Histograms = map[string][]byte{metricAckLatency: histogram(80, 5*ms)} }),
				slow(metricAckLatency, 5, 6, 80, 300*ms),
			},
			"ack_latency.p99 < 250ms within 3s after fault crash", Inconclusive, -1, 0.3,
			"there are too few samples to say when between 6.0 s and 12.0 s ack_latency.p99 held again",
		},
		{
			"a rate", []func(*Evidence){each(5, 6, func(s *Slice) { s.Acked, s.Unknown = 500, 500 }), balanced},
			"success_rate >= 99% within 500ms after fault crash", Fail, 1, 0.5,
			"got 50% (500 of 1,000); worst at 5.0 s – 6.0 s, held again 1 s after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{"a finding", []func(*Evidence){found(duplicates, 3, 5100*ms)}, "duplicates == 0 within 2s after fault crash", Pass, 1, 0, ""},
		{
			"a finding too late", []func(*Evidence){found(duplicates, 3, 8100*ms)}, "duplicates == 0 within 2s after fault crash", Fail, 4, 3,
			"got 3 of 1,000; worst at 8.0 s – 9.0 s, held again 4 s after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"a gap", []func(*Evidence){func(e *Evidence) { e.Gaps[1].To = 6500 * ms }},
			"availability_gap < 1s within 3s after fault crash", Pass, 2, 0, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			judgement := judgedOnce(t, with(test.changes...), test.text)
			assert.Equal(t, test.verdict, judgement.Verdict, judgement.Reason)
			if test.reason != "" || test.verdict == Pass {
				assert.Equal(t, test.reason, judgement.Reason)
			}
			if test.recovery < 0 {
				assert.Nil(t, judgement.RecoveryTime)
			} else if assert.NotNil(t, judgement.RecoveryTime) {
				assert.InDelta(t, test.recovery, *judgement.RecoveryTime, 1e-9)
			}
			if test.got < 0 {
				assert.Nil(t, judgement.Got)
			} else if assert.NotNil(t, judgement.Got) {
				assert.InEpsilon(t, test.got+1, *judgement.Got+1, 1e-3)
			}
		})
	}
}

func TestPieces(t *testing.T) {
	few := func(s *Slice) { s.Histograms = map[string][]byte{metricAckLatency: histogram(80, 5*ms)} }
	for _, test := range []struct {
		name   string
		change func(*Evidence)
		want   []Span
	}{
		{"single slices", func(*Evidence) {}, []Span{{5 * second, 6 * second}, {6 * second, 7 * second}, {7 * second, 8 * second}, {8 * second, 9 * second}, {9 * second, 10 * second}, {10 * second, 11 * second}, {11 * second, 12 * second}}},
		{"fours, and the rest with the last", each(5, 12, few), []Span{{5 * second, 12 * second}}},
		{"a slice with nothing", each(6, 7, func(s *Slice) { s.Histograms = nil }), []Span{{5 * second, 6 * second}, {6 * second, 8 * second}, {8 * second, 9 * second}, {9 * second, 10 * second}, {10 * second, 11 * second}, {11 * second, 12 * second}}},
		{"nothing at the end", each(9, 12, func(s *Slice) { s.Histograms = nil }), []Span{{5 * second, 6 * second}, {6 * second, 7 * second}, {7 * second, 8 * second}, {8 * second, 12 * second}}},
		{"nothing", each(5, 12, func(s *Slice) { s.Histograms = nil }), nil},
	} {
		e, err := ParseExpectation("ack_latency.p99 < 1s within 3s after fault crash")
		require.NoError(t, err)
		metric, err := metricOf(e.Metric)
		require.NoError(t, err)
		j := &judge{Evidence: with(test.change), merged: map[string]merged{}}
		p, nothing := j.aftermath(j.Faults[0])
		require.Empty(t, nothing)
		pieces, err := j.pieces(metric, e, p, 0)
		require.NoError(t, err)
		var got []Span
		for _, piece := range pieces {
			got = append(got, piece.Span)
		}
		assert.Equal(t, test.want, got, test.name)
	}
}

func TestRecoveryTime(t *testing.T) {
	const objective = "ack_latency.p99 < 250ms within 9s after fault crash"
	for _, test := range []struct {
		name    string
		changes []func(*Evidence)
		texts   []string // the first is judged
		verdict Verdict
		got     float64 // −1: none
		reason  string
	}{
		{"acknowledgements", nil, []string{"recovery_time < 300ms"}, Pass, 0.2, ""},
		{"of one fault", []func(*Evidence){fault("slow", 7*second, 8*second, 8900*ms)}, []string{"recovery_time < 300ms during fault crash"}, Pass, 0.2, ""},
		{
			"the worst of several", []func(*Evidence){fault("slow", 7*second, 8*second, 8900*ms), fault("short", 10*second, 10*second, 10100*ms)}, []string{"recovery_time < 300ms"}, Fail, 0.9,
			"got 900 ms; after fault slow was healed at 8.0 s; replay: --set seed=7",
		},
		{"an objective that held throughout", nil, []string{"recovery_time < 300ms", objective}, Pass, 0.2, ""},
		{
			"an objective", []func(*Evidence){bad(4, 7)}, []string{"recovery_time < 1s", objective}, Fail, 2,
			"got 2 s; until ack_latency.p99 < 250ms after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{"another fault's objective", []func(*Evidence){bad(4, 7), fault("slow", 8*second, 9*second, 9100*ms)}, []string{"recovery_time < 1s", "ack_latency.p99 < 250ms within 9s after fault slow"}, Pass, 0.2, ""},
		{
			"an objective never met again", []func(*Evidence){bad(4, 12)}, []string{"recovery_time < 5s", objective}, Fail, -1,
			"got more than can be measured; until ack_latency.p99 < 250ms after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"an objective not seen met again in time", []func(*Evidence){bad(4, 12)}, []string{"recovery_time < 8s", objective}, Inconclusive, -1,
			"ack_latency.p99 did not hold again until the end, 7 s after fault crash was healed",
		},
		{
			"an objective without samples", []func(*Evidence){each(5, 12, func(s *Slice) { s.Histograms = nil })}, []string{"recovery_time < 8s", objective}, Inconclusive, -1,
			"ack_latency.p99 has too few samples between 5.0 s, when fault crash was healed, and 12.0 s",
		},
		{
			"no acknowledgement ever", []func(*Evidence){crashed(5*second, Never)}, []string{"recovery_time < 5s"}, Fail, -1,
			"got more than can be measured; after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		{
			"no acknowledgement until the end", []func(*Evidence){crashed(5*second, Never)}, []string{"recovery_time < 8s"}, Inconclusive, -1,
			"no acknowledgement came until the end, 7 s after fault crash was healed",
		},
		{
			"nothing to acknowledge", []func(*Evidence){crashed(11*second, Never), each(11, 12, func(s *Slice) { *s = Slice{Span: s.Span} }), balanced},
			[]string{"recovery_time < 8s"}, Inconclusive, -1, "nothing was handed over after fault crash was healed",
		},
		{
			"a generator that was behind", []func(*Evidence){each(8, 9, func(s *Slice) { s.Late = 500 })}, []string{"recovery_time < 8s"}, Inconclusive, -1,
			"the generator fell behind its own schedule: 500 of 7,000 records due were late by its fault, more than 1%",
		},
		{"never healed", []func(*Evidence){crashed(Never, Never)}, []string{"recovery_time < 8s"}, Inconclusive, -1, "fault crash was never seen healed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			judgement := judged(t, with(test.changes...), test.texts...).Expectations[0]
			assert.Equal(t, test.verdict, judgement.Verdict, judgement.Reason)
			assert.Equal(t, test.reason, judgement.Reason)
			if test.got < 0 {
				assert.Nil(t, judgement.Got)
			} else if assert.NotNil(t, judgement.Got) {
				assert.InDelta(t, test.got, *judgement.Got, 1e-9)
			}
		})
	}
}
