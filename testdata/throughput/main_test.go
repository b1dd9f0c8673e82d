package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
)

// able is a contender that keeps every rate up to a highest, and what it was asked to play.
func able(highest int, asked *[]int) contender {
	return contender{name: "able", play: func(_ context.Context, sets []string) (m measurement, err error) {
		var rate int
		if _, err := fmt.Sscanf(sets[0], "load.stages.hold.rate=%d/s", &rate); err != nil {
			return m, err
		}
		*asked = append(*asked, rate)
		if rate > highest {
			m.miss("too much")
		}
		return m, nil
	}}
}

func TestHighestFindsTheRungBelowTheLimit(t *testing.T) {
	b := bench{progress: io.Discard, low: 100, high: 1000} // rungs 100, 105, 110, 116, …, 943, 991, 1040
	for limit, want := range map[int]float64{100: 100, 104: 100, 105: 105, 499: 476, 1039: 991} {
		for _, before := range [][]float64{nil, {100}, {476}, {991}} {
			var asked []int
			got, err := b.highest(t.Context(), able(limit, &asked), before)
			require.NoError(t, err)
			assert.InDelta(t, want, got, 0, "keeps %d, found before %v, played %v", limit, before, asked)
		}
	}
}

func TestHighestPlaysTheEndsOfTheLadder(t *testing.T) {
	b := bench{progress: io.Discard, low: 100, high: 1000}
	for _, before := range [][]float64{nil, {100}, {991}} {
		var asked []int
		_, err := b.highest(t.Context(), able(2000, &asked), before)
		require.EqualError(t, err, "able keeps 1040/s, the top of the ladder: choose a higher -high")
		assert.Contains(t, asked, 1040)

		asked = nil
		_, err = b.highest(t.Context(), able(99, &asked), before)
		require.EqualError(t, err, "able does not keep 100/s: choose a lower -low")
		assert.Contains(t, asked, 100)
	}
}

// scripted is a contender whose runs come out as told, the last way for good; it counts them.
func scripted(name string, runs *int, kept ...bool) contender {
	return contender{name: name, play: func(context.Context, []string) (measurement, error) {
		m := measurement{cpu: 7, lag: 0.007, rss: 7e6}
		if !kept[min(*runs, len(kept)-1)] {
			m = measurement{cpu: 666, lag: 0.666, rss: 666e6}
			m.miss("too much")
		}
		*runs++
		return m, nil
	}}
}

func TestARunThatIsNotKeptIsRepeatedOnce(t *testing.T) {
	var first, second int
	b := bench{progress: io.Discard, rounds: 2, contenders: []contender{
		scripted("fleetproof", &first, false, true, true), scripted("control", &second, true, false),
	}}
	all, err := b.byTurns(t.Context(), usual(100))
	require.NoError(t, err)
	assert.Equal(t, &series{name: "fleetproof", cpu: []float64{7, 7}, lag: []float64{7, 7}, rss: []float64{7, 7}}, all[0])
	assert.Equal(t, 3, first)
	assert.Equal(t, "too much", all[1].lost)
	assert.Equal(t, 3, second, "one in the first round, two in the second")
}

func TestAPointThatIsNotKeptHasNoFigure(t *testing.T) {
	for lost := range 2 {
		all := []*series{{name: "fleetproof"}, {name: "control"}}
		for _, s := range all {
			s.cpu, s.rss = []float64{7}, []float64{7}
		}
		all[lost].cpu, all[lost].lost = []float64{666}, "too much"
		var out bytes.Buffer
		table(&out, "CPU", all, func(s *series) []float64 { return s.cpu })
		scaleRow(&out, usual(100), all[0], all[1])
		assert.NotContains(t, out.String(), "666")
		assert.Contains(t, out.String(), "| "+all[lost].name+" | not kept: too much | – | – | – |\n")
		row := []string{"7.0", "7.0", "–", "7", "7"}
		row[lost], row[3+lost] = "not kept: too much", "not kept: too much"
		assert.Contains(t, out.String(), "| 10000 | 100 | 24 | "+strings.Join(row, " | ")+" |\n")
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		m    measurement
		want string
	}{
		{measurement{achieved: 0.995, ack: 0.999, thirds: [3]float64{0.02, 0.9, 0.09}}, ""},
		{measurement{achieved: 0.9949}, "99.49 % of what was due was handed over in time"},
		{measurement{achieved: 1, ack: 1}, "the p99 of the acknowledgements was 1 s"},
		{
			measurement{achieved: 1, thirds: [3]float64{0.02, 0, 0.0901}},
			"a backlog grew: the median acknowledgement took 20 ms in the first third and 90.1 ms in the last",
		},
	} {
		c.m.judge()
		assert.Equal(t, c.want, c.m.reason())
		assert.Equal(t, c.want == "", c.m.kept())
	}
}

