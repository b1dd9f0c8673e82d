package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/compare/closed"
)

// promise is one as result.json has it.
func promise(name, verdict string) expectation {
	return expectation{Text: name + " == 0", Verdict: verdict, Reason: "promised: for a reason"}
}

// promised are the three promises that matter most, with their verdicts.
func promised(lost, duplicates, reordered string) []expectation {
	return []expectation{promise("acked_lost", lost), promise("duplicates", duplicates), promise("reordered", reordered)}
}

func TestTable(t *testing.T) {
	scenarios := []play{{name: "lost-acks"}, {name: "closed loop", closed: true}, {name: "never played"}}
	all := []client{{kind: "sarama"}, {kind: "kafkago"}}
	kept := promised("PASS", "PASS", "PASS")
	made := func(play, kind, verdict string, acked int64, cpu time.Duration, p99 float64, more map[string]int64, expectations ...expectation) run {
		counts := map[string]int64{"acked": acked}
		maps.Copy(counts, more)
		return run{
			play: play, kind: kind, version: "v1", acked: acked, took: 10 * time.Second, cpu: cpu,
			result: result{
				Verdict: verdict, Counts: counts, Expectations: expectations,
				Latencies: []latency{{"e2e_latency", "run", 9}, {"ack_latency", "run", p99}},
			},
		}
	}
	runs := []run{
		made("lost-acks", "sarama", "PASS", 1_000_000, 5*time.Second, 0.1, nil, kept...),
		made("lost-acks", "sarama", "FAIL", 3_000_000, 21*time.Second, 0.3, map[string]int64{"acked_lost": 2, "unknown": 7}, promised("FAIL", "PASS", "PASS")...),
		made("lost-acks", "kafkago", "FAIL", 1_000_000, 5*time.Second, 0.1, map[string]int64{"duplicates": 40},
			promise("acked_lost", "PASS"), expectation{Text: "duplicates == 0", Verdict: "FAIL", Reason: "got 40"}),
		made("closed loop", "sarama", "PASS", 5_000_000, 25*time.Second, 8, nil, kept...),
		made("closed loop", "sarama", "INCONCLUSIVE", 4_000_000, 24*time.Second, 8, nil, kept...),
		made("closed loop", "sarama", "PASS", 0, 24*time.Second, 8, nil, kept...),
	}
	var text bytes.Buffer
	require.NoError(t, table(&text, scenarios, all, runs))
	assert.Equal(t, `| scenario | client | verdicts | records/s | p99 from due to ack, ms | CPU-s per million | unknown | promises |
|---|---|---|---|---|---|---|---|
| lost-acks | sarama v1 | 1 PASS, 1 FAIL | 200,000 (100,000–300,000) | 200 (100–300) | 6.0 (5.0–7.0) | 4 (0–7) | **broken**: 2 acked_lost in 1 of 2 rounds |
| lost-acks | kafkago v1 | 1 FAIL | 100,000 | 100 | 5.0 | 0 | all kept; found, not promised: 40 duplicates in 1 of 1 rounds; no promise of duplicates == 0; no promise of reordered == 0 |
| closed loop | sarama v1 | 2 PASS, 1 INCONCLUSIVE | 400,000 (0–500,000) | – | 5.5 (5.0–6.0) | 0 | not proven in 1 of 3 rounds: acked_lost, duplicates, reordered |
`, text.String())
}

func TestPromises(t *testing.T) {
	made := func(verdict string, expectations ...expectation) run {
		return run{result: result{Verdict: verdict, Counts: map[string]int64{"acked": 1}, Expectations: expectations}}
	}
	lost := made("ERROR", promised("FAIL", "PASS", "PASS")...)
	lost.result.Counts["acked_lost"] = 3
	unread := made("INCONCLUSIVE", promised("INCONCLUSIVE", "PASS", "PASS")...)
	unread.result.Counts["acked_lost"] = 500 // not read back, which is not lost
	kept := made("PASS", promised("PASS", "PASS", "PASS")...)
	const none = "; no promise of acked_lost == 0; no promise of duplicates == 0; no promise of reordered == 0"
	for want, runs := range map[string][]run{
		"all kept": {kept, made("INCONCLUSIVE", promised("PASS", "PASS", "PASS")...)},
		"not proven in 1 of 2 rounds: acked_lost": {kept, unread},
		"not proven in 2 of 3 rounds: acked_lost, reordered": {
			made("FAIL", promised("PASS", "PASS", "INCONCLUSIVE")...), unread, kept,
		},
		"not proven in 1 of 2 rounds: acked_lost, duplicates, reordered":                                {kept, made("ERROR", promised("PASS", "PASS", "PASS")...)},
		"not proven in 1 of 1 rounds":                                                                   {made("ERROR", append(promised("PASS", "PASS", "PASS"), promise("corrupt", "PASS"))...)},
		"**broken**: 3 acked_lost in 1 of 2 rounds; not proven in 1 of 2 rounds: duplicates, reordered": {lost, kept},
		"not proven in 2 of 2 rounds" + none:                                                            {made("PASS"), made("PASS", expectation{Text: "acked_lost == 0", Verdict: "PASS"})},
	} {
		assert.Equal(t, want, promises(runs))
	}
}

