package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/telemetry"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestMain(m *testing.M) {
	// Sarama's metrics start one goroutine for the process, which has no end, and a breaker of its that has opened sleeps
	// for ten seconds.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"))
}

// with replaces words of the plain scenario, each of which must occur.
func with(t *testing.T, pairs ...string) string {
	t.Helper()
	text := plainScenario
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func TestRunKeepsItsEvidence(t *testing.T) {
	folder := t.TempDir()
	result := runText(t, plainScenario, Options{Producers: []producer.Kind{sarama.Kind()}, Out: folder, Versions: map[string]string{"fleetproof": "v1"}})
	require.Equal(t, assertions.Pass, result.Verdict, "%+v", result)
	assert.InDelta(t, 1000, result.Counts["due"], 20, "the integral of the rate, but for the phases of 20 devices")
	assert.Equal(t, result.Counts["due"], result.Counts["acked"])
	assert.Equal(t, result.Counts["acked"], result.Counts["consumed"])

	evidence, err := ReadEvidence(folder)
	require.NoError(t, err)
	again, err := assertions.Judge(evidence, evidence.Expectations)
	require.NoError(t, err)
	first, err := json.Marshal(result)
	require.NoError(t, err)
	second, err := json.Marshal(again)
	require.NoError(t, err)
	assert.Equal(t, string(first), string(second), "judged at a desk, byte for byte")

	var stored int64
	require.Len(t, evidence.Partitions, 4)
	for _, partition := range evidence.Partitions {
		stored += partition.Consumed
	}
	assert.Equal(t, result.Counts["acked"], stored)
	assert.Equal(t, "v1", evidence.Run.Versions["fleetproof"])
	assert.Equal(t, sarama.Version(), evidence.Run.Versions["sarama"])
	assert.Contains(t, evidence.Run.Versions["broker"], "kfake")
}

func TestSameSeedSameRecords(t *testing.T) {
	payloads := func(seed string) map[string]int {
		seen := map[string]int{}
		runText(t, with(t, "version: 1", "version: 1\nseed: "+seed), Options{
			Producers: only(connectSecond),
			tamper: func(record *kgo.Record) []*kgo.Record {
				seen[string(record.Value)]++
				return []*kgo.Record{record}
			},
		})
		return seen
	}
	first := payloads("7")
	assert.NotEmpty(t, first)
	assert.Equal(t, first, payloads("7"))
	assert.NotEqual(t, first, payloads("8"))
}

func TestFaultsThroughTheLink(t *testing.T) {
	for _, test := range []struct{ name, fault, expect string }{
		{"latency", "{name: f, at: 200ms, for: 600ms, do: latency, target: all, latency: 30ms, jitter: 10ms}", "acked_lost == 0"},
		{"cut", "{name: f, at: 200ms, for: 400ms, do: cut, target: broker 1}", "duplicates == 0"},
		{"lose_ack", "{name: f, at: 200ms, for: 600ms, do: lose_ack, target: leader of device-data/0, count: 2}", "duplicates == 0"},
		{"error", "{name: f, at: 200ms, for: 400ms, do: error, target: all, api: Produce, error: NOT_LEADER_OR_FOLLOWER, count: 3}", "reordered == 0"},
		{"crash", "{name: f, at: 200ms, for: 400ms, do: crash, target: broker 1}", "acked_lost == 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := with(t, "load:", "faults: ["+test.fault+"]\nload:", "[promised]", "[promised, "+test.expect+", faults.f.hits > 0]", "for: 1s", "for: 2s")
			result := runText(t, text, Options{Producers: only(sarama.New)})
			require.Equal(t, assertions.Pass, result.Verdict, "%+v", result)
			require.Len(t, result.Faults, 1)
			assert.True(t, result.Faults[0].Proven)
			assert.NotNil(t, result.Faults[0].HealedAt)
			assert.NotNil(t, result.Faults[0].ResumedAt)
		})
	}
}

