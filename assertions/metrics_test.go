package assertions

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// metricCase is an expectation that healthy evidence meets, evidence that fails it, and what is got each time. All
// of them prove nothing on empty evidence.
type metricCase struct {
	text     string
	pass     float64
	samples  int64
	fail     []func(*Evidence)
	got      float64
	reason   string
	evidence func() *Evidence // instead of healthy
}

func finds(f finding, reason string) metricCase {
	return metricCase{
		text: f.String() + " == 0", pass: 0, samples: 12040, fail: []func(*Evidence){found(f, 3, 4100*ms)}, got: 3,
		reason: "got 3 of 12,040; first device climate-0042 #118 due 4.1 s, during fault crash [4.0 s – 5.0 s]; replay: --set seed=7",
	}
}

// state moves 30 of the records due in slice 4 from acked to another state.
func state(to func(*Slice)) []func(*Evidence) {
	return []func(*Evidence){each(4, 5, func(s *Slice) { s.Acked -= 30; to(s) }), balanced}
}

func metricCases() map[string]metricCase {
	const worst = "; worst at 4.0 s – 5.0 s: "
	const there = ", during fault crash [4.0 s – 5.0 s]; replay: --set seed=7"
	cases := map[string]metricCase{
		"due": {
			text: "due >= 12000", pass: 12000, samples: 12000, got: 11000,
			fail:   []func(*Evidence){each(4, 5, func(s *Slice) { *s = Slice{Span: s.Span} }), balanced},
			reason: "got 11,000; replay: --set seed=7",
		},
		"sent": {
			text: "sent == 12000", pass: 12000, samples: 12000, got: 11970,
			fail:   state(func(s *Slice) { s.Sent -= 30; s.Unsent += 30 }),
			reason: "got 11,970 of 12,000" + worst + "970" + there,
		},
		"acked": {
			text: "acked > 11999", pass: 12000, samples: 12000, got: 11970,
			fail:   state(func(s *Slice) { s.Failed += 30 }),
			reason: "got 11,970 of 12,000" + worst + "970" + there,
		},
		"failed": {
			text: "failed == 0", pass: 0, samples: 12000, got: 30,
			fail:   state(func(s *Slice) { s.Failed += 30 }),
			reason: "got 30 of 12,000" + worst + "30" + there,
		},
		"unknown": {
			text: "unknown < 1", pass: 0, samples: 12000, got: 30,
			fail:   state(func(s *Slice) { s.Unknown += 30 }),
			reason: "got 30 of 12,000" + worst + "30" + there,
		},
		"consumed": {
			text: "consumed >= 12000", pass: 12000, samples: 12000, got: 11900,
			fail:   []func(*Evidence){each(4, 5, func(s *Slice) { s.Consumed -= 100 }), balanced},
			reason: "got 11,900 of 12,000" + worst + "900" + there,
		},
		"unsent": {
			text: "unsent == 0", pass: 0, samples: 12000, got: 30,
			fail:   state(func(s *Slice) { s.Sent -= 30; s.Unsent += 30 }),
			reason: "got 30 of 12,000" + worst + "30" + there,
		},
		"shed": {
			text: "shed <= 0", pass: 0, samples: 12000, got: 30,
			fail:   state(func(s *Slice) { s.Sent -= 30; s.Shed += 30 }),
			reason: "got 30 of 12,000" + worst + "30" + there,
		},
		"phantoms": {
			text: "phantoms == 0", pass: 0, samples: 12040, got: 1, fail: []func(*Evidence){func(e *Evidence) {
				e.Streams[0].Findings["phantoms"] = Found{Count: 1, First: []Offender{{Sequence: -1, Due: Never, Partition: 3, Offset: 77, Note: "no header"}}}
			}},
			reason: "got 1 of 12,040; first partition 3 offset 77 (no header); replay: --set seed=7",
		},
		"success_rate": {
			text: "success_rate >= 99.9%", pass: 1, samples: 10000, got: 0.997,
			fail:   state(func(s *Slice) { s.Unknown += 30 }),
			reason: "got 99.7% (9,970 of 10,000)" + worst + "97%" + there,
		},
		"achieved_rate": {
			text: "achieved_rate >= 98%", pass: 1, samples: 10000, got: 0.96,
			fail:   []func(*Evidence){each(4, 5, func(s *Slice) { s.OnTime = 600; s.Histograms[metricScheduleLag] = histogram(600, ms, 400, 20*second) })},
			reason: "got 96% (9,600 of 10,000)" + worst + "60%" + there,
		},
		"throughput": {
			text: "throughput >= 999/s", pass: 1000, samples: 10000, got: 997,
			fail:   state(func(s *Slice) { s.Unknown += 30 }),
			reason: "got 997/s (9,970 in 10 s)" + worst + "970/s" + there,
		},
		"bytes_rate": {
			text: "bytes_rate > 190KiB/s", pass: 200_000, samples: 10000, got: 190_000,
			fail:   []func(*Evidence){each(4, 5, func(s *Slice) { s.Bytes = 100_000 })},
			reason: "got 185.547 KiB/s (1.81198 MiB in 10 s)" + worst + "97.6562 KiB/s" + there,
		},
		"availability_gap": {
			text: "availability_gap < 1s", pass: 0.9, samples: 10000, got: 1.5,
			fail:   []func(*Evidence){func(e *Evidence) { e.Gaps[1].To = 5500 * ms }},
			reason: "got 1.5 s; partition 2, 4.0 s – 5.5 s; replay: --set seed=7",
		},
		"recovery_time": {
			text: "recovery_time < 500ms", pass: 0.2, samples: 1, got: 0.7,
			fail:   []func(*Evidence){func(e *Evidence) { e.Faults[0].ResumedAt = 5700 * ms }},
			reason: "got 700 ms; after fault crash was healed at 5.0 s; replay: --set seed=7",
		},
		"partition_skew": {
			text: "partition_skew < 1.2", pass: 1, samples: 12000, got: 1.5,
			fail:   []func(*Evidence){func(e *Evidence) { e.Partitions[2].Consumed = 4500; e.Partitions[1].Consumed = 1500 }},
			reason: "got 1.5; partition 2 holds 4,500 records, the mean of 4 partitions is 3,000; replay: --set seed=7",
		},
		"anomalies.NAME.injected": {
			text: "anomalies.hvac.injected >= 60", pass: 60, samples: 12000, got: 59,
			fail:   []func(*Evidence){func(e *Evidence) { e.Anomalies[0].Injected = 59 }},
			reason: "got 59 of 12,000; replay: --set seed=7",
		},
		"anomalies.NAME.detected": {
			text: "anomalies.hvac.detected == 100%", pass: 1, samples: 6, got: 5. / 6,
			fail:   []func(*Evidence){func(e *Evidence) { e.Anomalies[0].Detected = 5 }},
			reason: "got 83.3333% (5 of 6 devices); replay: --set seed=7",
		},
		"alerts.missing": {
			text: "alerts.missing == 0", pass: 0, samples: 40, got: 4,
			fail:   []func(*Evidence){func(e *Evidence) { e.Alerts.Missing = 4 }},
			reason: "got 4 of 40; replay: --set seed=7",
		},
		"alerts.spurious": {
			text: "alerts.spurious == 0", pass: 0, samples: 12000, got: 2,
			fail:   []func(*Evidence){func(e *Evidence) { e.Alerts.Spurious = 2 }},
			reason: "got 2; replay: --set seed=7",
		},
		"faults.NAME.hits": {
			text: "faults.crash.hits >= 10", pass: 12, samples: 12, got: 9,
			fail:   []func(*Evidence){func(e *Evidence) { e.Faults[0].Hits = 9 }},
			reason: "got 9; connections refused; replay: --set seed=7",
		},
		"faults.NAME.proven": {
			text: "faults.crash.proven == 100%", pass: 1, samples: 12, got: 0,
			fail:   []func(*Evidence){func(e *Evidence) { e.Faults[0].ProvenAt = Never }},
			reason: "got 0%; its effect was not seen; replay: --set seed=7",
		},
		"cpu": {
			text: "cpu.max < 1", pass: 0.5, samples: 15, got: 1.5,
			fail:   []func(*Evidence){func(e *Evidence) { e.Samples[9].CPU = new(1.5) }},
			reason: "got 1.5 over 15 samples; at 9.0 s; replay: --set seed=7",
		},
		"rss": {
			text: "rss.mean < 101MiB", pass: 100 << 20, samples: 15, got: 102 << 20,
			fail:   []func(*Evidence){func(e *Evidence) { e.Samples[9].RSS = new(int64(130 << 20)) }},
			reason: "got 102 MiB over 15 samples; replay: --set seed=7",
		},
		"heap": {
			text: "heap.min >= 40MiB", pass: 40 << 20, samples: 15, got: 10 << 20,
			fail:   []func(*Evidence){func(e *Evidence) { e.Samples[9].Heap = 10 << 20 }},
			reason: "got 10 MiB over 15 samples; at 9.0 s; replay: --set seed=7",
		},
		"goroutines": {
			text: "goroutines.slope < 10/h", evidence: hour, pass: 0, samples: 3601, got: 60,
			fail: []func(*Evidence){func(e *Evidence) {
				for i := range e.Samples {
					e.Samples[i].Goroutines += int64(i / 60)
				}
			}},
			reason: "got 60/h over 3601 samples; 50 at 0.0 s, 107 at 3420.0 s; replay: --set seed=7",
		},
		"open_files": {
			text: "open_files.max <= 20", pass: 20, samples: 15, got: 21,
			fail:   []func(*Evidence){func(e *Evidence) { e.Samples[9].OpenFiles = new(int64(21)) }},
			reason: "got 21 over 15 samples; at 9.0 s; replay: --set seed=7",
		},
	}
	for f := range findingCount {
		if f != phantoms {
			cases[f.String()] = finds(f, "")
		}
	}
	for _, metric := range []struct {
		name string
		p99  float64
	}{
		{metricScheduleLag, 0.001}, {metricBlocked, 0}, {metricSendLatency, 0.004}, {metricAckLatency, 0.005}, {metricE2eLatency, 0.010003},
	} {
		whole := slow(metric.name, 0, 12, 1000, time.Duration(metric.p99*float64(second)))
		if metric.name == metricAckLatency || metric.name == metricE2eLatency {
			whole = func(*Evidence) {}
		}
		cases[metric.name] = metricCase{
			evidence: func() *Evidence { return with(whole) },
			text:     metric.name + ".p99 < 50ms", pass: metric.p99, samples: 10000, got: 0.06,
			fail:   []func(*Evidence){slow(metric.name, 4, 5, 600, 5*ms, 400, 60*ms)},
			reason: "got 60.031 ms over 10,000 records" + worst + "60.031 ms" + there,
		}
	}
	return cases
}

