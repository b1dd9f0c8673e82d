package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	scenarios := []play{{name: "lost-acks"}, {name: "closed loop", closed: true}, {name: "never played"}}
	all := []client{{kind: "sarama"}, {kind: "kafkago"}}
	promised := []expectation{
		{"acked_lost == 0", "promised: acks=all"}, {"duplicates == 0", "promised: idempotent producer"}, {"reordered == 0", "promised: idempotent producer"},
	}
	made := func(play, kind, verdict string, acked int64, cpu time.Duration, p99 float64, more map[string]int64, expectations ...expectation) run {
		counts := map[string]int64{"acked": acked}
		for name, n := range more {
			counts[name] = n
		}
		return run{
			play: play, kind: kind, version: "v1", load: 10 * time.Second, cpu: cpu,
			result: result{
				Verdict: verdict, Counts: counts, Expectations: expectations,
				Latencies: []latency{{"e2e_latency", "run", 9}, {"ack_latency", "run", p99}},
			},
		}
	}
	runs := []run{
		made("lost-acks", "sarama", "PASS", 1_000_000, 5*time.Second, 0.1, nil, promised...),
		made("lost-acks", "sarama", "FAIL", 3_000_000, 21*time.Second, 0.3, map[string]int64{"acked_lost": 2, "unknown": 7}, promised...),
		made("lost-acks", "kafkago", "FAIL", 1_000_000, 5*time.Second, 0.1, map[string]int64{"duplicates": 40}, promised[0]),
		made("closed loop", "sarama", "PASS", 5_000_000, 25*time.Second, 8, nil, promised...),
		made("closed loop", "sarama", "INCONCLUSIVE", 4_000_000, 24*time.Second, 8, nil, promised...),
		made("closed loop", "sarama", "PASS", 0, 24*time.Second, 8, nil, promised...),
	}
	var text bytes.Buffer
	require.NoError(t, table(&text, scenarios, all, runs))
	assert.Equal(t, `| scenario | client | verdicts | records/s | p99 from due to ack, ms | CPU-s per million | unknown | promises |
|---|---|---|---|---|---|---|---|
| lost-acks | sarama v1 | 1 PASS, 1 FAIL | 200,000 (100,000–300,000) | 200 (100–300) | 6.0 (5.0–7.0) | 4 (0–7) | **broken**: 2 acked_lost in 1 of 2 rounds |
| lost-acks | kafkago v1 | 1 FAIL | 100,000 | 100 | 5.0 | 0 | all kept; found, not promised: 40 duplicates in 1 of 1 rounds; no promise of duplicates == 0; no promise of reordered == 0 |
| closed loop | sarama v1 | 2 PASS, 1 INCONCLUSIVE | 400,000 (0–500,000) | – | 5.0 (0.0–6.0) | 0 | all kept |
`, text.String())
}

// TestCompare plays with a binary that writes the same result whatever it is asked.
func TestCompare(t *testing.T) {
	folder := t.TempDir()
	binary := filepath.Join(folder, "fleetproof")
	require.NoError(t, os.WriteFile(binary, []byte(`#!/bin/sh
echo "$@" >> `+folder+`/asked
for value; do case "$before" in --out) out=$value;; esac; before=$value; done
mkdir -p "$out"
echo '{"verdict": "PASS", "counts": {"acked": 30}, "versions": {"sarama": "v7"}}' > "$out/result.json"
echo '{"stages": [{"to": 1000000000}, {"to": 3000000000}]}' > "$out/evidence.json"
exit 1
`), 0o755))
	out := filepath.Join(folder, "out")
	args := []string{"-binary", binary, "-out", out, "-rounds", "2", "-only", "lost-acks"}
	var stdout, stderr bytes.Buffer
	require.NoError(t, compare(context.Background(), args, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "| lost-acks | sarama v7 | 2 PASS | 10 | 0 |")
	assert.Contains(t, stderr.String(), "round 1 of 2: lost-acks with sarama\n")
	assert.Contains(t, stderr.String(), "round 1 of 2: lost-acks with kafkago\nround 2 of 2: lost-acks with franz\n", "the order turns")
	asked, err := os.ReadFile(filepath.Join(folder, "asked"))
	require.NoError(t, err)
	assert.Contains(t, string(asked), "run lost-acks --quiet --out "+filepath.Join(out, "1-lost-acks-kafkago")+
		" --set producer.kind=kafkago --set producer.idempotent=false\n")

	require.ErrorContains(t, compare(context.Background(), []string{"-binary", binary, "-out", filepath.Join(folder, "flood"), "-only", "closed loop"}, io.Discard, io.Discard),
		"closed loop with sarama took all that it was offered")
	require.ErrorContains(t, compare(context.Background(), args, io.Discard, io.Discard), "is not empty")
	require.ErrorContains(t, compare(context.Background(), []string{"-binary", binary, "-only", "leader-crash"}, io.Discard, io.Discard),
		`-only "leader-crash" names no scenario: there are "fleet-10000", "lost-acks", "closed loop"`)
	require.ErrorContains(t, compare(context.Background(), []string{"-rounds", "1"}, io.Discard, io.Discard), "want -binary")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\necho no broker; exit 4\n"), 0o755))
	args[3] = filepath.Join(folder, "again")
	require.ErrorContains(t, compare(context.Background(), args, io.Discard, io.Discard), "no broker")
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
