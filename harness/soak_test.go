package harness

import (
	"context"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// soaking is a soak of seconds. Its limits lie between what a test process does by itself and what the leak below does, both
// far away: in twenty seconds, 40 goroutines or files, 40 MiB, and seconds of latency. Busy machines run tests, so hardly any
// pause counts as one.
const soaking = `
version: 1
name: soak
description: A soak of seconds, for tests.
topic: {name: device-data, partitions: 4}
fleets: [{name: climate, devices: 100, interval: 1s, sensors: [temperature]}]
load:
  stages:
    - {name: warmup, for: 2s, rate: 2000/s, judged: false}
    - {name: hold, for: 22s, rate: 2000/s}
faults:
  - {name: lost-acks, at: 4s, for: 500ms, do: lose_ack, target: all, count: 2, repeat: {every: 6s}}
oracle: {slope_length: 15s, stall_limit: 10s, lag_limit: 5s}
expect:
  - promised
  - faults.lost-acks.hits >= 4
  - ack_latency.p99 < 1m within 4s after fault lost-acks
  - ack_latency.slope < 10m/h outside faults
  - e2e_latency.slope < 10m/h outside faults
  - goroutines.slope < 7200/h outside faults
  - open_files.slope < 7200/h outside faults
  - heap.slope < 7GiB/h outside faults
  - rss.slope < 7GiB/h outside faults
`

// TestSoakFindsALeak seeds a leak into the client under test, and has the whole way find all of it and nothing else.
func TestSoakFindsALeak(t *testing.T) {
	if newSampler().sample(0).OpenFiles == nil {
		t.Skip("this system does not tell how many files a process has open")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // so low a sawtooth that one sample tells where its floor is
	missed := func(result *assertions.Result) []string {
		var missed []string
		for _, judgement := range result.Expectations {
			if judgement.Verdict == assertions.Fail {
				missed = append(missed, judgement.Expectation)
			}
		}
		return missed
	}

	sound := runText(t, soaking, Options{Producers: only(sarama.New)})
	assert.Empty(t, missed(sound), "%+v", sound.Expectations)
	slopes := 0
	for _, judgement := range sound.Expectations {
		if !strings.Contains(judgement.Expectation, ".slope") {
			continue
		}
		slopes++
		assert.NotNil(t, judgement.Got, judgement.Expectation)
		if strings.HasPrefix(judgement.Expectation, "goroutines") || strings.HasPrefix(judgement.Expectation, "open_files") {
			assert.Equal(t, assertions.Pass, judgement.Verdict, "nothing makes these scatter: %+v", judgement)
		}
	}
	assert.Equal(t, 6, slopes)
	require.Len(t, sound.Faults, 4, "as often as fits")
	for i, fault := range sound.Faults {
		assert.Equal(t, i+1, fault.Repetition)
	}

	leaking := runText(t, soaking, Options{Producers: only(leakingFrom(sarama.New))})
	assert.Equal(t, assertions.Fail, leaking.Verdict)
	assert.Equal(t, []string{
		"goroutines.slope < 7200/h outside faults", "open_files.slope < 7200/h outside faults",
		"heap.slope < 7GiB/h outside faults", "rss.slope < 7GiB/h outside faults",
	}, missed(leaking), "%+v", leaking.Expectations)
}

// leakingFrom makes a client leak: twenty times a second a goroutine, an open file and a quarter of a mebibyte, at 2,000
// records a second. It gives all of it back when it is closed.
func leakingFrom(connect producer.New) producer.New {
	return func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connect(ctx, config, outcome)
		return &leaker{Producer: inner, closed: make(chan struct{})}, err
	}
}

type leaker struct {
	producer.Producer
	sent   atomic.Int64
	closed chan struct{}
	leaked sync.WaitGroup
}

func (l *leaker) Send(ctx context.Context, record *producer.Record) error {
	if l.sent.Add(1)%100 == 0 {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		memory := make([]byte, 256<<10)
		for i := range memory {
			memory[i] = 1 // what is not touched is not resident
		}
		l.leaked.Go(func() {
			<-l.closed
			memory[0]++ // until then
			_ = file.Close()
		})
	}
	return l.Producer.Send(ctx, record)
}

func (l *leaker) Close(ctx context.Context) error {
	err := l.Producer.Close(ctx)
	close(l.closed)
	l.leaked.Wait()
	return err
}
