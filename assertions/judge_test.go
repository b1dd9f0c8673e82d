package assertions

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJudgeRefuses(t *testing.T) {
	for _, test := range []struct {
		change func(*Evidence)
		text   string
		want   string
	}{
		{func(e *Evidence) { e.Format = EvidenceFormat - 1 }, "promised", "judge evidence: want format 3, got 2"},
		{func(e *Evidence) { e.Streams = nil }, "promised", "judge evidence: no stream of readings in it"},
		{func(*Evidence) {}, "acked_lost = 0", `judge evidence: crash.yaml:40: acked_lost = 0: unknown operator "="; known: < <= > >= == !=`},
		{
			func(*Evidence) {}, "acked_lost == 0 during stage hot",
			`judge evidence: crash.yaml:40: acked_lost == 0 during stage hot: unknown stage "hot"; known: warmup hold`,
		},
	} {
		_, err := Judge(with(test.change), []Stated{{Text: test.text, Origin: "crash.yaml:40"}})
		assert.EqualError(t, err, test.want)
	}
}

// A histogram that cannot be read is no evidence, whichever way the judge comes across it.
func TestJudgeRefusesUnreadableHistograms(t *testing.T) {
	spoilt := each(11, 12, func(s *Slice) { s.Histograms[metricAckLatency] = []byte("no histogram") })
	for _, text := range []string{
		"due > 0", "ack_latency.p99 < 1s", "ack_latency.p99 < 1s within 3s after fault crash", "ack_latency.max < 1s within 1h after fault crash",
	} {
		_, err := Judge(with(spoilt), []Stated{{Text: text, Origin: "crash.yaml:40"}})
		require.ErrorContains(t, err, "merge ack_latency of the slice at 11s", text)
	}
	_, err := Judge(with(spoilt), []Stated{
		{Text: "recovery_time < 1s", Origin: "a"}, {Text: "ack_latency.p99 < 1s within 3s after fault crash", Origin: "b"},
	})
	assert.ErrorContains(t, err, "judge evidence: a: recovery_time < 1s: merge ack_latency of the slice at 11s")
}

