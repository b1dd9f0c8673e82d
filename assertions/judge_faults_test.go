package assertions

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeated gives healthy evidence a fault of three repetitions, from 3 s, 6 s and 9 s on, of half a second each, which are
// felt for a tenth of a second more.
func repeated(changes ...func(lives []Fault)) func(*Evidence) {
	return func(e *Evidence) {
		e.Faults = nil
		for i := range 3 {
			from := time.Duration(3+3*i) * second
			e.Faults = append(e.Faults, Fault{
				Name: "crash", Repetition: i + 1, Do: "cut", Target: "broker 1", Hits: 4, Proof: "connections refused",
				InjectedAt: from, ProvenAt: from + 10*ms, HealedAt: from + 500*ms, ResumedAt: from + 600*ms,
			})
		}
		for _, change := range changes {
			change(e.Faults)
		}
	}
}

// never takes moments away from repetitions, by their numbers.
func never(what func(*Fault) *time.Duration, numbers ...int) func([]Fault) {
	return func(lives []Fault) {
		for _, n := range numbers {
			*what(&lives[n-1]) = Never
		}
	}
}

// uninjected are repetitions that never came.
func uninjected(numbers ...int) func([]Fault) {
	return func(lives []Fault) {
		for _, n := range numbers {
			f := &lives[n-1]
			f.InjectedAt, f.ProvenAt, f.HealedAt, f.ResumedAt, f.Hits = Never, Never, Never, Never, 0
		}
	}
}

func TestPhasesOfARepeatedFault(t *testing.T) {
	for scope, want := range map[string][]int{
		" during fault crash": {3, 6, 9},
		" outside faults":     {2, 4, 5, 7, 8, 10, 11},
	} {
		judgement := judgedOnce(t, with(marked, repeated()), "unknown >= 0"+scope)
		require.NotNil(t, judgement.Got, scope)
		assert.Equal(t, want, members(*judgement.Got), scope)
	}
	judgement := judgedOnce(t, with(marked, repeated(uninjected(2))), "unknown >= 0 during fault crash")
	assert.Equal(t, []int{3, 9}, members(*judgement.Got), "the others")
	judgement = judgedOnce(t, with(repeated(uninjected(1, 2, 3))), "due > 0 during fault crash")
	assert.Equal(t, "fault crash was never injected", judgement.Reason)

	result := judged(t, with(repeated()), "due > 0")
	assert.Equal(t, Pass, result.Verdict, result.Reasons)
	assert.EqualValues(t, 12, result.Counts["faults.crash.hits"])
	var phases []string
	for _, l := range result.Latencies {
		if l.Metric == metricAckLatency {
			phases = append(phases, l.Phase)
		}
	}
	assert.Equal(t, []string{"run", "stage hold", "fault crash", "outside faults"}, phases, "one row, however often it is repeated")
	require.Len(t, result.Faults, 3)
	assert.Equal(t, 2, result.Faults[1].Repetition)

	gap := judgedOnce(t, with(repeated(), func(e *Evidence) { e.Gaps = []Gap{{Partition: 1, Span: Span{6200 * ms, 6400 * ms}}} }), "availability_gap < 100ms during fault crash")
	assert.Equal(t, Fail, gap.Verdict)
	late := judgedOnce(t, with(repeated(), found(ackedLost, 1, 6100*ms)), "acked_lost == 0")
	assert.Contains(t, late.Reason, "due 6.1 s, during fault crash #2 [6.0 s – 6.5 s]")
}

// TestEveryRepetitionHasToBite: what the others touched is no excuse.
func TestEveryRepetitionHasToBite(t *testing.T) {
	proven := func(f *Fault) *time.Duration { return &f.ProvenAt }
	resumed := func(f *Fault) *time.Duration { return &f.ResumedAt }
	untouched := func(lives []Fault) { lives[1].Hits = 0 }
	for name, test := range map[string]struct {
		change  func([]Fault)
		reasons []string
		proven  float64 // as faults.crash.proven has it; −1: nothing
		why     string
	}{
		"all":      {func([]Fault) {}, []string{}, 1, ""},
		"one":      {untouched, []string{"fault crash touched nothing (connections refused: 0), in repetition 2 of 3"}, 2. / 3, "got 66.6667%; its effect was not seen, in repetition 2 of 3; replay: --set seed=7"},
		"two":      {never(proven, 2, 3), []string{"fault crash was not proven: its effect was not seen, in 2 of 3 repetitions, first in repetition 2"}, 1. / 3, "got 33.3333%; its effect was not seen, in 2 of 3 repetitions, first in repetition 2; replay: --set seed=7"},
		"left out": {uninjected(3), []string{"fault crash was never injected, in repetition 3 of 3"}, 2. / 3, "got 66.6667%; its effect was not seen, in repetition 3 of 3; replay: --set seed=7"},
		"none":     {uninjected(1, 2, 3), []string{"fault crash was never injected, in 3 of 3 repetitions, first in repetition 1"}, -1, "fault crash was never injected"},
		"no progress": {never(resumed, 1, 2), []string{
			"fault crash was healed at 3.5 s, and no record handed over afterwards was acknowledged, in 2 of 3 repetitions, first in repetition 1",
		}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := judged(t, with(repeated(test.change)), "faults.crash.proven == 100%")
			assert.Equal(t, test.reasons, result.Reasons)
			assert.Equal(t, len(test.reasons) == 0, result.Verdict == Pass)
			judgement := result.Expectations[0]
			assert.Equal(t, test.why, judgement.Reason)
			if test.proven < 0 {
				assert.Nil(t, judgement.Got)
			} else {
				assert.InDelta(t, test.proven, *judgement.Got, 1e-9)
			}
		})
	}
	interrupted := func(e *Evidence) { e.Run.Interrupted, e.Run.LoadEnded = true, 7*second }
	left := repeated(uninjected(3))
	judgement := judgedOnce(t, with(left, interrupted), "faults.crash.proven == 100%")
	assert.Equal(t, Inconclusive, judgement.Verdict, "the third was still to come: %s", judgement)
	judgement = judgedOnce(t, with(left, interrupted), "faults.crash.hits < 20")
	assert.Equal(t, Inconclusive, judgement.Verdict, judgement)
	assert.Equal(t, Pass, judgedOnce(t, with(left, interrupted), "faults.crash.hits > 7").Verdict)
	assert.Equal(t, Inconclusive, judgedOnce(t, with(left, interrupted), "ack_latency.p99 < 1s during fault crash").Verdict)
}

