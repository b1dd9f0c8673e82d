package assertions

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden is evidence as runs leave it, each with what it expects.
func golden() map[string]*Evidence {
	expecting := func(e *Evidence, texts ...string) *Evidence {
		for i, text := range texts {
			e.Expectations = append(e.Expectations, Stated{Text: text, Origin: "scenarios/crash.yaml:" + string(rune('1'+i))})
		}
		return e
	}
	with := func(changes ...func(*Evidence)) *Evidence {
		return with(append([]func(*Evidence){complete}, changes...)...)
	}
	named := func(name string) func(*Evidence) {
		return func(e *Evidence) { e.Run.Scenario, e.Run.ID = name, "golden-"+name }
	}
	return map[string]*Evidence{
		"crash-survived": expecting(with(named("crash-survived"), bad(4, 6)),
			"promised", "success_rate >= 99.9%", "achieved_rate >= 98%", "ack_latency.p99 < 50ms outside faults", "availability_gap < 2s during fault crash",
			"ack_latency.p99 < 250ms within 3s after fault crash", "recovery_time < 2s", "partition_skew < 1.2", "anomalies.hvac.detected == 100%"),
		"records-lost": expecting(with(named("records-lost"),
			func(e *Evidence) {
				e.Streams[0].Findings[ackedLost.String()] = Found{Count: 3, First: []Offender{
					{Device: "climate-0042", Sequence: 118, Due: 4100 * ms, Partition: 3, Offset: 1577, Note: "acknowledged, never read back"},
					{Device: "climate-0042", Sequence: 119, Due: 4200 * ms, Partition: 3, Offset: 1578, Note: "acknowledged, never read back"},
					{Device: "power-0007", Sequence: 12, Due: 4900 * ms, Partition: 1, Offset: 801, Note: "acknowledged, never read back"},
				}}
			},
			each(4, 5, func(s *Slice) {
				s.Consumed, s.Findings = 997, map[string]int64{"acked_lost": 3}
				s.Acked, s.Unknown = 940, 60
			}), balanced),
			"promised", "acked_lost == 0 outside faults", "acked_lost == 0 during fault crash", "success_rate >= 99.9%", "unknown == 0"),
		"overload": expecting(with(named("overload"), func(e *Evidence) { e.Faults, e.Setting.Faults = nil, false },
			each(4, 12, func(s *Slice) {
				s.Sent, s.OnTime, s.Acked, s.Consumed, s.Unsent, s.Late = 600, 600, 600, 600, 400, 200
			}), balanced),
			"promised", "achieved_rate >= 98%", "ack_latency.p99 < 50ms", "ack_latency.p99.9 < 1ms during stage hold"),
		"slow-client": expecting(with(slowClient, named("slow-client"), busy(0.35)),
			"promised", "achieved_rate >= 98%", "ack_latency.p99 < 50ms", "success_rate >= 99%", "schedule_lag.p50 < 100ms"),
		"slow-machine": expecting(with(slowClient, named("slow-machine"), busy(0.97)),
			"promised", "achieved_rate >= 98%", "ack_latency.p99 < 50ms", "success_rate >= 99%"),
		"slow-somehow": expecting(with(slowClient, named("slow-somehow")),
			"promised", "achieved_rate >= 98%", "ack_latency.p99 < 50ms", "success_rate >= 99%"),
		"interrupted": expecting(with(named("interrupted"), func(e *Evidence) {
			e.Run.Interrupted, e.Run.LoadEnded, e.Run.Duration = true, 6*second, 7*second
			e.Readback = Readback{Reason: "no progress for 30s at partition 3", Rescan: true}
		}, each(6, 12, func(s *Slice) { *s = Slice{Span: s.Span} }), balanced),
			"promised", "throughput >= 999/s", "anomalies.hvac.injected > 0", "due > 0 during anomaly hvac"),
		"interrupted-with-a-finding": expecting(with(named("interrupted-with-a-finding"), func(e *Evidence) {
			e.Run.Interrupted, e.Run.LoadEnded, e.Run.Duration = true, 8*second, 9*second
		}, found(duplicates, 2, 6100*ms), each(8, 12, func(s *Slice) { *s = Slice{Span: s.Span} }), balanced),
			"acked_lost == 0", "acked_lost == 0 during fault crash", "duplicates == 0", "success_rate == 100%", "success_rate == 100% during fault crash"),
		"interrupted-without-a-finding": expecting(with(named("interrupted-without-a-finding"), func(e *Evidence) {
			e.Run.Interrupted, e.Run.LoadEnded, e.Run.Duration = true, 8*second, 9*second
			e.Anomalies = nil
		}, each(8, 12, func(s *Slice) { *s = Slice{Span: s.Span} }), balanced),
			"promised", "ack_latency.p99 < 250ms during fault crash"),
		"broken": expecting(with(named("broken"), func(e *Evidence) {
			e.Broken = []string{"heal fault crash: broker 1 refuses connections after 30s"}
			e.Faults[0].HealedAt, e.Faults[0].ResumedAt = Never, Never
			e.Streams[0].Counts.Unknown++
		}), "promised", "recovery_time < 1s"),
		"soak": expecting(with(named("soak"), func(e *Evidence) {
			e.Samples = nil
			for i := range 121 {
				e.Samples = append(e.Samples, Sample{
					At: time.Duration(i) * 10 * second, CPU: new(0.8), RSS: new(100<<20 + int64(i)<<15), Heap: int64(40+i%3) << 20, Goroutines: 50, OpenFiles: new(int64(20)),
				})
			}
			e.Stalls = []Stall{{Span{7 * second, 7300 * ms}}}
		}, slow(metricE2eLatency, 7, 8, 400, 5*ms, 600, 400*ms)),
			"rss.slope < 1MiB/h", "heap.slope < 1MiB/h", "goroutines.slope <= 0", "rss.max < 1GiB", "e2e_latency.p99 < 250ms"),
		"slower-and-slower": expecting(soaked(func(at time.Duration) float64 { return 20_000 + 300_000*at.Hours() }, named("slower-and-slower"), func(e *Evidence) {
			for i := range e.Samples {
				e.Samples[i].Goroutines += int64(e.Samples[i].At / time.Minute)
			}
			e.Faults[6].Hits, e.Faults[6].ProvenAt = 0, Never
		}), "promised", "ack_latency.p99 < 250ms outside faults", "ack_latency.slope < 100ms/h outside faults", "goroutines.slope < 30/h outside faults",
			"open_files.slope < 30/h outside faults", "faults.silence.proven == 100%", "ack_latency.p99 < 250ms within 20s after fault silence"),
	}
}