// TestMeasure is that nothing counts as done in the time of the load that was done after it.
func TestMeasure(t *testing.T) {
	handedOver := []assertions.Slice{
		{OnTime: 40_000, Later: []assertions.Handed{{By: 2 * time.Second, Count: 50_000}, {By: 3 * time.Second, Count: 5_000}}, Late: 3},
		{OnTime: 20_000, Late: 4},
	}
	for name, test := range map[string]struct {
		closed  bool
		ended   time.Duration
		samples []assertions.Sample
		slices  []assertions.Slice
		rate    float64
	}{
		"kept up":               {false, 2 * time.Second, []assertions.Sample{{At: time.Second, Busy: new(0.5)}, {At: 2004 * time.Millisecond, Busy: new(1.)}}, handedOver, 60_000},
		"drained for long":      {false, 2 * time.Second, []assertions.Sample{{At: 2004 * time.Millisecond}, {At: 4009 * time.Millisecond}}, handedOver, 30_000},
		"shorter than a sample": {false, 500 * time.Millisecond, nil, handedOver, 240_000},
		"no load":               {false, 0, nil, nil, 0},
		"closed":                {true, 2 * time.Second, []assertions.Sample{{At: time.Second, Busy: new(0.9)}, {At: 2 * time.Second, Busy: new(0.7)}, {At: 4 * time.Second}}, handedOver, (120_000 - 15_000 - closed.Window) / 2.},
		"closed, nothing early": {true, 2 * time.Second, nil, nil, 0},
	} {
		var e assertions.Evidence
		e.Run.LoadEnded, e.Samples, e.Slices = test.ended, test.samples, test.slices
		r := run{result: result{Counts: map[string]int64{"sent": 125_000, "acked": 120_000}}}
		r.measure(play{closed: test.closed}, &e)
		assert.InDelta(t, test.rate, r.rate(), 1e-6, name)
		if test.slices != nil {
			assert.EqualValues(t, 7, r.late, name)
		}
		if name == "closed" {
			assert.InDelta(t, 0.8, r.busy, 1e-9, "while there was load")
		}
	}
}

func TestRefused(t *testing.T) {
	flood := play{closed: true, scenario: "flood.yaml"}
	made := func(sent, unsent, late int64, busy float64) run {
		return run{late: late, busy: busy, result: result{Counts: map[string]int64{"sent": sent, "unsent": unsent}}}
	}
	require.NoError(t, made(1000, 1, 10, 0.5).refused(flood))
	require.NoError(t, made(1000, 0, 900, 0.5).refused(play{}), "an open loop is judged by the harness")
	require.ErrorContains(t, made(1000, 0, 0, 0.9).refused(flood), "took all that it was offered, so that nobody knows how much it can do: raise the rate in flood.yaml")
	require.NoError(t, made(1000, 1, 900, 0.8).refused(flood), "the machine was the limit")
	require.ErrorContains(t, made(1000, 1, 11, 0.79).refused(flood),
		"11 records were late by the harness's own fault, where 1000 were sent, although the processors were only 79 % busy")
}

// played is a binary that writes the same result whatever it is asked, after what is said in script.
func played(t *testing.T, script string) (binary, asked string) {
	t.Helper()
	folder := t.TempDir()
	binary, asked = filepath.Join(folder, "fleetproof"), filepath.Join(folder, "asked")
	require.NoError(t, os.WriteFile(binary, []byte(`#!/bin/sh
echo "$@" >> `+asked+`
for value; do case "$before" in --out) out=$value;; esac; before=$value; done
mkdir -p "$out"
`+script+`
echo '{"verdict": "PASS", "counts": {"acked": 30}, "versions": {"sarama": "v7"}, "expectations": [
  {"expectation": "acked_lost == 0", "verdict": "PASS", "reason": "promised: acks=all"},
  {"expectation": "duplicates == 0", "verdict": "PASS", "reason": null}]}' > "$out/result.json"
echo '{"run": {"load_ended": 3000000000}, "samples": [{"at": 3001000000}]}' > "$out/evidence.json"
exit 1
`), 0o755))
	return binary, asked
}

func TestCompare(t *testing.T) {
	binary, asked := played(t, "")
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"-binary", binary, "-out", out, "-rounds", "2", "-only", "lost-acks"}
	var stdout, stderr bytes.Buffer
	require.NoError(t, compare(t.Context(), args, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "| lost-acks | sarama v7 | 2 PASS | 10 | – |")
	assert.Contains(t, stdout.String(), "| all kept; no promise of duplicates == 0; no promise of reordered == 0 |")
	assert.Contains(t, stderr.String(), "round 1 of 2: lost-acks with sarama\n")
	assert.Contains(t, stderr.String(), "round 1 of 2: lost-acks with kafkago\nround 2 of 2: lost-acks with franz\n", "the order turns")
	text, err := os.ReadFile(asked)
	require.NoError(t, err)
	assert.Contains(t, string(text), "run lost-acks --quiet --out "+filepath.Join(out, "1-lost-acks-kafkago")+
		" --set producer.kind=kafkago --set producer.idempotent=false\n")
	require.ErrorContains(t, compare(t.Context(), args, io.Discard, io.Discard), "is not empty")
}

