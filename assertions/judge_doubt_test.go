package assertions

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ending is evidence of a load of so many records a second that goes well until some moment. What falls due from then on
// is given up at another one, late by some lag of the generator's own.
func ending(length, every, stops, given, lag time.Duration, changes ...func(*Evidence)) *Evidence {
	e := healthyRun()
	timeline := NewTimeline(Cuts(length, nil), e.Rules.LagLimit)
	for due := time.Duration(0); due < length; due += every {
		if due >= stops {
			timeline.Unsent(due, given, lag)
			continue
		}
		timeline.Handed(Handover{Due: due, At: due + ms/10, Blocked: ms / 10})
		timeline.Acked(due, due, due+5*ms, 0, 200)
		timeline.Consumed(due, due+10*ms)
	}
	e.Slices, e.Gaps = timeline.Close(length)
	e.Stages = []Stage{{Name: "hold", Judged: true, Target: 1 / seconds(every), Span: Span{0, length}}}
	e.Run.LoadEnded, e.Faults, e.Anomalies = length, nil, nil
	balanced(e)
	for _, change := range changes {
		change(e)
	}
	return e
}

// What was never handed over has no acknowledgement: where the client blocked it fails, where the harness was late or
// not running it proves nothing.
func TestRecordsNeverHandedOver(t *testing.T) {
	stopped := func(from, to time.Duration) func(*Evidence) {
		return func(e *Evidence) { e.Stalls = []Stall{{Span{from, to}}} }
	}
	const behind = "the generator fell behind its own schedule: 522 of 24,000 records due were late by its fault, more than 1%"
	for _, test := range []struct {
		name     string
		evidence *Evidence
		want     map[string]Verdict
		reason   string // of success_rate == 100%, where it is inconclusive
	}{
		{
			"the client blocks for the last 70 ms", ending(2*second, ms, 1931*ms, 2250*ms, 0),
			map[string]Verdict{
				"ack_latency.p99 < 50ms": Fail, "success_rate == 100%": Fail, "schedule_lag.p99 < 50ms": Fail, "send_latency.max < 50ms": Pass,
				"achieved_rate == 100%": Fail, "throughput >= 1000/s": Fail, "unsent == 69": Pass,
			}, "",
		},
		{
			"the process stops around the end", ending(12*second, ms/2, 11739*ms, 12490*ms, 750*ms, stopped(11740*ms, 12490*ms)),
			map[string]Verdict{
				"ack_latency.p99 < 50ms": Inconclusive, "success_rate == 100%": Inconclusive, "achieved_rate == 100%": Inconclusive,
				"throughput >= 2000/s": Inconclusive, "unsent == 522": Pass,
			}, behind,
		},
		{
			"the generator is late at the end", ending(12*second, ms/2, 11739*ms, 12490*ms, 251*ms),
			map[string]Verdict{"ack_latency.p99 < 50ms": Inconclusive, "success_rate == 100%": Inconclusive}, behind,
		},
		{
			"the same in a long run", ending(60*second, ms/2, 59739*ms, 60490*ms, 750*ms),
			map[string]Verdict{
				"success_rate == 100%": Inconclusive, "achieved_rate == 100%": Inconclusive, "throughput >= 2000/s": Inconclusive,
				"bytes_rate >= 400000B/s": Inconclusive, "success_rate >= 99%": Pass, "success_rate < 99%": Fail,
			}, "522 records were not handed over, which can be the fault of the harness",
		},
		{
			"the process stops while the client blocks", ending(60*second, ms/2, 59739*ms, 60490*ms, 0, stopped(59740*ms, 60490*ms)),
			map[string]Verdict{
				"ack_latency.max < 50ms": Inconclusive, "success_rate == 100%": Inconclusive, "achieved_rate == 100%": Inconclusive,
			}, "522 records were not handed over, which can be the fault of the harness",
		},
		{
			"the client blocks, and the process stopped before", ending(60*second, ms/2, 59739*ms, 60490*ms, 0, stopped(20*second, 21*second)),
			map[string]Verdict{"success_rate == 100%": Fail, "achieved_rate == 100%": Fail, "throughput >= 2000/s": Fail}, "",
		},
		{
			"nothing was ever handed over, half of it around a stall", ending(2*second, ms, 0, 2250*ms, 0, func(e *Evidence) {
				e.Rules.AchievedFloor = 0
				e.Stalls = []Stall{{Span{second, 1500 * ms}}}
			}),
			map[string]Verdict{"throughput > 1/s": Inconclusive, "success_rate > 49%": Inconclusive, "success_rate > 50%": Fail}, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for text, want := range test.want {
				judgement := judgedOnce(t, test.evidence, text)
				assert.Equal(t, want, judgement.Verdict, judgement)
			}
			if test.reason != "" {
				assert.Equal(t, test.reason, judgedOnce(t, test.evidence, "success_rate == 100%").Reason)
			}
		})
	}
}

