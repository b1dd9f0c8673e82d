package harness

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// runKept plays a scenario given as text and returns its evidence too.
func runKept(t *testing.T, text string, options Options) (*assertions.Result, *assertions.Evidence) {
	t.Helper()
	options.Out = t.TempDir()
	result := runText(t, text, options)
	evidence, err := ReadEvidence(options.Out)
	require.NoError(t, err)
	return result, evidence
}

func TestOracleGoesAroundTheLink(t *testing.T) {
	// Without acknowledgements nothing but the reader waits for responses.
	text := with(t,
		"load:", "producer: {acks: \"0\", idempotent: false}\nfaults: [{name: slow, at: 200ms, for: 700ms, do: latency, target: all, latency: 3s}]\nload:",
		"[promised]", "[e2e_latency.max < 2s]")
	result, _ := runKept(t, text, Options{Producers: only(sarama.New)})
	require.NotNil(t, result.Expectations[0].Got)
	assert.Less(t, *result.Expectations[0].Got, 2., "seconds; through the link nothing could be read in less than three")
}

// TestElectionsLoseNothing: the log of embedded brokers is the same whoever leads, although a reader is told otherwise for as long
// as a new leader has not written.
func TestElectionsLoseNothing(t *testing.T) {
	text := with(t, "broker: {brokers: 1}", "broker: {brokers: 3}", "1000/s", "60/s", "for: 1s", "for: 3s",
		"load:", "faults: [{name: moved, at: 1s, do: elect_leader, target: all}]\nload:")
	result, _ := runKept(t, text, Options{Producers: only(sarama.New)})
	assert.Equal(t, assertions.Pass, result.Verdict, "%v", result.Reasons)
}

func TestReadbackThatCannotFinishProvesNothing(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	var once sync.Once
	text := with(t, "load:", "oracle: {read_timeout: 1s}\nload:")
	ctx, leave := context.WithTimeout(t.Context(), 20*time.Second)
	defer leave()
	scenario, err := Parse("stuck.yaml", []byte(text), Overrides{})
	require.NoError(t, err)
	result, err := Run(ctx, scenario, Options{Producers: only(connectSecond), tamper: func(record *kgo.Record) []*kgo.Record {
		once.Do(func() {
			select { // longer than the read timeout, but not for good: the reader has to be able to end
			case <-stuck:
			case <-time.After(3 * time.Second):
			}
		})
		return []*kgo.Record{record}
	}})
	require.NoError(t, err)
	assert.Equal(t, assertions.Inconclusive, result.Verdict)
	assert.Contains(t, strings.Join(result.Reasons, " "), "no progress in reading back for 1s")
}

func TestLogThatKeepsGrowingProvesNothing(t *testing.T) {
	var stranger *kgo.Client
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		var err error
		if stranger, err = kgo.NewClient(kgo.SeedBrokers(config.Bootstrap...)); err != nil {
			return nil, err
		}
		return connectSecond(ctx, config, outcome)
	}
	write := func() error {
		return stranger.ProduceSync(context.Background(), &kgo.Record{Topic: "device-data", Value: []byte("me too")}).FirstErr()
	}
	var written atomic.Int64
	result := runText(t, plainScenario, Options{Producers: only(connect), tamper: func(record *kgo.Record) []*kgo.Record {
		if record.Offset == victim || string(record.Value) == "me too" { // one record more for every one that is read
			if err := write(); err == nil {
				written.Add(1)
			}
		}
		return []*kgo.Record{record}
	}})
	stranger.Close()
	assert.Positive(t, written.Load())
	assert.Equal(t, assertions.Fail, result.Verdict, "phantoms")
	assert.Contains(t, strings.Join(result.Reasons, " "), "somebody else writes to the topic")
}

func TestSecondOutcomeIsAnError(t *testing.T) {
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		var count atomic.Int64
		return connectSecond(ctx, config, func(o producer.Outcome) {
			outcome(o)
			if count.Add(1) == 100 {
				outcome(o)
			}
		})
	}
	result := runText(t, plainScenario, Options{Producers: only(connect)})
	assert.Equal(t, assertions.Error, result.Verdict, "no verdict may rest on a ledger whose sums do not add up")
}

// closing looks at the log when the run closes the producer, after the load.
type closing struct {
	producer.Producer
	look func()
}

func (c closing) Close(ctx context.Context) error {
	c.look()
	return c.Producer.Close(ctx)
}