func TestDeliveryIsAccountedFor(t *testing.T) {
	folder := t.TempDir()
	text := with(t, "load:", "delivery: {missing: 10%, duplicate: 10%, late: {rate: 10%, by: 5s}}\nload:")
	result := runText(t, text, Options{Producers: only(connectSecond), Out: folder})
	require.Equal(t, assertions.Pass, result.Verdict, "%+v", result)
	evidence, err := ReadEvidence(folder)
	require.NoError(t, err)
	counts := evidence.Streams[0].Counts
	assert.InDelta(t, 100, counts.Missing, 50)
	assert.InDelta(t, 90, counts.Copies, 50)
	assert.InDelta(t, 90, counts.Late, 50)
	assert.InDelta(t, 1000, counts.Due-counts.Copies+counts.Missing, 20, "every reading is due once or missing on purpose")
}

// Alerts and anomalies are found in the payloads, whatever their encoding.
func TestAlertsAndAnomalies(t *testing.T) {
	for _, encoding := range []generator.Encoding{generator.JSON, generator.Protobuf} {
		t.Run(string(encoding), func(t *testing.T) {
			text := with(t,
				"load:", `producer: {encoding: `+string(encoding)+`}
alerts: {topic: alerts, partitions: 2}
anomalies: [{name: heat, at: 200ms, for: 600ms, do: spike, to: 58, rate: 50%, where: {fleet: climate, devices: 50%}, sensor: temperature}]
load:`,
				"[promised]", "[promised, anomalies.heat.injected > 50, anomalies.heat.detected == 100%, alerts.missing == 0, alerts.spurious == 0]")
			var readable atomic.Int64
			result := runText(t, text, Options{Producers: only(sarama.New), tamper: func(record *kgo.Record) []*kgo.Record {
				var reading generator.Reading
				if encoding.Decode(record.Value, &reading) == nil && reading.Device == string(record.Key) {
					readable.Add(1)
				}
				return []*kgo.Record{record}
			}})
			assert.Equal(t, assertions.Pass, result.Verdict, "%+v", result.Expectations)
			assert.Greater(t, readable.Load(), result.Counts["consumed"], "the readings, and the alerts about them")
		})
	}
}

func TestEveryEncodingIsTheGenerators(t *testing.T) {
	assert.Equal(t, []string{string(generator.JSON), string(generator.Protobuf)}, producer.Encoding("").Known())
}

func TestAlertsThatDoNotArriveAreMissing(t *testing.T) {
	text := with(t,
		"load:", `alerts: {topic: alerts, partitions: 2}
anomalies: [{name: heat, at: 200ms, for: 600ms, do: spike, to: 58, sensor: temperature}]
load:`,
		"[promised]", "[alerts.missing == 0, alerts.spurious == 0]")
	result := runText(t, text, Options{Producers: only(connectSecond), tamper: func(record *kgo.Record) []*kgo.Record {
		if record.Topic == "alerts" && record.Offset == 3 {
			return nil
		}
		return []*kgo.Record{record}
	}})
	assert.Equal(t, assertions.Fail, result.Verdict)
	require.Len(t, result.Expectations, 2)
	assert.Equal(t, assertions.Fail, result.Expectations[0].Verdict)
	assert.Equal(t, assertions.Pass, result.Expectations[1].Verdict)
}

func TestSecondScanAgreesWithTheFirst(t *testing.T) {
	result := runText(t, with(t, "load:", "oracle: {rescan: true}\nload:"), Options{Producers: only(connectSecond)})
	assert.Equal(t, assertions.Pass, result.Verdict, "%+v", result)
	assert.Zero(t, result.Counts["truncated"])
}

func TestSecondScanFindsWhatIsGone(t *testing.T) {
	var seen atomic.Int64
	text := with(t, "load:", "oracle: {rescan: true}\nload:", "[promised]", "[acked_lost == 0, truncated == 0]")
	result := runText(t, text, Options{Producers: only(connectSecond), tamper: func(record *kgo.Record) []*kgo.Record {
		if record.Partition == 0 && record.Offset == victim && seen.Add(1) == 2 {
			return nil // the second time
		}
		return []*kgo.Record{record}
	}})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 1, result.Counts["acked_lost"])
	assert.EqualValues(t, 1, result.Counts["truncated"])
}

