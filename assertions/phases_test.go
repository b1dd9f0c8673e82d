package assertions

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// marked gives every slice a number of unknown records of its own, 1, 2, 4, …, so that a sum says which slices are in it.
func marked(e *Evidence) {
	for i := range e.Slices {
		e.Slices[i].Unknown = 1 << i
		e.Slices[i].Acked -= 1 << i
	}
	balanced(e)
}

// members turns such a sum back into numbers.
func members(sum float64) []int {
	var members []int
	for i := range 12 {
		if int(sum)>>i&1 == 1 {
			members = append(members, i)
		}
	}
	return members
}

func numbers(from, to int) []int {
	var numbers []int
	for i := from; i < to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

func TestPhases(t *testing.T) {
	moved := func(injected, healed, resumed time.Duration) func(*Evidence) {
		return func(e *Evidence) {
			e.Faults[0].InjectedAt, e.Faults[0].HealedAt, e.Faults[0].ResumedAt = injected, healed, resumed
		}
	}
	without := func(all []int, skip ...int) []int {
		var left []int
		for _, n := range all {
			if !contains(skip, n) {
				left = append(left, n)
			}
		}
		return left
	}
	for _, test := range []struct {
		scope   string
		changes []func(*Evidence)
		want    []int
	}{
		{"", nil, numbers(0, 12)},
		{" during run", nil, numbers(0, 12)},
		{" during stage warmup", nil, numbers(0, 2)},
		{" during stage hold", nil, numbers(2, 12)},
		{" during anomaly hvac", nil, numbers(8, 10)},
		{" during fault crash", nil, []int{4}},
		{" during fault crash", []func(*Evidence){moved(4100*ms, 5100*ms, 5200*ms)}, []int{4, 5}},
		{" during fault crash", []func(*Evidence){moved(4*second, Never, Never)}, numbers(4, 12)},
		{" during fault crash", []func(*Evidence){moved(4*second, 4*second, 4*second)}, []int{4}},
		{" during fault crash", []func(*Evidence){moved(4*second, Never, Never), func(e *Evidence) { e.Run.Interrupted, e.Run.LoadEnded = true, 6500*ms }}, []int{4, 5, 6}},
		{" outside faults", nil, without(numbers(2, 12), 4, 5)},
		{" outside faults", []func(*Evidence){moved(4*second, 5*second, 5*second)}, without(numbers(2, 12), 4)},
		{" outside faults", []func(*Evidence){moved(4*second, 5*second, Never)}, []int{2, 3}},
		{" outside faults", []func(*Evidence){moved(4*second, Never, Never)}, []int{2, 3}},
		{" outside faults", []func(*Evidence){moved(Never, Never, Never)}, numbers(2, 12)},
		{" outside faults", []func(*Evidence){fault("slow", 7500*ms, 8*second, 8100*ms)}, without(numbers(2, 12), 4, 5, 7, 8)},
		{" outside faults", []func(*Evidence){func(e *Evidence) { e.Faults = nil }}, numbers(2, 12)},
	} {
		changes := append([]func(*Evidence){marked}, test.changes...)
		judgement := judgedOnce(t, with(changes...), "unknown >= 0"+test.scope)
		if assert.NotNil(t, judgement.Got, test.scope) {
			assert.Equal(t, test.want, members(*judgement.Got), test.scope)
		}
	}

	nowhere := judgedOnce(t, with(moved(1*second, Never, Never)), "ack_latency.p99 < 1s outside faults")
	assert.Equal(t, Inconclusive, nowhere.Verdict)
	assert.Equal(t, "no judged second lies outside the faults", nowhere.Reason)
}

func contains(list []int, n int) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

// Latencies and rates leave the warm-up out; whoever names it means it.
func TestWarmUp(t *testing.T) {
	cold := slow(metricAckLatency, 0, 2, 1000, 300*ms)
	for text, verdict := range map[string]Verdict{
		"ack_latency.p99 < 50ms":                     Pass,
		"ack_latency.p99 < 50ms during run":          Pass,
		"ack_latency.p99 < 50ms outside faults":      Pass,
		"ack_latency.p99 < 50ms during stage hold":   Pass,
		"ack_latency.p99 < 50ms during stage warmup": Fail,
		"throughput > 999/s":                         Pass,
		"availability_gap < 850ms":                   Fail,
		"availability_gap < 850ms during stage hold": Fail,
	} {
		judgement := judgedOnce(t, with(cold), text)
		assert.Equal(t, verdict, judgement.Verdict, judgement)
	}
}

func TestAvailabilityGapInPhases(t *testing.T) {
	gaps := func(e *Evidence) {
		e.Gaps = []Gap{
			{Partition: 1, Span: Span{500 * ms, 1900 * ms}},          // in the warm-up
			{Partition: 2, Span: Span{3 * second, 3300 * ms}},        // before the fault
			{Partition: 3, Span: Span{3900 * ms, 5200 * ms}},         // reaches into it
			{Partition: 4, Span: Span{9900 * ms, 10*second + 40*ms}}, // reaches out of the anomaly
		}
	}
	for scope, want := range map[string]float64{
		"": 1.3, " during stage hold": 1.3, " during stage warmup": 1.4, " during fault crash": 1.3, " outside faults": 0.3, " during anomaly hvac": 0.14,
		" during run": 1.3,
	} {
		judgement := judgedOnce(t, with(gaps), "availability_gap < 1h"+scope)
		if assert.NotNil(t, judgement.Got, scope) {
			assert.InDelta(t, want, *judgement.Got, 1e-9, scope)
		}
	}
	none := judgedOnce(t, with(func(e *Evidence) { e.Gaps = nil }), "availability_gap < 1s")
	assert.Equal(t, Pass, none.Verdict, "records were due and nobody waited")
	assert.Zero(t, *none.Got)
}

// What was due early in a scope has longer to be handed over than its own second: catching up within the scope counts,
// catching up after it does not.
func TestAchievedRate(t *testing.T) {
	lagging := func(slice int, onTime int64, later ...Handed) func(*Evidence) {
		return each(slice, slice+1, func(s *Slice) { s.OnTime, s.Later = onTime, later })
	}
	for _, test := range []struct {
		name   string
		change func(*Evidence)
		scope  string
		want   float64
	}{
		{"in time", func(*Evidence) {}, "", 1},
		{"in the next second, which the scope still has", lagging(9, 300, Handed{11 * second, 700}), " during stage hold", 1},
		{"in the next second, which is not the scope's any more", lagging(9, 300, Handed{11 * second, 700}), " during anomaly hvac", 0.65},
		{"some sooner, some later", lagging(8, 300, Handed{10 * second, 600}, Handed{11 * second, 100}), " during anomaly hvac", 0.95},
		{"after the load", lagging(11, 600), "", 0.96},
		{"unsent", func(e *Evidence) {
			each(3, 4, func(s *Slice) {
				s.Sent, s.Acked, s.OnTime, s.Unsent = 600, 600, 600, 400
			})(e)
			balanced(e)
		}, "", 0.96},
	} {
		judgement := judgedOnce(t, with(test.change), "achieved_rate > 0%"+test.scope)
		if assert.NotNil(t, judgement.Got, test.name) {
			assert.InDelta(t, test.want, *judgement.Got, 1e-9, test.name)
		}
	}
}

// A rate is divided by the time in which there was load.
func TestThroughputOfAnInterruptedRun(t *testing.T) {
	interrupted := func(e *Evidence) {
		e.Run.Interrupted, e.Run.LoadEnded = true, 6500*ms
		each(6, 7, func(s *Slice) { s.Due, s.Sent, s.OnTime, s.Acked = 500, 500, 500, 500 })(e)
		each(7, 12, func(s *Slice) { *s = Slice{Span: s.Span} })(e)
		balanced(e)
	}
	judgement := judgedOnce(t, with(interrupted), "throughput >= 1000/s")
	assert.Equal(t, Inconclusive, judgement.Verdict, "the rest of it is not known")
	assert.InDelta(t, 1000, *judgement.Got, 1e-9)
	after := judgedOnce(t, with(interrupted), "throughput >= 1000/s during anomaly hvac")
	assert.Equal(t, Inconclusive, after.Verdict)
	assert.Equal(t, "no record was due in anomaly hvac", after.Reason)
}

func TestFirstOffender(t *testing.T) {
	const tail = "; replay: --set seed=7"
	for _, test := range []struct {
		name   string
		change func(*Evidence)
		text   string
		want   string
	}{
		{"in a fault", found(reordered, 3, 4500*ms), "reordered == 0", "got 3 of 12,040; first device climate-0042 #118 due 4.5 s, during fault crash [4.0 s – 5.0 s]" + tail},
		{"in a stage", found(reordered, 3, 1500*ms), "reordered == 0", "got 3 of 12,040; first device climate-0042 #118 due 1.5 s, in stage warmup [0.0 s – 2.0 s]" + tail},
		{"in the scope", found(reordered, 3, 9*second), "reordered == 0 during anomaly hvac", "got 3 of 2,000; first device climate-0042 #118 due 9.0 s, in stage hold [2.0 s – 12.0 s]" + tail},
		{"after everything", found(reordered, 3, 13*second), "reordered == 0", "got 3 of 12,040; first device climate-0042 #118 due 13.0 s, after the load" + tail},
		{"of the alerts", func(e *Evidence) {
			e.Streams[1].Findings["reordered"] = Found{Count: 1, First: []Offender{{Device: "climate-0042", Sequence: -1, Due: 9 * second, Note: "expected elsewhere"}}}
		}, "reordered == 0", "got 1 of 12,040; first in the alerts: device climate-0042 due 9.0 s, in stage hold [2.0 s – 12.0 s] (expected elsewhere)" + tail},
		{"details that were not kept", func(e *Evidence) {
			e.Slices[9].Findings = map[string]int64{"reordered": 2}
		}, "reordered == 0 during anomaly hvac", "got 2 of 2,000" + tail},
		{"a device of which nothing else is known", func(e *Evidence) {
			e.Streams[0].Findings["affinity_splits"] = Found{Count: 1, First: []Offender{{Device: "climate-0042", Sequence: -1, Due: Never}}}
		}, "affinity_splits == 0", "got 1 of 12,040; first device climate-0042" + tail},
	} {
		assert.Equal(t, test.want, judgedOnce(t, with(test.change), test.text).Reason, test.name)
	}
}

func TestFiguresAreReadable(t *testing.T) {
	for want, got := range map[string]string{
		"0":          grouped(0),
		"999":        grouped(999),
		"1,000":      grouped(1000),
		"-1,234,567": grouped(-1234567),
		"120,000":    figure(120000, measure{kind: count}),
		"1.5":        figure(1.5, measure{kind: ratio}),
		"1,234,568":  figure(1234567.8, measure{kind: ratio}),
		"99.8996%":   figure(0.998996, measure{kind: share}),
		"0 s":        figure(0, measure{kind: duration}),
		"850 µs":     figure(850e-6, measure{kind: duration}),
		"61.2 ms":    figure(0.0612, measure{kind: duration}),
		"90 s":       figure(90, measure{kind: duration}),
		"512 B":      figure(512, measure{kind: size}),
		"-1.5 KiB/h": figure(-1536, measure{kind: size, slope: true}),
		"2 GiB/s":    figure(2<<30, measure{kind: sizeRate}),
		"3,072 GiB":  figure(3<<40, measure{kind: size}),
		"5,000/s":    figure(5000, measure{kind: rate}),
		"0.25/h":     figure(0.25, measure{kind: ratio, slope: true}),
	} {
		assert.Equal(t, want, got)
	}
}