func TestVerdictOfTheRun(t *testing.T) {
	uninjected := func(e *Evidence) {
		e.Faults[0] = Fault{Name: "crash", InjectedAt: Never, ProvenAt: Never, HealedAt: Never, ResumedAt: Never}
	}
	lost := found(ackedLost, 3, 4100*ms)
	for name, test := range map[string]struct {
		changes []func(*Evidence)
		expect  []string
		verdict Verdict
		reasons []string
	}{
		"all is well":           {nil, []string{"promised", "ack_latency.p99 < 50ms"}, Pass, []string{}},
		"nothing expected":      {nil, nil, Inconclusive, []string{"nothing was expected, so nothing was proven"}},
		"an expectation failed": {[]func(*Evidence){lost}, []string{"due > 0", "acked_lost == 0", "sent > 0"}, Fail, []string{}},
		"nothing was due": {[]func(*Evidence){empty}, []string{"due == 0"}, Inconclusive, []string{
			"no record was due, so nothing was proven", "fault crash was never injected",
		}},
		"fault never injected": {[]func(*Evidence){uninjected}, []string{"due > 0"}, Inconclusive, []string{"fault crash was never injected"}},
		"fault without hits": {
			[]func(*Evidence){func(e *Evidence) { e.Faults[0].Hits = 0 }},
			[]string{"due > 0"}, Inconclusive, []string{"fault crash touched nothing (connections refused: 0)"},
		},
		"fault without effect": {
			[]func(*Evidence){func(e *Evidence) { e.Faults[0].ProvenAt = Never }},
			[]string{"due > 0"}, Inconclusive, []string{"fault crash was not proven: its effect was not seen"},
		},
		"no progress after a fault": {
			[]func(*Evidence){func(e *Evidence) { e.Faults[0].ResumedAt = Never }},
			[]string{"due > 0"}, Inconclusive, []string{"fault crash was healed at 5.0 s, and no record handed over afterwards was acknowledged"},
		},
		"no progress to be made after a fault at the end": {
			[]func(*Evidence){func(e *Evidence) { e.Faults[0].HealedAt, e.Faults[0].ResumedAt = 11500*ms, Never }},
			[]string{"due > 0"}, Pass, []string{},
		},
		"a fault fails more than it proves nothing": {
			[]func(*Evidence){lost, uninjected}, []string{"acked_lost == 0"}, Fail, []string{"fault crash was never injected"},
		},
		"interrupted": {
			[]func(*Evidence){func(e *Evidence) { e.Run.Interrupted, e.Run.LoadEnded = true, 9*second }}, []string{"promised"}, Inconclusive,
			[]string{"the load was interrupted at 9.0 s of 12.0 s, and what was left of it is not known"},
		},
		"not read to the end": {
			[]func(*Evidence){func(e *Evidence) { e.Readback = Readback{Reason: "no progress for 30s at partition 3"} }},
			[]string{"due > 0"}, Inconclusive, []string{"not everything in the log was read back: no progress for 30s at partition 3"},
		},
		"broken": {
			[]func(*Evidence){lost, uninjected, func(e *Evidence) { e.Broken = []string{"heal fault crash: broker 1 does not answer"} }},
			[]string{"acked_lost == 0"}, Error, []string{"heal fault crash: broker 1 does not answer", "fault crash was never injected"},
		},
		"states do not add up": {
			[]func(*Evidence){func(e *Evidence) {
				e.Streams[0].Counts.Sent++
				e.Streams[1].Counts.Failed = 2
			}},
			[]string{"due > 0"}, Error, []string{
				"the accounts of the readings do not add up: due 12000 is not sent 12001 + shed 0 + unsent 0",
				"the accounts of the readings do not add up: sent 12001 is not acked 12000 + failed 0 + unknown 0",
				"the accounts of the alerts do not add up: sent 40 is not acked 40 + failed 2 + unknown 0",
				"the accounts of the readings do not add up: sent is 12001 over the run and 12000 over its slices",
			},
		},
		"slices do not add up": {
			[]func(*Evidence){each(3, 4, func(s *Slice) { s.Acked--; s.Unknown++ })},
			[]string{"due > 0"}, Error, []string{
				"the accounts of the readings do not add up: acked is 12000 over the run and 11999 over its slices",
				"the accounts of the readings do not add up: unknown is 0 over the run and 1 over its slices",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := judged(t, with(test.changes...), test.expect...)
			assert.Equal(t, test.verdict, result.Verdict)
			assert.Equal(t, test.reasons, result.Reasons)
		})
	}
}

func TestPromisedIsWrittenOut(t *testing.T) {
	result := judged(t, with(found(duplicates, 19, 7500*ms)), "promised", "due > 0")
	var got []string
	for _, judgement := range result.Expectations {
		got = append(got, judgement.String())
	}
	assert.Equal(t, []string{
		"crash.yaml:40: acked_lost == 0: promised: acks=all with 3 replicas, at least 2 of them in sync, and clean elections",
		"crash.yaml:40: duplicates == 0: promised: idempotent producer; got 19 of 12,040; first device climate-0042 #118 due 7.5 s, " +
			"in stage hold [2.0 s – 12.0 s]; replay: --set seed=7",
		"crash.yaml:40: reordered == 0: promised: idempotent producer",
		"crash.yaml:40: affinity_splits == 0: promised: partitioner hash keeps a key on its partition",
		"crash.yaml:40: wrong_partition == 0: promised: partitioner hash is a function of the key",
		"crash.yaml:40: phantoms == 0: promised: only this run writes to its topic",
		"crash.yaml:40: corrupt == 0: promised: every record carries its checksum",
		"crash.yaml:40: offset_mismatches == 0: promised: acks=all tells the offset of every record",
		"crash.yaml:40: failed_but_stored == 0: promised: failed is only said of what is certainly not stored",
		"crash.yaml:40: truncated == 0: promised: acks=all with 3 replicas, at least 2 of them in sync, and clean elections",
		"crash.yaml:40: due > 0",
	}, got)
	assert.Equal(t, Fail, result.Verdict)
}