// TestWithinAfterEveryRepetition: the worst of them is told, and each has to recover.
func TestWithinAfterEveryRepetition(t *testing.T) {
	const text = "ack_latency.p99 < 250ms within 1s after fault crash"
	for _, test := range []struct {
		name     string
		changes  []func(*Evidence)
		verdict  Verdict
		recovery float64 // −1: none
		reason   string
	}{
		{"all at once", nil, Pass, 0, ""},
		{"all in the fault alone", []func(*Evidence){bad(3, 4), bad(6, 7), bad(9, 10)}, Pass, 0.5, ""},
		{
			"one too late", []func(*Evidence){bad(3, 4), bad(6, 8), bad(9, 10)}, Fail, 1.5,
			"got 300.031 ms over 1,000 records; worst at 7.0 s – 8.0 s, held again 1.5 s after fault crash #2 was healed at 6.5 s; replay: --set seed=7",
		},
		{
			"two too late, of which the worst is told", []func(*Evidence){bad(3, 5), bad(9, 12)}, Fail, -1,
			"got 300.031 ms over 1,000 records; worst at 10.0 s – 11.0 s, never again since fault crash #3 was healed at 9.5 s; replay: --set seed=7",
		},
		{
			"one not known", []func(*Evidence){repeated(never(func(f *Fault) *time.Duration { return &f.HealedAt }, 3)), bad(3, 4)}, Inconclusive, -1,
			"fault crash #3 was never seen healed",
		},
		{
			"one not known and one too late", []func(*Evidence){repeated(never(func(f *Fault) *time.Duration { return &f.HealedAt }, 3)), bad(3, 5)}, Fail, -1,
			"got 300.031 ms over 1,000 records; worst at 4.0 s – 5.0 s, held again 1.5 s after fault crash #1 was healed at 3.5 s; replay: --set seed=7",
		},
		{
			"no time between two", []func(*Evidence){repeated(func(lives []Fault) { lives[0].HealedAt = 5900 * ms })}, Inconclusive, -1,
			"no whole slice lies between 5.9 s, when fault crash #1 was healed, and 6.0 s",
		},
	} {
		judgement := judgedOnce(t, with(slices.Insert(test.changes, 0, repeated())...), text)
		assert.Equal(t, test.verdict, judgement.Verdict, "%s: %s", test.name, judgement)
		assert.Equal(t, test.reason, judgement.Reason, test.name)
		if test.recovery < 0 {
			assert.Nil(t, judgement.RecoveryTime, test.name)
		} else if assert.NotNil(t, judgement.RecoveryTime, test.name) {
			assert.InDelta(t, test.recovery, *judgement.RecoveryTime, 1e-9, test.name)
		}
	}
	assert.EqualValues(t, 9000, judgedOnce(t, with(repeated()), text).Samples, "of all: two seconds each, with the one of the healing")

	slow := repeated(func(lives []Fault) { lives[1].ResumedAt = 7200 * ms })
	judgement := judgedOnce(t, with(slow), "recovery_time < 500ms during fault crash")
	assert.Equal(t, "got 700 ms; after fault crash #2 was healed at 6.5 s; replay: --set seed=7", judgement.Reason)
	assert.EqualValues(t, 3, judgement.Samples)
	judgement = judged(t, with(repeated(), bad(6, 8)), "recovery_time < 1s", text).Expectations[0]
	assert.Equal(t, "got 1.5 s; until ack_latency.p99 < 250ms after fault crash #2 was healed at 6.5 s; replay: --set seed=7", judgement.Reason)
}