// hour is evidence of an hour, sampled once a second.
func hour() *Evidence {
	e := healthyRun()
	e.Samples = nil
	for i := range 3601 {
		e.Samples = append(e.Samples, Sample{At: time.Duration(i) * second, CPU: new(0.5), RSS: new(int64(100 << 20)), Heap: int64(40+i%30) << 20, Goroutines: 50, OpenFiles: new(int64(20))})
	}
	return e
}

// TestEveryMetric is the harness's proof that every metric can fail, and that none passes on nothing.
func TestEveryMetric(t *testing.T) {
	cases := metricCases()
	for _, metric := range Metrics() {
		test, found := cases[metric.Name]
		if !found {
			t.Errorf("%s has no case that passes, fails and has no data", metric.Name)
			continue
		}
		delete(cases, metric.Name)
		if test.evidence == nil {
			test.evidence = healthyRun
		}
		t.Run(metric.Name, func(t *testing.T) {
			e, err := ParseExpectation(test.text)
			require.NoError(t, err)
			require.Equal(t, metric.Name, e.Metric)

			pass := judgedOnce(t, test.evidence(), test.text)
			assert.Equal(t, Pass, pass.Verdict, pass.Reason)
			require.NotNil(t, pass.Got)
			assert.InEpsilon(t, test.pass+1, *pass.Got+1, 1e-4)
			assert.Equal(t, test.samples, pass.Samples)
			assert.Equal(t, metric.unit(e.Aggregate), pass.Unit)
			assert.InDelta(t, e.Limit.Value, pass.Limit, 0)
			assert.Equal(t, "crash.yaml:40", pass.Origin)
			assert.Empty(t, pass.Reason)

			evidence := test.evidence()
			for _, change := range test.fail {
				change(evidence)
			}
			fail := judgedOnce(t, evidence, test.text)
			assert.Equal(t, Fail, fail.Verdict)
			require.NotNil(t, fail.Got)
			assert.InEpsilon(t, test.got+1, *fail.Got+1, 1e-4)
			assert.Equal(t, test.reason, fail.Reason)

			nothing := judgedOnce(t, with(empty), test.text)
			assert.Equal(t, Inconclusive, nothing.Verdict)
			assert.Nil(t, nothing.Got)
			assert.Zero(t, nothing.Samples)
			assert.NotEmpty(t, nothing.Reason)
		})
	}
	assert.Empty(t, cases, "cases of metrics that do not exist")
}

func TestMetricsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, metric := range Metrics() {
		assert.False(t, seen[metric.Name], metric.Name)
		seen[metric.Name] = true
		assert.NotEmpty(t, metric.Unit, metric.Name)
		assert.NotEmpty(t, metric.Summary, metric.Name)
		assert.Equal(t, strings.ToLower(metric.Summary[:1]), metric.Summary[:1], "a summary is no sentence")
		assert.True(t, strings.HasSuffix(metric.Doc, "."), "%s: documentation is sentences", metric.Name)
		assert.Greater(t, len(metric.Doc), 60, metric.Name)
		assert.Contains(t, metric.Scopes(), DuringRun, metric.Name)
	}
}

// TestFindingsNeedWhatCouldShowThem: what was not acknowledged cannot get lost, and what was not read back could be anything.
func TestFindingsNeedWhatCouldShowThem(t *testing.T) {
	refused := func(s *Slice) { s.Failed, s.Acked, s.Consumed = s.Acked, 0, 0 }
	nothingStored := func(e *Evidence) {
		e.Streams[1].Counts = Counts{}
		each(0, len(e.Slices), refused)(e)
		balanced(e)
	}
	for f := range findingCount {
		for _, scope := range []string{"", " during stage hold", " outside faults"} {
			text := f.String() + " == 0" + scope
			if scope != "" && (f == phantoms || f == corrupt) {
				continue // they have no due time
			}
			judgement := judgedOnce(t, with(nothingStored), text)
			if f == failedButStored { // every record failed, and none is there
				assert.Equal(t, Pass, judgement.Verdict, text)
				assert.Positive(t, judgement.Samples, text)
			} else {
				assert.Equal(t, Inconclusive, judgement.Verdict, text)
				assert.Zero(t, judgement.Samples, text)
				assert.NotEmpty(t, judgement.Reason, text)
			}

			judgement = judgedOnce(t, with(nothingStored, found(f, 3, 9*second)), text)
			assert.NotEqual(t, Pass, judgement.Verdict, text)
		}
	}
	lost := judgedOnce(t, with(nothingStored), "acked_lost == 0 during fault crash")
	assert.Equal(t, "no record was acknowledged in fault crash", lost.Reason)
	twice := judgedOnce(t, with(nothingStored), "duplicates == 0")
	assert.Equal(t, "no record was read back", twice.Reason)
}