// A run that broke before its load has no slices.
func TestRunWithoutSlices(t *testing.T) {
	result := judged(t, with(empty, func(e *Evidence) {
		e.Slices, e.Broken = nil, []string{"start broker: listen: address in use"}
	}), "promised", "ack_latency.p99 < 1s", "rss.max < 1GiB", "availability_gap < 1s outside faults", "recovery_time < 1s")
	assert.Equal(t, Error, result.Verdict)
	for _, judgement := range result.Expectations {
		assert.Equal(t, Inconclusive, judgement.Verdict, judgement)
	}
	alive := with(func(e *Evidence) { e.Slices = nil; e.Faults[0].HealedAt = Never })
	assert.Equal(t, Inconclusive, judgedOnce(t, alive, "ack_latency.p99 < 1s during fault crash").Verdict)
}

// What was not read back may lie in the log or not: it leaves open what is missing, but undoes no finding.
func TestUnreadLog(t *testing.T) {
	unread := func(e *Evidence) { e.Readback = Readback{Reason: "no progress for 30s", Rescan: true} }
	const why = "not everything in the log was read back: no progress for 30s"
	for _, test := range []struct {
		text    string
		change  func(*Evidence)
		verdict Verdict
	}{
		{"acked_lost == 0", found(ackedLost, 3, 4100*ms), Inconclusive},
		{"acked_lost == 0", func(*Evidence) {}, Inconclusive},
		{"truncated == 0", found(truncated, 3, 4100*ms), Inconclusive},
		{"duplicates == 0", found(duplicates, 3, 4100*ms), Fail},
		{"duplicates == 0 during fault crash", found(duplicates, 3, 4100*ms), Fail},
		{"duplicates == 0", func(*Evidence) {}, Inconclusive},
		{"phantoms == 0", found(phantoms, 1, Never), Fail},
		{"consumed >= 12000", func(*Evidence) {}, Pass},
		{"consumed < 13000", func(*Evidence) {}, Inconclusive},
		{"e2e_latency.p99 < 1ms", func(*Evidence) {}, Fail},
		{"e2e_latency.p99 < 1s", func(*Evidence) {}, Inconclusive},
		{"ack_latency.p99 < 1s", func(*Evidence) {}, Pass},
		{"partition_skew < 2", func(*Evidence) {}, Inconclusive},
		{"anomalies.hvac.injected >= 60", func(*Evidence) {}, Pass},
		{"anomalies.hvac.injected == 60", func(*Evidence) {}, Pass}, // the generator knows
		{"anomalies.hvac.detected == 100%", func(*Evidence) {}, Inconclusive},
		{"alerts.missing == 0", func(e *Evidence) { e.Alerts.Missing = 3 }, Inconclusive},
		{"alerts.spurious == 0", func(e *Evidence) { e.Alerts.Spurious = 3 }, Inconclusive},
	} {
		judgement := judgedOnce(t, with(unread, test.change), test.text)
		assert.Equal(t, test.verdict, judgement.Verdict, "%s: %s", test.text, judgement.Reason)
		if test.verdict == Inconclusive {
			assert.Equal(t, why, judgement.Reason, test.text)
			assert.NotNil(t, judgement.Got, "what was seen is shown all the same")
		}
	}
	silent := func(e *Evidence) { e.Readback = Readback{} }
	assert.Equal(t, "not everything in the log was read back", judgedOnce(t, with(silent), "duplicates == 0").Reason)
}