func TestWhatWasReadIsTrimmed(t *testing.T) {
	for rescan, trimmed := range map[string]bool{"false": true, "true": false} {
		var starts kadm.ListedOffsets
		connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
			inner, err := connectSecond(ctx, config, outcome)
			var once sync.Once
			return closing{Producer: inner, look: func() {
				once.Do(func() {
					client, err := kgo.NewClient(kgo.SeedBrokers(config.Bootstrap...))
					require.NoError(t, err)
					defer client.Close()
					starts, err = kadm.NewClient(client).ListStartOffsets(context.Background(), "device-data")
					require.NoError(t, err)
				})
			}}, err
		}
		text := with(t, "for: 1s", "for: 3s", "load:", "oracle: {rescan: "+rescan+"}\nload:")
		result, evidence := runKept(t, text, Options{Producers: only(connect)})
		assert.Equal(t, assertions.Pass, result.Verdict, "%+v", result.Reasons)
		var first, consumed int64
		starts.Each(func(start kadm.ListedOffset) { first += start.Offset })
		assert.Equal(t, trimmed, first > 0, "rescan %s: log starts at %d", rescan, first)
		for _, slice := range evidence.Slices {
			consumed += slice.Consumed
		}
		assert.Equal(t, result.Counts["due"], consumed, "a second scan is not a second reading")
	}
}

func TestRetriesAreInTheEvidence(t *testing.T) {
	text := with(t, "load:",
		"faults: [{name: f, at: 200ms, for: 400ms, do: error, target: all, api: Produce, error: NOT_LEADER_OR_FOLLOWER, count: 3}]\nload:")
	_, evidence := runKept(t, text, Options{Producers: only(sarama.New)})
	assert.Positive(t, evidence.Setting.Retries)
}

// A client that does not count its retries promises nothing that rests on there having been none.
func TestRetriesMayBeUnknown(t *testing.T) {
	_, evidence := runKept(t, plainScenario, Options{Producers: only(connectSecond)})
	assert.Equal(t, assertions.UnknownRetries, evidence.Setting.Retries)
}

func TestCopiesAreNotOtherReadings(t *testing.T) {
	text := with(t, "load:", `delivery: {duplicate: 100%}
anomalies: [{name: heat, at: 0s, do: spike, to: 58, sensor: temperature}]
load:`, "[promised]", "[promised, anomalies.heat.detected == 100%]")
	result, evidence := runKept(t, text, Options{Producers: only(connectSecond)})
	assert.Equal(t, assertions.Pass, result.Verdict, "%+v", result.Reasons)
	assert.Equal(t, result.Counts["due"], 2*evidence.Anomalies[0].Injected)
	assert.EqualValues(t, 20, evidence.Anomalies[0].Devices)
}

func TestLostAnomaliesAreNotDetected(t *testing.T) {
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connectSecond(ctx, config, outcome)
		return &forgetful{Producer: inner, outcome: outcome}, err
	}
	text := with(t, "load:", `anomalies: [{name: heat, at: 0s, do: spike, to: 58, sensor: temperature}]
load:`, "[promised]", "[anomalies.heat.detected == 100%]")
	result, evidence := runKept(t, text, Options{Producers: only(connect)})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 20, evidence.Anomalies[0].Devices, "what was injected counts, not what came back")
	assert.Less(t, evidence.Anomalies[0].Detected, int64(20))
}

// forgetful is a client that says it failed to send what half of the devices say.
type forgetful struct {
	producer.Producer
	outcome func(producer.Outcome)
}

func (f *forgetful) Send(ctx context.Context, record *producer.Record) error {
	if record.Token.Device%2 == 0 {
		f.outcome(producer.Outcome{Record: record, State: producer.Failed, Partition: -1, Offset: producer.OffsetUnset, Err: context.Canceled})
		return nil
	}
	return f.Producer.Send(ctx, record)
}

func TestStalls(t *testing.T) {
	const ms = time.Millisecond
	var w watch
	w.beat(0, 10*ms, 250*ms)
	w.beat(10*ms, 270*ms, 250*ms)
	assert.Empty(t, w.stalls, "within the limit")
	w.beat(270*ms, 531*ms, 250*ms)
	assert.Equal(t, []assertions.Stall{{Span: assertions.Span{From: 280 * ms, To: 531 * ms}}}, w.stalls)
}

// TestShortStallsAreSeen wants every stall of two beats to be seen where the limit is as short as it may be, whenever it
// begins between two beats.
func TestShortStallsAreSeen(t *testing.T) {
	const ms = time.Millisecond
	for begins := time.Duration(0); begins < beat; begins += ms {
		var w watch
		w.beat(0, begins+2*beat+ms, beat)
		assert.Len(t, w.stalls, 1, "begins %s after a beat", begins)
		assert.Equal(t, begins+beat+ms, w.longest)
		w.beat(100*ms, 100*ms+beat, beat)
		assert.Len(t, w.stalls, 1)
	}
}

func TestClientThatGivesUpAtOnceIsNotFast(t *testing.T) {
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connectSecond(ctx, config, outcome)
		return &forgetful{Producer: inner, outcome: outcome}, err
	}
	result := runText(t, with(t, "for: 1s", "for: 2s", "load:", "oracle: {lag_limit: 1m}\nload:", "[promised]", "[ack_latency.p90 < 100ms]"), Options{Producers: only(connect)})
	assert.Equal(t, assertions.Fail, result.Verdict, "half of the records were never acknowledged: %+v", result.Expectations)
}