// Where somebody interrupted the load, or the harness itself ended it, what the rest of it would have shown is not known.
func TestLoadThatEndedEarly(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*RunInfo)
		why  string
	}{
		{"cut short", func(r *RunInfo) { r.CutShort = "the ledger holds more than oracle.ledger_memory" },
			"the load was cut short at 9.5 s: the ledger holds more than oracle.ledger_memory"},
		{"interrupted", func(r *RunInfo) { r.Interrupted = true },
			"the load was interrupted at 9.5 s of 12.0 s, and what was left of it is not known"},
		{"interrupted when it had been cut short", func(r *RunInfo) { r.Interrupted, r.CutShort = true, "the ledger holds more than oracle.ledger_memory" },
			"the load was cut short at 9.5 s: the ledger holds more than oracle.ledger_memory"},
	} {
		t.Run(test.name, func(t *testing.T) { endedEarly(t, test.end, test.why) })
	}

	// After its end an interruption takes nothing from the load.
	played := with(func(e *Evidence) { e.Run.Interrupted = true })
	assert.Equal(t, Pass, judged(t, played, "promised", "throughput >= 1000/s").Verdict)
}

func endedEarly(t *testing.T, end func(*RunInfo), why string) {
	cut := func(e *Evidence) {
		complete(e)
		end(&e.Run)
		e.Run.LoadEnded = 9500 * ms
		each(9, 10, func(s *Slice) { s.Due, s.Sent, s.OnTime, s.Acked, s.Consumed = 500, 500, 500, 500, 500 })(e)
		each(10, 12, func(s *Slice) { *s = Slice{Span: s.Span} })(e)
		balanced(e)
	}
	failed := each(7, 8, func(s *Slice) { s.Acked -= 3; s.Failed += 3 })
	for _, test := range []struct {
		text    string
		changes []func(*Evidence)
		verdict Verdict
	}{
		{"due >= 12000", nil, Inconclusive},
		{"due >= 9500", nil, Pass},
		{"due < 9500", nil, Fail},
		{"sent > 9500", nil, Inconclusive},
		{"consumed > 9500", nil, Inconclusive},
		{"failed == 0", nil, Inconclusive},
		{"failed == 0", []func(*Evidence){failed, balanced}, Fail},
		{"failed == 0 during stage hold", nil, Inconclusive},
		{"failed == 0 during anomaly hvac", nil, Inconclusive},
		{"failed == 0 during stage warmup", nil, Pass},
		{"failed == 0 during fault crash", nil, Pass},
		{"failed == 0 outside faults", nil, Inconclusive},
		{"failed == 0 during fault crash", []func(*Evidence){func(e *Evidence) { e.Faults[0].HealedAt = Never }}, Inconclusive},
		{"success_rate >= 99%", nil, Inconclusive},
		{"success_rate == 100%", nil, Inconclusive},
		{"success_rate == 100%", []func(*Evidence){failed, balanced}, Fail},
		{"success_rate >= 99%", []func(*Evidence){failed, balanced}, Inconclusive},
		{"success_rate >= 99% during stage warmup", nil, Pass},
		{"achieved_rate >= 98%", nil, Inconclusive},
		{"throughput >= 1000/s", nil, Inconclusive},
		{"throughput < 1/s", nil, Inconclusive},
		{"ack_latency.p99 < 50ms", nil, Inconclusive},
		{"ack_latency.p99 < 1ms", nil, Inconclusive},
		{"ack_latency.mean < 50ms", nil, Inconclusive},
		{"ack_latency.max < 50ms", nil, Inconclusive},
		{"ack_latency.max < 1ms", nil, Fail},
		{"ack_latency.min < 50ms", nil, Pass},
		{"ack_latency.min > 1ms", nil, Inconclusive},
		{"ack_latency.p99 < 50ms during stage warmup", nil, Pass},
		{"availability_gap < 1s", nil, Inconclusive},
		{"availability_gap < 800ms", nil, Fail},
		{"availability_gap < 1s during fault crash", nil, Pass},
		{"ack_latency.p99 < 50ms within 3s after fault crash", nil, Inconclusive},
		{"ack_latency.p99 < 50ms within 2s after fault crash", []func(*Evidence){slow(metricAckLatency, 5, 9, 1000, 300*ms)}, Fail},
		{"recovery_time < 3s", nil, Pass},
		{"acked_lost == 0", nil, Inconclusive},
		{"acked_lost == 0", []func(*Evidence){found(ackedLost, 3, 4100*ms)}, Fail},
		{"acked_lost == 0 during stage warmup", nil, Pass},
		{"truncated == 0 during stage warmup", nil, Pass},
		{"duplicates == 0", nil, Inconclusive},
		{"duplicates == 0 during fault crash", nil, Pass},
		{"duplicates == 0 outside faults", nil, Inconclusive},
		{"duplicates == 0", []func(*Evidence){found(duplicates, 3, 4100*ms)}, Fail},
		{"rss.max < 1GiB", nil, Inconclusive},
		{"rss.max < 1MiB", nil, Fail},
		{"rss.max < 1GiB during stage warmup", nil, Pass},
		{"rss.min > 1MiB", nil, Inconclusive},
		{"rss.min < 1GiB", nil, Pass},
		{"rss.mean < 1GiB", nil, Inconclusive},
		{"partition_skew < 1.2", nil, Inconclusive},
		{"partition_skew >= 1", nil, Pass},
		{"anomalies.hvac.injected >= 60", nil, Pass},
		{"anomalies.hvac.injected == 60", nil, Inconclusive},
		{"anomalies.hvac.detected == 100%", nil, Inconclusive},
		{"anomalies.hvac.detected == 100%", []func(*Evidence){func(e *Evidence) { e.Anomalies[0].Span = Span{2 * second, 4 * second} }}, Pass},
		{"alerts.missing == 0", nil, Inconclusive},
		{"alerts.missing == 0", []func(*Evidence){func(e *Evidence) { e.Alerts.Missing = 1 }}, Fail},
		{"alerts.spurious == 0", nil, Inconclusive},
		{"faults.crash.hits == 12", nil, Pass},
		{"faults.crash.hits == 12", []func(*Evidence){func(e *Evidence) { e.Faults[0].HealedAt = 9800 * ms }}, Inconclusive},
	} {
		result := judged(t, with(append([]func(*Evidence){cut}, test.changes...)...), test.text)
		judgement := result.Expectations[0]
		assert.Equal(t, test.verdict, judgement.Verdict, "%s: %s", test.text, judgement.Reason)
		assert.Equal(t, max(test.verdict, Inconclusive), result.Verdict, test.text)
		assert.Equal(t, why, result.Reasons[0], test.text)
		if test.verdict == Inconclusive {
			assert.Equal(t, why, judgement.Reason, test.text)
		}
	}

	both := judged(t, with(cut), "ack_latency.p99 < 50ms within 3s after fault crash", "recovery_time < 3s", "recovery_time < 100ms")
	assert.Equal(t, why, both.Expectations[1].Reason, "an objective may not have held for good")
	assert.Equal(t, Fail, both.Expectations[2].Verdict, "what it took until then cannot get less")

	early := with(cut, func(e *Evidence) { e.Run.CutShort, e.Run.Interrupted = "", false })
	unsaid := judged(t, early, "throughput >= 1000/s")
	assert.InDelta(t, 1000, *unsaid.Expectations[0].Got, 1e-9)
	assert.Equal(t, Inconclusive, unsaid.Verdict, "nobody says why, and yet it ended early")
	assert.Equal(t, "the load ended at 9.5 s of 12.0 s, and what was left of it is not known", unsaid.Expectations[0].Reason)
}