// timed are expectations on rates and latencies that healthy evidence meets.
var timed = []string{
	"success_rate >= 99%", "achieved_rate >= 95%", "throughput > 1/s", "bytes_rate > 1B/s", "schedule_lag.p99 < 1s", "blocked.p99 < 1s",
	"send_latency.max < 1s", "ack_latency.mean < 1s", "e2e_latency.p50 < 1s", "availability_gap < 5s",
}

// The generator's own shortfall makes rates and latencies prove nothing in either direction; findings and counters stand.
func TestShortfall(t *testing.T) {
	late := func(slice int, n int64) func(*Evidence) { return each(slice, slice+1, func(s *Slice) { s.Late = n }) }
	behind := func(from, to int, onTime int64) func(*Evidence) {
		return each(from, to, func(s *Slice) {
			s.OnTime = onTime
			s.Histograms[metricScheduleLag] = histogram(time.Duration(onTime), ms, time.Duration(1000-onTime), 40*second)
		})
	}
	for _, test := range []struct {
		name    string
		changes []func(*Evidence)
		scope   string
		reason  string // empty: no shortfall
	}{
		{"late", []func(*Evidence){late(5, 60), late(7, 41)}, "", "the generator fell behind its own schedule: 101 of 10,000 records due were late by its fault, more than 1%"},
		{"just not late", []func(*Evidence){late(5, 60), late(7, 40)}, "", ""},
		{"late in the warm-up", []func(*Evidence){late(1, 900)}, "", ""},
		{"late in the warm-up, said aloud", []func(*Evidence){late(1, 900)}, " during run", ""},
		{"late in a stage", []func(*Evidence){late(1, 21)}, " during stage warmup", "the generator fell behind its own schedule: 21 of 2,000 records due were late by its fault, more than 1%"},
		{"late in another stage", []func(*Evidence){late(1, 900)}, " during stage hold", ""},
		{
			"behind", []func(*Evidence){behind(6, 12, 900)}, "",
			"the load was not kept up: only 92.5% of 8,000 records due outside faults were handed over in time, below the floor of 95%, and how busy the machine was is not known",
		},
		{"just not behind", []func(*Evidence){behind(6, 10, 900)}, "", ""},
		{"behind during a fault", []func(*Evidence){behind(4, 5, 0)}, "", ""},
		{"behind while acknowledgements are still to come", []func(*Evidence){behind(5, 6, 0)}, "", ""},
		{"behind in a fault alone", []func(*Evidence){behind(4, 5, 0)}, " during fault crash", ""},
		{
			"behind in a window", []func(*Evidence){behind(8, 10, 900)}, " during anomaly hvac",
			"the load was not kept up: only 90% of 2,000 records due outside faults were handed over in time, below the floor of 95%, and how busy the machine was is not known",
		},
		{
			"behind outside faults", []func(*Evidence){behind(6, 12, 900)}, " outside faults",
			"the load was not kept up: only 92.5% of 8,000 records due outside faults were handed over in time, below the floor of 95%, and how busy the machine was is not known",
		},
		{
			"behind after a fault", []func(*Evidence){behind(6, 12, 900)}, " within 3s after fault crash",
			"the load was not kept up: only 90% of 6,000 records due outside faults were handed over in time, below the floor of 95%, and how busy the machine was is not known",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var texts []string
			for _, text := range timed {
				texts = append(texts, text+test.scope)
			}
			// What fails must not fail either.
			texts = append(texts, "ack_latency.p99 < 1us"+test.scope, "success_rate < 1%"+test.scope)
			changes := append([]func(*Evidence){complete}, test.changes...)
			for _, judgement := range judged(t, with(changes...), texts...).Expectations {
				if test.reason != "" {
					assert.Equal(t, Inconclusive, judgement.Verdict, judgement)
					assert.Equal(t, test.reason, judgement.Reason)
				} else {
					assert.NotEqual(t, Inconclusive, judgement.Verdict, judgement)
				}
			}
		})
	}

	evidence := with(late(5, 900), found(duplicates, 3, 4100*ms))
	assert.Equal(t, Fail, judgedOnce(t, evidence, "duplicates == 0").Verdict, "findings stand")
	assert.Equal(t, Pass, judgedOnce(t, evidence, "due == 12000").Verdict, "counters stand")
	again := with(late(5, 900), found(duplicates, 3, 8100*ms))
	assert.Equal(t, Fail, judgedOnce(t, again, "duplicates == 0 within 2s after fault crash").Verdict, "also after a fault")
	result := judged(t, with(late(5, 900)), "ack_latency.p99 < 1s", "due == 12000")
	assert.Equal(t, Inconclusive, result.Verdict)
	assert.NotNil(t, result.Expectations[0].Got)
}

