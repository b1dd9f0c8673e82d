package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
)

func at(seconds float64) *float64 { return &seconds }

// results are the runs that every report is shown for: each verdict, and all that can happen to a run.
func results() map[string]*assertions.Result {
	started := time.Date(2026, 1, 12, 9, 30, 0, 0, time.UTC)
	versions := map[string]string{"fleetproof": "v0.1.0", "sarama": "v1.61.1", "broker": "kfake v0.0.0-20260918054303-01f206a7e32c", "go": "go1.26.8", "another": "v2"}
	clean := func(counts map[string]int64) map[string]int64 {
		for _, name := range []string{
			"acked_lost", "duplicates", "reordered", "affinity_splits", "wrong_partition", "phantoms", "corrupt",
			"offset_mismatches", "failed_but_stored", "truncated",
		} {
			if _, found := counts[name]; !found {
				counts[name] = 0
			}
		}
		return counts
	}
	return map[string]*assertions.Result{
		"pass": {
			Scenario: "quickstart", Run: "0f3a9c0d11aa22bb", Seed: 42, Verdict: assertions.Pass,
			Counts: clean(map[string]int64{
				"due": 20000, "sent": 20000, "acked": 20000, "failed": 0, "unknown": 0, "shed": 0, "unsent": 0, "consumed": 20000,
			}),
			Expectations: []assertions.Judgement{
				{Expectation: "acked_lost == 0", Got: at(0), Unit: "records", Samples: 20000, Origin: "scenarios/quickstart.yaml:21", Reason: "promised: acks=all"},
				{Expectation: "success_rate >= 99.9%", Got: at(1), Limit: 0.999, Unit: "ratio", Samples: 20000, Origin: "scenarios/quickstart.yaml:22"},
				{Expectation: "ack_latency.p99 < 50ms", Got: at(0.004321), Limit: 0.05, Unit: "s", Samples: 20000, Origin: "scenarios/quickstart.yaml:23"},
				{Expectation: "throughput > 1800/s", Got: at(1999.6), Limit: 1800, Unit: "records/s", Samples: 20000, Origin: "--expect"},
			},
			Latencies: []assertions.Latency{
				{Metric: "schedule_lag", Phase: "run", Count: 20000, P50: 0.0004, P90: 0.0009, P99: 0.0011, P999: 0.0021, Max: 0.0031},
				{Metric: "ack_latency", Phase: "run", Count: 20000, P50: 0.0021, P90: 0.0032, P99: 0.004321, P999: 0.0093, Max: 0.012},
				{Metric: "ack_latency", Phase: "stage hold", Count: 20000, P50: 0.0021, P90: 0.0032, P99: 0.004321, P999: 0.0093, Max: 0.012},
			},
			Versions: versions, Started: started, Duration: 10.412,
		},
		"every-verdict": {
			Scenario: "leader-crash", Run: "77aa9c0d11aa22bb", Seed: 7, Verdict: assertions.Error, Interrupted: true,
			Reasons: []string{
				"close the ledger of device-data: due 2,400,000 is not sent 2,399,990 + shed 0 + unsent 9: a bug of the harness, so that nothing in this report may be believed",
				"reading back did not finish: no progress in partition 3 for 30s",
				"fault crash: heal: the container of broker 2 has exited with code 1; its last lines:\n[10:01:07] INFO recovering\n[10:01:08] ERROR no space left",
			},
			Counts: clean(map[string]int64{
				"due": 2400000, "sent": 2399990, "acked": 2399900, "failed": 3, "unknown": 87, "shed": 0, "unsent": 9, "consumed": 2399999,
				"acked_lost": 3, "duplicates": 1201, "corrupt": 1,
			}),
			Expectations: []assertions.Judgement{
				{Expectation: "acked_lost == 0", Verdict: assertions.Fail, Got: at(3), Unit: "records", Samples: 2399900, Origin: "scenarios/crash.yaml:40", Reason: "promised: acks=all, 3 replicas of which 2 have to be in sync, and no fault that breaks the quorum; first climate-0042 #118"},
				{Expectation: "wrong_partition == 0", Verdict: assertions.Pass, Got: at(0), Unit: "records", Samples: 2399900, Origin: "scenarios/crash.yaml:40"},
				{Expectation: "success_rate >= 99.9999%", Verdict: assertions.Fail, Got: at(0.99995833), Limit: 0.999999, Unit: "ratio", Samples: 2400000, Origin: "scenarios/crash.yaml:41"},
				{Expectation: "ack_latency.p99 < 50ms outside faults", Verdict: assertions.Fail, Got: at(0.0500001), Limit: 0.05, Unit: "s", Samples: 1800000, Origin: "scenarios/crash.yaml:42"},
				{Expectation: "e2e_latency.p99.9 < 250ms within 30s after fault a-crash-of-a-leader-with-a-rather-long-name", Verdict: assertions.Inconclusive, Limit: 0.25, Unit: "s", Samples: 120, Origin: "--expect", Reason: "p99.9 needs at least 3,000 samples"},
				{Expectation: "partition_skew < 1.2", Verdict: assertions.Pass, Got: at(1.0517), Limit: 1.2, Unit: "ratio", Samples: 24, Origin: "scenarios/crash.yaml:44"},
				{Expectation: "rss.slope < 1MiB/h", Verdict: assertions.Inconclusive, Got: nil, Limit: 1 << 20, Unit: "B/h", Samples: 0},
				{Expectation: "faults.crash.hits > 0", Verdict: assertions.Error, Got: at(312), Limit: 0, Unit: "hits", Samples: 1, Reason: "the evidence contradicts itself"},
			},
			Findings: map[string][]assertions.OffenderResult{
				"acked_lost": {
					{Device: "climate-0042", Sequence: 118, Due: at(41), Partition: 3, Offset: 90112},
					{Device: "climate-0099", Sequence: 119, Due: at(41.0015), Partition: 3, Offset: 90113},
					{Device: "power-0007", Sequence: 12, Due: at(61), Partition: 11, Offset: -1},
				},
				"duplicates": {
					{Device: "climate-0001", Sequence: 5, Due: at(1), Partition: 0, Offset: 6, Note: "first at offset 5"},
					{Device: "climate-0001", Sequence: 6, Due: at(1), Partition: 0, Offset: 8, Note: "first at offset 7"},
					{Device: "climate-0002", Sequence: 6, Due: at(1), Partition: 0, Offset: 9, Note: "first at offset 8"},
					{Device: "climate-0003", Sequence: 6, Due: at(1), Partition: 0, Offset: 10, Note: "first at offset 9"},
				},
				"corrupt": {{Sequence: -1, Partition: 2, Offset: 17, Note: "the header does not match its checksum, so that it cannot be told which device sent it and when"}},
			},
			Errors: wordy(),
			Faults: []assertions.FaultResult{
				{Name: "crash", Do: "crash", Target: "broker 2", InjectedAt: at(40), ProvenAt: at(40.21), HealedAt: at(55.1), ResumedAt: at(55.42), Hits: 312, Proof: "connections refused or reset", Proven: true},
				{Name: "slow", Do: "latency", Target: "leader of device-data/0", InjectedAt: at(70), HealedAt: at(80), Hits: 0, Proof: "operations delayed"},
				{Name: "stuck", Do: "cut", Target: "broker 1", InjectedAt: at(82), ProvenAt: at(82.5), Hits: 4, Proof: "connections refused", Proven: true},
				{Name: "silent", Do: "error", Target: "broker 1", InjectedAt: at(90), ProvenAt: at(90), HealedAt: at(92), Hits: 4, Proof: "replies answered", Proven: true},
				{Name: "never", Do: "lose_ack", Target: "all", Proof: "responses swallowed"},
			},
			Latencies: []assertions.Latency{
				{Metric: "send_latency", Phase: "run", Count: 2399900, P50: 0.0021, P90: 0.0032, P99: 0.0093, P999: 15.1, Max: 15.3},
				{Metric: "send_latency", Phase: "stage hold", Count: 2399900, P50: 0.0021, P90: 0.0032, P99: 0.0093, P999: 15.1, Max: 15.3},
				{Metric: "ack_latency", Phase: "run", Count: 2399900, P50: 0.0021, P90: 0.0032, P99: 0.0093, P999: 15.1, Max: 15.3},
				{Metric: "ack_latency", Phase: "stage hold", Count: 1800000, P50: 0.0021, P90: 0.0032, P99: 0.0093, P999: 15.1, Max: 15.3},
				{Metric: "ack_latency", Phase: "fault slow", Count: 0},
				{Metric: "ack_latency", Phase: "outside faults", Count: 1700000, Beyond: 2, P50: 0.0021, P90: 0.0032, P99: 0.0093, P999: 130, Max: 3600},
			},
			StallLimit: 0.25, LongestPause: 0.0312,
			Versions: versions, Started: started, Duration: 95.2,
		},
		"fail": {
			Scenario: "lost-acks-at-least-once", Run: "1", Seed: 3, Verdict: assertions.Fail,
			Counts: clean(map[string]int64{"due": 10, "sent": 10, "acked": 10, "consumed": 12, "duplicates": 2}),
			Expectations: []assertions.Judgement{
				{Expectation: "duplicates < 2 during stage hold", Verdict: assertions.Fail, Got: at(2), Limit: 2, Unit: "records", Samples: 10, Origin: "--expect"},
				{Expectation: "duplicates_are_no_metric < 2", Verdict: assertions.Pass, Got: at(0), Limit: 2, Unit: "records", Samples: 10, Origin: "--expect"},
			},
			Findings: map[string][]assertions.OffenderResult{"duplicates": {{Device: "a-0001", Sequence: 1, Due: at(0), Partition: -1, Offset: -1}}},
			Started:  started, Duration: 1,
		},
		"inconclusive": {
			Scenario: "overload", Run: "2", Seed: 3, Verdict: assertions.Inconclusive,
			Reasons: []string{"the generator handed over 61.2% of the due records in time, below its floor of 95%"},
			Counts:  clean(map[string]int64{"due": 1000000, "sent": 612000, "acked": 612000, "unsent": 388000, "consumed": 612000}),
			Expectations: []assertions.Judgement{
				{Expectation: "achieved_rate >= 98%", Verdict: assertions.Inconclusive, Got: at(0.612), Limit: 0.98, Unit: "ratio", Samples: 1000000, Origin: "scenarios/overload.yaml:12", Reason: "the generator could not keep its schedule"},
				{Expectation: "acked_lost == 0", Verdict: assertions.Pass, Got: at(0), Unit: "records", Samples: 612000, Origin: "scenarios/overload.yaml:13"},
			},
			Started: started, Duration: 12,
		},
		"repeated": {
			Scenario: "soak", Run: "3", Seed: 3, Verdict: assertions.Inconclusive,
			Reasons: []string{"fault shaky touched nothing (connections refused: 0), in repetition 2 of 4"},
			Counts:  clean(map[string]int64{"due": 576000000, "sent": 576000000, "acked": 576000000, "consumed": 576000000}),
			Expectations: []assertions.Judgement{
				{Expectation: "ack_latency.slope < 50ms/h outside faults", Got: at(0.00123), Limit: 0.05, Unit: "s/h", Samples: 512000000, Origin: "scenarios/soak.yaml:12"},
				{Expectation: "e2e_latency.slope < 0ms/h", Got: at(-0.00123), Limit: 0, Unit: "s/h", Samples: 576000000, Origin: "scenarios/soak.yaml:13"},
				{Expectation: "rss.slope < 64MiB/h outside faults", Verdict: assertions.Inconclusive, Got: at(60 << 20), Limit: 64 << 20, Unit: "B/h", Samples: 3200, Origin: "scenarios/soak.yaml:14", Reason: "too uncertain: with a confidence of 99% the slope lies between -2 MiB/h and 120 MiB/h"},
			},
			Faults: slices.Concat(
				lives("lost-acks", 30, nil),
				lives("once", 1, nil),
				lives("shaky", 4, func(lives []assertions.FaultResult) {
					lives[1].ProvenAt, lives[1].Proven, lives[1].Hits, lives[1].Target = nil, false, 0, "broker 3"
					lives[2].HealedAt, lives[2].ResumedAt = nil, nil
					lives[3] = assertions.FaultResult{Name: "shaky", Repetition: 4, Do: "cut", Target: "leader of device-data/0", Proof: lives[0].Proof}
				}),
				lives("mute", 2, func(lives []assertions.FaultResult) { lives[0].ResumedAt, lives[1].ResumedAt = nil, nil }),
				[]assertions.FaultResult{{Name: "single", Do: "cut", Target: "broker 1", InjectedAt: at(40), ProvenAt: at(40.1), HealedAt: at(41), ResumedAt: at(41.2), Hits: 3, Proof: "connections refused", Proven: true}},
			),
			Started: started, Duration: 28860,
		},
		"nothing": {Scenario: "bare", Started: started},
	}
}