// second is a slice in which every acknowledgement took so long.
func second(t *testing.T, from int, milliseconds int64) assertions.Slice {
	t.Helper()
	h := hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	for range 100 {
		require.NoError(t, h.RecordValue(1000*milliseconds))
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	require.NoError(t, err)
	compressed, err := base64.StdEncoding.DecodeString(string(text))
	require.NoError(t, err)
	return assertions.Slice{Span: span(from, from+1), Histograms: map[string][]byte{"ack_latency": compressed}}
}

func TestThirdsAreOfTheJudgedStage(t *testing.T) {
	got, err := thirds(&assertions.Evidence{
		Stages: []assertions.Stage{{Span: span(0, 1)}, {Judged: true, Span: span(1, 7)}},
		Slices: []assertions.Slice{
			second(t, 0, 900), second(t, 1, 10), second(t, 2, 10), second(t, 3, 20), {Span: span(4, 5)}, second(t, 5, 30), second(t, 6, 30),
		},
	})
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{0.01, 0.02, 0.03}, got[:], 1e-4)
}

func span(from, to int) assertions.Span {
	return assertions.Span{From: time.Duration(from) * time.Second, To: time.Duration(to) * time.Second}
}

// pretend makes a program that writes what fleetproof would, with so many milliseconds from due to acknowledged in each
// second, and exits.
func pretend(t *testing.T, result string, exit int, seconds ...int64) *bench {
	t.Helper()
	folder := t.TempDir()
	evidence := assertions.Evidence{
		Format: assertions.EvidenceFormat, Stages: []assertions.Stage{{Judged: true, Span: span(0, len(seconds))}},
	}
	for from, milliseconds := range seconds {
		evidence.Slices = append(evidence.Slices, second(t, from, milliseconds))
	}
	text, err := json.Marshal(evidence)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "written"), text, 0o644))
	script := fmt.Sprintf(`#!/bin/sh
mkdir -p %[1]s/evidence
mv %[1]s/written %[1]s/evidence/evidence.json
echo '%[2]s'
echo 'complaint' >&2
exit %[3]d
`, folder, result, exit)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "fleetproof"), []byte(script), 0o755))
	return &bench{folder: folder}
}

func TestFleetproofThatDoesNotPassDoesNotKeepTheRate(t *testing.T) {
	const result = `{"verdict": %q, "reasons": ["the machine stalled"], "counts": {"sent": 1000}, "expectations": [
		{"expectation": "achieved_rate >= 99.5%%", "verdict": "PASS", "got": 1},
		{"expectation": "throughput > 0/s", "verdict": %[1]q, "got": null, "reason": "the client was slow"},
		{"expectation": "partition_skew < 1.2", "verdict": %[1]q, "got": null, "reason": "the client was slow"}]}`
	for verdict, exit := range map[string]int{"FAIL": 1, "INCONCLUSIVE": 3} {
		m, err := pretend(t, fmt.Sprintf(result, verdict), exit).fleetproof(t.Context(), nil)
		require.NoError(t, err)
		assert.False(t, m.kept())
		assert.Equal(t, verdict+" of throughput > 0/s, partition_skew < 1.2 (the machine stalled; the client was slow)", m.reason())
	}
}

func TestFleetproofThatPassesKeepsTheRate(t *testing.T) {
	const result = `{"verdict": "PASS", "counts": {"sent": 1000}, "expectations": [
		{"expectation": "achieved_rate >= 99.5%%", "verdict": "PASS", "got": 1}], "latencies": [
		{"metric": "schedule_lag", "phase": "run", "p99": 0.002}, {"metric": "ack_latency", "phase": %q, "p99": 0.02}]}`
	played := func(phase string, seconds ...int64) (measurement, error) {
		return pretend(t, fmt.Sprintf(result, phase), 0, seconds...).fleetproof(t.Context(), nil)
	}
	m, err := played("run", 10, 10, 20)
	require.NoError(t, err)
	assert.True(t, m.kept(), m.reason())
	assert.Equal(t, []float64{1, 0.002, 0.02}, []float64{m.achieved, m.lag, m.ack})
	m, err = played("run", 10, 10, 80)
	require.NoError(t, err)
	assert.False(t, m.kept())

	_, err = played("outside faults", 10, 10, 20)
	require.ErrorContains(t, err, "the result lacks achieved_rate, schedule_lag or ack_latency; it said: complaint")
	_, err = played("run")
	require.ErrorContains(t, err, "nothing was acknowledged in a third of the stage that is judged")
}

func TestWithoutRecordsThereIsNothingToMeasure(t *testing.T) {
	_, err := pretend(t, `{"verdict": "FAIL", "counts": {"sent": 0}}`, 1).fleetproof(t.Context(), nil)
	require.ErrorContains(t, err, "no record was played")
	require.ErrorContains(t, err, "complaint")
}

func TestAnExitThatIsNoVerdictIsAnError(t *testing.T) {
	_, err := pretend(t, `{"verdict": "ERROR"}`, 4).fleetproof(t.Context(), nil)
	require.ErrorContains(t, err, "fleetproof: exit status 4; it said: complaint")
}

func TestAChildIsInterruptedWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	folder := t.TempDir()
	ready, tidied := filepath.Join(folder, "ready"), filepath.Join(folder, "tidied")
	script := "#!/bin/sh\ntrap 'touch " + tidied + "; exit 0' INT\ntouch " + ready + "\nwhile true; do sleep 0.05; done\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "fleetproof"), []byte(script), 0o755))
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(ready); err == nil {
				cancel(errors.New("the cause"))
			}
			<-time.After(5 * time.Millisecond)
		}
	}()
	_, err := (&bench{folder: folder}).child(ctx, []int{0}, "fleetproof")
	require.ErrorContains(t, err, "fleetproof: the cause")
	assert.FileExists(t, tidied)
}