func TestInterruptedRunIsJudged(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	scenario, err := Parse("long.yaml", []byte(with(t,
		"for: 1s", "for: 10m",
		"load:", "faults: [{name: cut, at: 100ms, for: 5m, do: cut, target: broker 1}]\nload:")), Overrides{})
	require.NoError(t, err)
	result, err := Run(ctx, scenario, Options{Producers: only(sarama.New), Progress: func(p Progress) {
		if p.Fault != "" && p.Elapsed > 300*time.Millisecond {
			interrupt()
		}
	}})
	require.NoError(t, err)
	assert.True(t, result.Interrupted)
	assert.Positive(t, result.Counts["acked"])
	assert.Equal(t, result.Counts["acked"], result.Counts["consumed"], "the fault was healed and everything drained")
	require.Len(t, result.Faults, 1)
	assert.NotNil(t, result.Faults[0].HealedAt)
}

func TestAbortedRunLeaves(t *testing.T) {
	abort := make(chan struct{})
	scenario, err := Parse("long.yaml", []byte(with(t, "for: 1s", "for: 10m")), Overrides{})
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	var once atomic.Bool
	result, err := Run(ctx, scenario, Options{Producers: only(sarama.New), Abort: abort, Progress: func(p Progress) {
		if p.Sent > 0 && once.CompareAndSwap(false, true) {
			interrupt()
			close(abort)
		}
	}})
	assert.Nil(t, result)
	assert.ErrorIs(t, err, ErrAborted)
}

func TestLedgerThatOutgrowsItsMemoryEndsTheRun(t *testing.T) {
	result := runText(t, with(t,
		"for: 1s", "for: 1m", "devices: 20", "devices: 50000", "load:", "oracle: {ledger_memory: 1MiB}\nload:"), Options{Producers: only(connectSecond)})
	assert.Equal(t, assertions.Inconclusive, result.Verdict)
	assert.Contains(t, strings.Join(result.Reasons, " "), "1MiB")
}

func TestStrangersRecordIsAPhantom(t *testing.T) {
	var config producer.Config
	connect := func(ctx context.Context, c producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		config = c
		stranger, err := kgo.NewClient(kgo.SeedBrokers(config.Bootstrap...))
		if err != nil {
			return nil, err
		}
		defer stranger.Close()
		record := &kgo.Record{Topic: "device-data", Key: []byte("who"), Value: []byte("knows")}
		if err := stranger.ProduceSync(ctx, record).FirstErr(); err != nil {
			return nil, err
		}
		return connectSecond(ctx, c, outcome)
	}
	result := runText(t, plainScenario, Options{Producers: only(connect)})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 1, result.Counts["phantoms"])
}

func TestRunThatCannotBeCarriedOut(t *testing.T) {
	nobody := errors.New("nobody there")
	failing := func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
		return nil, nobody
	}
	scenario, err := Parse("plain.yaml", []byte(plainScenario), Overrides{})
	require.NoError(t, err)

	_, err = Run(t.Context(), scenario, Options{Producers: only(failing)})
	require.ErrorIs(t, err, nobody)
	require.EqualError(t, err, "connect producer: nobody there")

	_, err = Run(t.Context(), scenario, Options{Producers: only(connectSecond), Out: filepath.Join(t.TempDir(), "missing")})
	require.ErrorIs(t, err, os.ErrNotExist)

	ended, end := context.WithCancel(t.Context())
	end()
	_, err = Run(ended, scenario, Options{Producers: only(connectSecond)})
	require.ErrorIs(t, err, context.Canceled)
	require.EqualError(t, err, "nothing was started: context canceled")
}