// Stalls of the machine add to latencies. Where the verdict would be the same without them it stands.
func TestStalls(t *testing.T) {
	stalled := func(from, to time.Duration) func(*Evidence) {
		return func(e *Evidence) { e.Stalls = append(e.Stalls, Stall{Span{from, to}}) }
	}
	const ack = metricAckLatency
	for _, test := range []struct {
		name    string
		changes []func(*Evidence)
		text    string
		verdict Verdict
	}{
		{"a pass stands", []func(*Evidence){stalled(7*second, 7500*ms)}, "ack_latency.p99 < 50ms", Pass},
		{"the tail is as small as what a stall can have held up", []func(*Evidence){slow(ack, 7, 8, 400, 5*ms, 600, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.p99 < 50ms", Inconclusive},
		{"the tail is larger than that", []func(*Evidence){slow(ack, 6, 8, 400, 5*ms, 600, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.p99 < 50ms", Fail},
		{"what was on its way counts", []func(*Evidence){slow(ack, 6, 8, 700, 5*ms, 300, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.p99 < 50ms", Inconclusive},
		{"elsewhere", []func(*Evidence){slow(ack, 9, 10, 400, 5*ms, 600, 400*ms), stalled(1*second, 1500*ms)}, "ack_latency.p99 < 50ms", Fail},
		{"nothing was due", []func(*Evidence){slow(ack, 9, 10, 400, 5*ms, 600, 400*ms), stalled(20*second, 40*second)}, "ack_latency.p99 < 50ms", Fail},
		{"a stall of everything", []func(*Evidence){slow(ack, 0, 12, 1000, 400*ms), stalled(0, 12*second)}, "ack_latency.p99 < 50ms", Inconclusive},
		{"nor is a pass given by it", []func(*Evidence){slow(ack, 7, 8, 400, 5*ms, 600, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.p99 > 50ms", Inconclusive},
		{"max is decided by one record", []func(*Evidence){slow(ack, 7, 8, 999, 5*ms, 1, 400*ms), stalled(7*second, 7010*ms)}, "ack_latency.max < 50ms", Inconclusive},
		{"min is decided by none", []func(*Evidence){stalled(7*second, 7500*ms)}, "ack_latency.min < 4ms", Fail},
		{"a mean that stalls can have raised", []func(*Evidence){slow(ack, 7, 8, 500, 5*ms, 500, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.mean < 10ms", Inconclusive},
		{"a mean that is higher than that", []func(*Evidence){slow(ack, 2, 12, 500, 5*ms, 500, 400*ms), stalled(7*second, 7500*ms)}, "ack_latency.mean < 10ms", Fail},
		{"a gap that a stall can explain", []func(*Evidence){stalled(4100*ms, 4800*ms)}, "availability_gap < 500ms", Inconclusive},
		{"a gap that it cannot", []func(*Evidence){stalled(4100*ms, 4200*ms)}, "availability_gap < 500ms", Fail},
		{"a recovery that a stall can explain", []func(*Evidence){stalled(5050*ms, 5150*ms)}, "recovery_time <= 150ms", Inconclusive},
		{"a recovery that it cannot", []func(*Evidence){stalled(5050*ms, 5150*ms)}, "recovery_time < 50ms", Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			judgement := judgedOnce(t, with(test.changes...), test.text)
			assert.Equal(t, test.verdict, judgement.Verdict, judgement.Reason)
		})
	}
	judgement := judgedOnce(t, with(slow(ack, 7, 8, 400, 5*ms, 600, 400*ms), stalled(7*second, 7500*ms)), "ack_latency.p99 < 50ms")
	assert.Equal(t, "the machine did not run the harness for 500 ms here, which can have held up 1,000 of 10,000 records", judgement.Reason)
	judgement = judgedOnce(t, with(stalled(4100*ms, 4800*ms)), "availability_gap < 500ms")
	assert.Equal(t, "the harness itself was not running for part of that time", judgement.Reason)
}

// A percentile q needs 3 ÷ (1 − q) samples.
func TestSamples(t *testing.T) {
	for aggregate, want := range map[Aggregate]int64{
		"p99": 300, "p99.9": 3000, "p99.99": 30000, "p99.999": 300000, "p50": 6, "p90": 30, "p95": 60, "p1": 4, Min: 1, Mean: 1, Max: 1, "": 1,
	} {
		assert.Equal(t, want, samplesFor(aggregate), aggregate)
	}
	few := func(n time.Duration) func(*Evidence) {
		return each(2, 12, func(s *Slice) {
			s.Histograms = nil
			if s.From == 6*second {
				s.Histograms = map[string][]byte{metricAckLatency: histogram(n, 5*ms)}
			}
		})
	}
	assert.Equal(t, Pass, judgedOnce(t, with(few(300)), "ack_latency.p99 < 1s").Verdict)
	judgement := judgedOnce(t, with(few(299)), "ack_latency.p99 < 1s during stage hold")
	assert.Equal(t, Inconclusive, judgement.Verdict)
	assert.Equal(t, "p99 needs 300 samples, stage hold has 299", judgement.Reason)
	assert.Equal(t, int64(299), judgement.Samples)
	assert.Equal(t, Inconclusive, judgedOnce(t, with(few(299)), "ack_latency.p99 < 1ms").Verdict, "too few to fail by, too")
	assert.Equal(t, "p99.9 needs 3,000 samples, run has 2,999", judgedOnce(t, with(few(2999)), "ack_latency.p99.9 < 1s").Reason)
	assert.Equal(t, Pass, judgedOnce(t, with(few(3000)), "ack_latency.p99.9 < 1s").Verdict)
	assert.Equal(t, "ack_latency has no samples in run", judgedOnce(t, with(each(0, 12, func(s *Slice) { s.Histograms = nil })), "ack_latency.max < 1s").Reason)
}

// Values beyond the histograms' range rank last and fail whatever they reach.
func TestBeyondTheRange(t *testing.T) {
	beyond := func(n int64) func(*Evidence) {
		return each(6, 7, func(s *Slice) { s.Beyond = map[string]int64{metricAckLatency: n} })
	}
	judgement := judgedOnce(t, with(beyond(200)), "ack_latency.p99 < 50ms")
	assert.Equal(t, Fail, judgement.Verdict)
	assert.Nil(t, judgement.Got)
	assert.Equal(t, int64(10200), judgement.Samples)
	assert.Equal(t, "got more than can be measured over 10,200 records; worst at 6.0 s – 7.0 s: more than can be measured, "+
		"in stage hold [2.0 s – 12.0 s]; replay: --set seed=7", judgement.Reason)

	assert.Equal(t, Pass, judgedOnce(t, with(beyond(50)), "ack_latency.p99 < 50ms").Verdict, "the percentile lies below them")
	assert.Equal(t, Fail, judgedOnce(t, with(beyond(1)), "ack_latency.max < 50ms").Verdict)
	assert.Equal(t, Fail, judgedOnce(t, with(beyond(1)), "ack_latency.mean < 50ms").Verdict)
	assert.Equal(t, Pass, judgedOnce(t, with(beyond(1)), "ack_latency.min < 50ms").Verdict)
	only := each(2, 12, func(s *Slice) { s.Histograms = nil })
	assert.Equal(t, Fail, judgedOnce(t, with(only, beyond(400)), "ack_latency.p50 < 50ms").Verdict)

	latencies := judged(t, with(beyond(200)), "due > 0").Latencies
	i := indexLatency(latencies, metricAckLatency, "stage hold")
	assert.Empty(t, cmp.Diff(Latency{
		Metric: "ack_latency", Phase: "stage hold", Count: 10200, Beyond: 200, P50: 0.005, P90: 0.005, P99: 3600, P999: 3600, Max: 3600,
	}, latencies[i], rounded))
}

// rounded compares figures as closely as a histogram of three digits tells them apart.
var rounded = cmp.Comparer(func(x, y float64) bool { return x == y || x-y < 1e-3*y && y-x < 1e-3*y })

func indexLatency(latencies []Latency, metric, phase string) int {
	for i, l := range latencies {
		if l.Metric == metric && l.Phase == phase {
			return i
		}
	}
	return -1
}

func TestLatencies(t *testing.T) {
	evidence := with(
		slow(metricAckLatency, 0, 2, 1000, second), slow(metricAckLatency, 4, 6, 1000, 300*ms),
		each(0, 12, func(s *Slice) {
			for metric := range s.Histograms {
				if metric != metricAckLatency && metric != metricE2eLatency {
					delete(s.Histograms, metric)
				}
			}
		}),
	)
	row := func(metric, phase string, count int64, figures ...float64) Latency {
		return Latency{Metric: metric, Phase: phase, Count: count, P50: figures[0], P90: figures[1], P99: figures[2], P999: figures[3], Max: figures[4]}
	}
	want := []Latency{
		row(metricAckLatency, "run", 10000, 0.005, 0.3, 0.3, 0.3, 0.3), // without the warm-up
		row(metricAckLatency, "stage hold", 10000, 0.005, 0.3, 0.3, 0.3, 0.3),
		row(metricAckLatency, "fault crash", 1000, 0.3, 0.3, 0.3, 0.3, 0.3),
		row(metricAckLatency, "outside faults", 8000, 0.005, 0.005, 0.005, 0.02, 0.02), // nor the recovery until 5.2 s
		row(metricE2eLatency, "run", 10000, 0.01, 0.01, 0.01, 0.04, 0.04),
		row(metricE2eLatency, "stage hold", 10000, 0.01, 0.01, 0.01, 0.04, 0.04),
		row(metricE2eLatency, "fault crash", 1000, 0.01, 0.01, 0.01, 0.04, 0.04),
		row(metricE2eLatency, "outside faults", 8000, 0.01, 0.01, 0.01, 0.04, 0.04),
	}
	assert.Empty(t, cmp.Diff(want, judged(t, evidence, "due > 0").Latencies, rounded))

	evidence.Faults = nil
	want = append(append([]Latency{}, want[0], want[1]), want[4], want[5])
	assert.Empty(t, cmp.Diff(want, judged(t, evidence, "due > 0").Latencies, rounded))
}

func TestResult(t *testing.T) {
	evidence := with(found(ackedLost, 3, 4100*ms), func(e *Evidence) {
		e.Streams[1].Findings["acked_lost"] = Found{Count: 2, First: []Offender{{Device: "climate-0001", Sequence: 2, Due: 8 * second, Note: "late"}, {Device: "climate-0003", Sequence: 1, Due: Never}}}
		e.Faults = append(e.Faults, Fault{Name: "slow", Do: "latency", Target: "all", InjectedAt: Never, ProvenAt: Never, HealedAt: Never, ResumedAt: Never})
		e.Errors = []ErrorCount{{State: "unknown", Text: "EOF", Count: 3}}
		e.LongestPause = 7 * ms
	})
	result := judged(t, evidence, "acked_lost == 0", "due > 0")
	at := func(s float64) *float64 { return &s }
	want := &Result{
		Scenario: "crash", Run: "r1", Seed: 7, Verdict: Fail, Reasons: []string{"fault slow was never injected"},
		Counts: map[string]int64{
			"due": 12000, "sent": 12000, "acked": 12000, "failed": 0, "unknown": 0, "consumed": 12000, "unsent": 0, "shed": 0,
			"acked_lost": 5, "duplicates": 0, "reordered": 0, "affinity_splits": 0, "wrong_partition": 0, "phantoms": 0, "corrupt": 0,
			"offset_mismatches": 0, "failed_but_stored": 0, "truncated": 0, "alerts.missing": 0, "alerts.spurious": 0,
			"anomalies.hvac.injected": 60, "faults.crash.hits": 12, "faults.slow.hits": 0,
		},
		Expectations: []Judgement{
			{
				Expectation: "acked_lost == 0", Verdict: Fail, Got: at(5), Unit: "records", Samples: 12040, Origin: "crash.yaml:40",
				Reason: "got 5 of 12,040; first device climate-0042 #118 due 4.1 s, during fault crash [4.0 s – 5.0 s]; replay: --set seed=7",
			},
			{Expectation: "due > 0", Verdict: Pass, Got: at(12000), Unit: "records", Samples: 12000, Origin: "crash.yaml:40"},
		},
		Findings: map[string][]OffenderResult{"acked_lost": {
			{Device: "climate-0042", Sequence: 118, Due: at(4.1), Partition: 3, Offset: 77},
			{Device: "climate-0001", Sequence: 2, Due: at(8), Note: "alerts; late"},
			{Device: "climate-0003", Sequence: 1, Note: "alerts"},
		}},
		Faults: []FaultResult{
			{
				Name: "crash", Do: "crash", Target: "broker 1", InjectedAt: at(4), ProvenAt: at(4.01), HealedAt: at(5), ResumedAt: at(5.2),
				Hits: 12, Proof: "connections refused", Proven: true,
			},
			{Name: "slow", Do: "latency", Target: "all"},
		},
		Errors:    []ErrorCount{{State: "unknown", Text: "EOF", Count: 3}},
		Latencies: result.Latencies, StallLimit: 0.25, LongestPause: 0.007,
		Versions: map[string]string{"fleetproof": "dev", "sarama": "v1.61.1", "broker": "kfake", "go": "go1.26"},
		Started:  evidence.Run.Started, Duration: 15.25,
	}
	assert.Empty(t, cmp.Diff(want, result))
}

// Evidence that was written down gives the same result, to the byte.
func TestJudgeIsReproducible(t *testing.T) {
	evidence := with(complete, found(ackedLost, 3, 4100*ms), slow(metricAckLatency, 4, 6, 700, 5*ms, 300, 3*second), func(e *Evidence) {
		e.Stalls = []Stall{{Span{7 * second, 7100 * ms}}}
		e.Samples = hour().Samples
	})
	texts := append([]string{
		"promised", "heap.slope < 1MiB/h", "recovery_time < 3s", "e2e_latency.p99 < 1s within 3s after fault crash", "ack_latency.p99 < 1s within 3s after fault crash",
		"partition_skew < 1.1", "ack_latency.p99.9 < 1ms outside faults", "cpu.mean < 10%", "anomalies.hvac.detected == 100%",
	}, timed...)
	first, err := json.MarshalIndent(judged(t, evidence, texts...), "", "  ")
	require.NoError(t, err)
	second, err := json.MarshalIndent(judged(t, rewritten(t, evidence), texts...), "", "  ")
	require.NoError(t, err)
	assert.Equal(t, string(first), string(second))
	third, err := json.MarshalIndent(judged(t, evidence, texts...), "", "  ")
	require.NoError(t, err)
	assert.Equal(t, string(first), string(third))
	assert.Contains(t, string(first), `"verdict": "FAIL"`)
}