// TestCompareGoesOn is that a run without a result takes nothing from the others.
func TestCompareGoesOn(t *testing.T) {
	binary, asked := played(t, `case "$out" in
*1-lost-acks-franz) echo no broker; exit 4;;
*2-lost-acks-sarama) exit 0;;
*2-lost-acks-kafkago) echo '{' > "$out/result.json"; exit 1;;
esac`)
	args := []string{"-binary", binary, "-out", filepath.Join(t.TempDir(), "out"), "-rounds", "2", "-only", "lost-acks,closed loop"}
	var stdout bytes.Buffer
	err := compare(t.Context(), args, &stdout, io.Discard)
	require.ErrorContains(t, err, "lost-acks with franz in round 1: ")
	require.ErrorContains(t, err, "no broker")
	require.ErrorContains(t, err, "lost-acks with sarama in round 2: ")
	require.ErrorContains(t, err, "lost-acks with kafkago in round 2: ")
	require.ErrorContains(t, err, "closed loop with confluent in round 2: took all that it was offered")
	assert.NotContains(t, err.Error(), "%!")
	for _, row := range []string{"sarama v7 | 1 PASS", "franz  | 1 PASS", "confluent  | 2 PASS", "kafkago  | 1 PASS"} {
		assert.Contains(t, stdout.String(), "| lost-acks | "+row)
	}
	assert.NotContains(t, stdout.String(), "closed loop")
	text, err := os.ReadFile(asked)
	require.NoError(t, err)
	assert.Equal(t, 16, strings.Count(string(text), "\n"))
	assert.Contains(t, string(text), "--set producer.kind=closed-sarama --set producer.batch.bytes=1MiB\n")
	assert.Contains(t, string(text), "--set producer.kind=closed-franz\n")
}

// TestCompareInterrupted is that an interrupt ends the comparison, and takes away nothing that was measured.
func TestCompareInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	binary, asked := played(t, "")
	args := []string{"-binary", binary, "-out", filepath.Join(t.TempDir(), "out"), "-only", "lost-acks"}
	var stdout bytes.Buffer
	err := compare(ctx, args, &stdout, writer{"lost-acks with confluent", interrupt})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "lost-acks with confluent in round 1: ")
	assert.NotContains(t, err.Error(), "kafkago", "no more is tried")
	assert.Contains(t, stdout.String(), "| lost-acks | franz  | 1 PASS |")
	assert.NotContains(t, stdout.String(), "confluent")
	text, err := os.ReadFile(asked)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "\n"))
}

// writer does something when it has been told of something.
type writer struct {
	told string
	do   func()
}

func (w writer) Write(text []byte) (int, error) {
	if strings.Contains(string(text), w.told) {
		w.do()
	}
	return len(text), nil
}

func TestCompareMistakes(t *testing.T) {
	binary, asked := played(t, "")
	for want, args := range map[string][]string{
		`-only: no scenario is called "leader-crash": there are "fleet-10000", "lost-acks", "closed loop"`: {"-binary", binary, "-only", "lost-acks,leader-crash"},
		`no scenario is called "leader", "": there are`:                                                    {"-binary", binary, "-only", "leader,lost-acks,"},
		"want -binary":                   {"-rounds", "1"},
		"at least one round":             {"-binary", binary, "-rounds", "0"},
		"build producer/compare/clients": {"-binary", binary + "-of-yesterday"},
	} {
		require.ErrorContains(t, compare(t.Context(), args, io.Discard, io.Discard), want)
	}
	assert.NoFileExists(t, asked, "nothing is played")
}

func TestPlays(t *testing.T) {
	assert.Len(t, plays(false), 3)
	assert.Len(t, plays(true), 5)
	for _, p := range plays(true) {
		if filepath.Ext(p.scenario) != "" {
			assert.FileExists(t, filepath.Join("..", "..", p.scenario))
		}
	}
	assert.Equal(t, []client{{kind: "c"}, {kind: "a"}, {kind: "b"}}, turned([]client{{kind: "a"}, {kind: "b"}, {kind: "c"}}, 2))
}

// TestBatches is that Sarama gets the bytes of a batch as often as a broker leads partitions, whatever the scenario says.
func TestBatches(t *testing.T) {
	for _, p := range plays(true) {
		if !p.closed {
			continue
		}
		resolved := func(set []string) *harness.Resolved {
			scenario, err := harness.Load(filepath.Join("..", "..", p.scenario), harness.Overrides{Set: set})
			require.NoError(t, err)
			return scenario
		}
		theirs, own := resolved(p.set), resolved(slices.Concat(p.set, p.own["sarama"]))
		led := theirs.Topic.Partitions / theirs.Broker.Brokers
		assert.Equal(t, theirs.Producer.Batch.Bytes*producer.Size(led), own.Producer.Batch.Bytes, p.name)
	}
}