// lives are those of a fault that is repeated every minute, each as it should be, unless they are changed.
func lives(name string, times int, change func([]assertions.FaultResult)) []assertions.FaultResult {
	var lives []assertions.FaultResult
	for i := range times {
		from := 45 + 60*float64(i)
		lives = append(lives, assertions.FaultResult{
			Name: name, Repetition: i + 1, Do: "cut", Target: "broker 2", InjectedAt: at(from), ProvenAt: at(from + 0.1), HealedAt: at(from + 5), ResumedAt: at(from + 5.2 + float64(i%7)/100),
			Hits: int64(13 + i%3), Proof: "connections refused", Proven: true,
		})
	}
	if change != nil {
		change(lives)
	}
	return lives
}

// wordy is a client that says more than the text shows.
func wordy() []assertions.ErrorCount {
	said := []assertions.ErrorCount{
		{State: "failed", Text: "kafka server: Message was too large, server rejected it to avoid allocation error", Count: 3},
		{State: "unknown", Count: 20},
		{State: "unknown", Text: "read tcp 127.0.0.1:40000->127.0.0.1:9092: i/o timeout, after which every further attempt had the same end", Count: 57},
	}
	for i := range 10 {
		said = append(said, assertions.ErrorCount{State: "unknown", Text: fmt.Sprintf("EOF %d", i), Count: 1})
	}
	return said
}