// Without an offset to compare nothing is proven of offsets, promised or not.
func TestAcknowledgementsWithoutOffset(t *testing.T) {
	untold := func(readings, alerts int64) func(*Evidence) {
		return func(e *Evidence) { e.Streams[0].Counts.NoOffset, e.Streams[1].Counts.NoOffset = readings, alerts }
	}
	const nothing = "no acknowledgement is known to have told an offset"
	for _, test := range []struct {
		change  func(*Evidence)
		scope   string
		verdict Verdict
		samples int64
	}{
		{untold(0, 0), "", Pass, 12040},
		{untold(12000, 40), "", Inconclusive, 0},
		{untold(12000, 30), "", Pass, 10},
		{untold(11999, 40), "", Pass, 1},
		{untold(400, 40), " during fault crash", Pass, 600},
		{untold(1000, 0), " during fault crash", Inconclusive, 0},
		{untold(3000, 0), " during fault crash", Inconclusive, 0},
	} {
		judgement := judgedOnce(t, with(test.change), "offset_mismatches == 0"+test.scope)
		assert.Equal(t, test.verdict, judgement.Verdict, judgement)
		assert.Equal(t, test.samples, judgement.Samples)
		if test.verdict == Inconclusive {
			assert.Equal(t, nothing+strings.Replace(test.scope, "during", "in", 1), judgement.Reason)
			assert.Nil(t, judgement.Got)
		}
	}

	result := judged(t, with(untold(12000, 40)), "promised")
	assert.Equal(t, Inconclusive, result.Verdict)
	for _, judgement := range result.Expectations {
		if judgement.Expectation == "offset_mismatches == 0" {
			assert.Equal(t, "promised: acks=all tells the offset of every record; "+nothing, judgement.Reason)
		} else {
			assert.Equal(t, Pass, judgement.Verdict, judgement)
		}
	}

	mismatched := judgedOnce(t, with(untold(11997, 40), found(offsetMismatches, 3, 4100*ms)), "offset_mismatches == 0 during fault crash")
	assert.Equal(t, Fail, mismatched.Verdict, "what was found had an offset")
}

// Nothing can be seen to vanish without a second look.
func TestTruncatedNeedsASecondScan(t *testing.T) {
	once := with(func(e *Evidence) { e.Setting.Rescan, e.Readback.Rescan = false, false })
	judgement := judgedOnce(t, once, "truncated == 0")
	assert.Equal(t, Inconclusive, judgement.Verdict)
	assert.Equal(t, "truncated needs a second scan: oracle.rescan", judgement.Reason)
	assert.Nil(t, judgement.Got)

	result := judged(t, once, "promised", "acked_lost == 0")
	assert.Equal(t, Pass, result.Verdict)
	require.NotEmpty(t, result.Expectations)
	for _, judgement := range result.Expectations {
		assert.NotContains(t, judgement.Expectation, "truncated")
	}
}