func TestReadEvidence(t *testing.T) {
	folder := t.TempDir()
	_, err := ReadEvidence(folder)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(folder, EvidenceFile), []byte("{"), 0o600))
	_, err = ReadEvidence(folder)
	assert.ErrorContains(t, err, "evidence.json: unexpected end of JSON input")
}

func TestSecretsStayOutOfEverything(t *testing.T) {
	environment := map[string]string{"TOPIC": "hush-topic"}
	text := with(t, "name: device-data", `name: "${env:TOPIC}"`)
	scenario, err := Parse("secret.yaml", []byte(text), Overrides{Env: func(name string) (string, bool) {
		value, found := environment[name]
		return value, found
	}})
	require.NoError(t, err)
	folder := t.TempDir()
	result, err := Run(t.Context(), scenario, Options{Producers: only(connectSecond), Out: folder})
	require.NoError(t, err)
	assert.Equal(t, assertions.Pass, result.Verdict)
	evidence, err := os.ReadFile(filepath.Join(folder, EvidenceFile))
	require.NoError(t, err)
	assert.NotContains(t, string(evidence), "hush")
	assert.Contains(t, string(evidence), "${env:TOPIC}")
	judged, err := json.Marshal(result)
	require.NoError(t, err)
	assert.NotContains(t, string(judged), "hush")

	_, err = Run(t.Context(), scenario, Options{Producers: only(func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
		return nil, fmt.Errorf("no leader of hush-topic: %w", os.ErrDeadlineExceeded)
	})})
	require.EqualError(t, err, "connect producer: no leader of ${env:TOPIC}: i/o timeout")
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// TestProgressAfterTheLastStage blocks in Send until the schedule is over, and wants to see no rate that is to be kept.
func TestProgressAfterTheLastStage(t *testing.T) {
	scenario, err := Parse("plain.yaml", []byte(with(t, "for: 1s", "for: 200ms", "load:", "oracle: {lag_limit: 1m}\nload:")), Overrides{})
	require.NoError(t, err)
	seen, released := false, make(chan struct{})
	client := &rude{send: func() error {
		<-released
		return nil
	}}
	result, err := Run(t.Context(), scenario, Options{Producers: behaving(client), Progress: func(p Progress) {
		if p.Step == "sending the rest" && !seen {
			seen = true
			assert.GreaterOrEqual(t, p.Elapsed, p.Total)
			assert.Zero(t, p.Target)
			assert.Empty(t, p.Stage)
			close(released)
		}
	}})
	require.NoError(t, err)
	assert.True(t, seen)
	assert.Equal(t, result.Counts["due"], result.Counts["acked"])
}

// TestTelemetryCountsReadings holds the counters of telemetry against the report: alerts are in neither.
func TestTelemetryCountsReadings(t *testing.T) {
	metrics := telemetry.New()
	text := with(t, "load:", `alerts: {topic: alerts, partitions: 2}
anomalies: [{name: heat, at: 200ms, for: 600ms, do: spike, to: 58, sensor: temperature}]
load:`)
	var calls atomic.Int64
	client := &rude{send: func() error {
		if calls.Add(1)%50 == 0 {
			return errors.New("refused")
		}
		return nil
	}}
	result, evidence := runKept(t, text, Options{Producers: behaving(client), Metrics: metrics})
	require.Positive(t, evidence.Streams[1].Counts.Sent)
	require.Positive(t, evidence.Streams[1].Counts.Failed)
	page := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	scraped := map[string]string{}
	for line := range strings.Lines(page.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		scraped[name] = value
	}
	for name, count := range map[string]string{
		"fleetproof_records_total":                              "sent",
		`fleetproof_errors_total{state="failed"}`:               "failed",
		`fleetproof_send_latency_seconds_count{state="acked"}`:  "acked",
		`fleetproof_send_latency_seconds_count{state="failed"}`: "failed",
		"fleetproof_dropped_total":                              "unsent",
	} {
		assert.Equal(t, fmt.Sprint(result.Counts[count]), scraped[name], name)
	}
}