// TestGolden judges written evidence. FLEETPROOF_UPDATE=1 writes the results anew, and evidence that is not there yet.
func TestGolden(t *testing.T) {
	update := os.Getenv("FLEETPROOF_UPDATE") == "1"
	folder := filepath.Join("..", "testdata", "evidence")
	for name, built := range golden() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(folder, name+".json")
			text, err := os.ReadFile(file)
			if update && errors.Is(err, fs.ErrNotExist) {
				text, err = json.MarshalIndent(built, "", " ")
				require.NoError(t, err)
				err = os.WriteFile(file, append(text, '\n'), 0o644)
			}
			require.NoError(t, err)

			evidence := new(Evidence)
			require.NoError(t, json.Unmarshal(text, evidence))
			result, err := Judge(evidence, evidence.Expectations)
			require.NoError(t, err)
			got, err := json.MarshalIndent(result, "", "  ")
			require.NoError(t, err)
			got = append(got, '\n')

			results := filepath.Join(folder, name+".golden")
			if update {
				require.NoError(t, os.WriteFile(results, got, 0o644))
			}
			want, err := os.ReadFile(results)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))

			// What was written is what the evidence is built as, so that a change of its layout shows here.
			fresh, err := Judge(rewritten(t, built), built.Expectations)
			require.NoError(t, err)
			again, err := json.MarshalIndent(fresh, "", "  ")
			require.NoError(t, err)
			assert.Equal(t, string(got), string(append(again, '\n')))
		})
	}
	written, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	assert.Len(t, written, len(golden()), "every piece of evidence is judged")
}
