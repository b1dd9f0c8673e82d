package assertions

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soakCuts are the cuts of a soak: half a minute of warm-up, then a fault of five seconds every so often.
func soakCuts(length, every time.Duration) (cuts []time.Duration, times int) {
	end := length + 30*second
	var begins, healings []time.Duration
	for at := 45 * second; at+6*second <= end; at += every {
		begins, healings = append(begins, at), append(healings, at+5*second)
	}
	return Cuts(end, healings, append(begins, 30*second)...), len(begins)
}

// TestCutsOfSoaks holds how many slices there are, of which as many as possible lie outside the faults, and how precise.
func TestCutsOfSoaks(t *testing.T) {
	for _, test := range []struct {
		length, every time.Duration
		slices        int
		outside       float64 // share of the time that lies in slices without a fault or the second after it, at least
		digits        int
	}{
		{10 * time.Minute, time.Minute, 310, 0.9, fineDigits},
		{time.Hour, time.Minute, 302, 0.89, fineDigits},
		{2 * time.Hour, time.Minute, 361, 0.89, fineDigits},
		{3 * time.Hour, time.Minute, 362, 0.89, fineDigits},
		{4 * time.Hour, time.Minute, 482, 0.89, coarseDigits},
		{8 * time.Hour, time.Minute, 962, 0.89, coarseDigits},
		{10 * time.Hour, time.Minute, 1202, 0.89, coarseDigits},
		{24 * time.Hour, 5 * time.Minute, 579, 0.97, coarseDigits},
		{24 * time.Hour, 24 * time.Hour, 302, 0.99, fineDigits},
	} {
		cuts, times := soakCuts(test.length, test.every)
		var outside time.Duration
		for i := range cuts[1:] {
			inside := false
			for n := range times {
				from := 45*second + time.Duration(n)*test.every
				inside = inside || Span{cuts[i], cuts[i+1]}.overlaps(Span{from, from + 5*second + 500*ms})
			}
			if !inside {
				outside += cuts[i+1] - cuts[i]
			}
		}
		assert.Equal(t, test.slices, len(cuts)-1, "%s", test.length)
		assert.GreaterOrEqual(t, outside.Seconds()/test.length.Seconds(), test.outside, "%s", test.length)
		assert.Equal(t, test.digits, precision(cuts), "%s", test.length)
	}
}

// drawn is a histogram of so many values, log-normally distributed around a number of microseconds.
func drawn(random *rand.Rand, digits int, values, around, spread float64) []byte {
	h := newHistogram(digits)
	below := func(v float64) float64 { return 0.5 * math.Erfc(-math.Log(v/around)/spread/math.Sqrt2) }
	for v, width := int64(1), int64(1); v < 1e9; v += width {
		if v >= 2048*width {
			width *= 2
		}
		expected := values * (below(float64(v+width)) - below(float64(v)))
		if count := int64(expected + math.Sqrt(expected)*random.NormFloat64() + random.Float64()); count > 0 {
			if err := h.RecordValues(v, count); err != nil {
				panic(err)
			}
		}
	}
	return encodeHistogram(h)
}

// TestEvidenceOfSoaksIsSmall writes evidence as large as it becomes: every slice with its five latencies, of which three are
// widely spread, every sample and every life of the fault.
func TestEvidenceOfSoaksIsSmall(t *testing.T) {
	const limit = 20e6
	random := rand.New(rand.NewPCG(1, 7))
	for _, test := range []struct {
		length, every time.Duration
		rate          float64
	}{
		{time.Hour, time.Minute, 20_000}, {8 * time.Hour, time.Minute, 20_000},
		{3 * time.Hour, time.Minute, 100_000}, {10 * time.Hour, time.Minute, 100_000}, {24 * time.Hour, 5 * time.Minute, 100_000},
	} {
		cuts, times := soakCuts(test.length, test.every)
		digits := precision(cuts)
		e := soaked(steady)
		e.Slices, e.Samples, e.Faults = nil, nil, nil
		known := map[time.Duration]map[string][]byte{} // by width
		for i := range cuts[1:] {
			width := cuts[i+1] - cuts[i]
			if known[width] == nil {
				n := test.rate * width.Seconds()
				known[width] = map[string][]byte{
					metricScheduleLag: drawn(random, digits, n, 800, 0.5), metricBlocked: drawn(random, digits, n, 2, 1),
					metricSendLatency: drawn(random, digits, n, 4500, 1), metricAckLatency: drawn(random, digits, n, 5000, 1), metricE2eLatency: drawn(random, digits, n, 9000, 1),
				}
			}
			all := int64(test.rate * width.Seconds())
			e.Slices = append(e.Slices, Slice{
				Span: Span{cuts[i], cuts[i+1]}, Due: all, Sent: all, OnTime: all, Acked: all, Consumed: all, Bytes: 200 * all, Histograms: known[width],
			})
		}
		busy := random.Float64()
		for i := range 3600 {
			e.Samples = append(e.Samples, Sample{
				At: time.Duration(i) * 8 * second, CPU: new(random.Float64()), RSS: new(100*mib + random.Int64N(mib)), Heap: 40*mib + random.Int64N(mib), Goroutines: 50, OpenFiles: new(int64(20)), Busy: &busy,
			})
		}
		for i := range times {
			from := time.Duration(i)*test.every + time.Duration(random.Int64N(int64(second)))
			e.Faults = append(e.Faults, Fault{
				Name: "lost-acks", Repetition: i + 1, Do: "lose_ack", Target: "all", Hits: 15, Proof: "produce responses swallowed",
				InjectedAt: from, ProvenAt: from + 1, HealedAt: from + 2, ResumedAt: from + 3,
			})
		}
		text, err := json.Marshal(e)
		require.NoError(t, err)
		assert.Less(t, len(text), int(limit), "%s at %.0f/s", test.length, test.rate)
		t.Logf("%s at %.0f/s: %d slices, %.1f MB", test.length, test.rate, len(e.Slices), float64(len(text))/1e6)
	}
}

// TestCoarseHistogramsNeverFlatter: with two digits a percentile is told up to 0.8% too high, merged or not.
func TestCoarseHistogramsNeverFlatter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 8))
	fine, coarse := newRecorder(2, fineDigits), newRecorder(2, coarseDigits)
	for i := range 20_000 {
		value := latency(random)
		fine.record(i%2, value)
		coarse.record(i%2, value)
	}
	merge := func(r recorder) merged {
		var parts []Slice
		for _, bytes := range r.close() {
			parts = append(parts, Slice{Histograms: map[string][]byte{metricAckLatency: bytes}})
		}
		h, beyond, err := mergeHistograms(parts, metricAckLatency)
		require.NoError(t, err)
		return merged{h, beyond}
	}
	exact, rough := merge(fine), merge(coarse)
	require.Equal(t, exact.samples(), rough.samples())
	for _, a := range []Aggregate{"p50", "p90", "p99", "p99.9", Max} {
		want, got := exact.aggregate(a).got, rough.aggregate(a).got
		assert.GreaterOrEqual(t, got, want*0.999, a)
		assert.LessOrEqual(t, got, want*1.008, a)
	}
}
