package assertions

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// latency draws from a log-normal distribution around 10 ms, as wide as acknowledgements of a busy cluster are.
func latency(random *rand.Rand) time.Duration {
	return time.Duration(10e6 * math.Exp(0.6*random.NormFloat64()))
}

// A recorder that opens and seals its slices over and over ends with the same histograms as one that never does.
func TestRecorderAgreesWithOneThatNeverSeals(t *testing.T) {
	for name, test := range map[string]struct {
		slices, values int
		slice          func(random *rand.Rand, n int) int
	}{
		"in order":                       {20, 100_000, func(_ *rand.Rand, n int) int { return n / 5000 }},
		"all slices at once":             {20, 100_000, func(_ *rand.Rand, n int) int { return n % 20 }},
		"many slices with few values":    {300, 70_000, func(r *rand.Rand, _ int) int { return r.IntN(300) }},
		"in order with latecomers":       {20, 100_000, func(r *rand.Rand, n int) int { return max(0, n/5000-r.IntN(12)*r.IntN(2)) }},
		"a long outage, then a backlog":  {60, 120_000, func(r *rand.Rand, n int) int { return (n/60_000)*10 + r.IntN(50) }},
		"hardly any values":              {40, 100, func(r *rand.Rand, _ int) int { return r.IntN(40) }},
		"one slice with all the values":  {40, 50_000, func(*rand.Rand, int) int { return 39 }},
		"latest slice first, back to it": {40, 100_000, func(_ *rand.Rand, n int) int { return 39 - n/100%40 }},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 4))
			r := newRecorder(test.slices, fineDigits)
			want := make([]*hdrhistogram.Histogram, test.slices)
			for n := range test.values {
				slice, value := test.slice(random, n), latency(random)
				r.record(slice, value)
				if len(r.open) > recorderOpen || r.waiting >= recorderWaiting {
					t.Fatalf("%d histograms in use, %d values waiting", len(r.open), r.waiting)
				}
				if want[slice] == nil {
					want[slice] = newHistogram(fineDigits)
				}
				if err := want[slice].RecordValue(value.Microseconds()); err != nil {
					t.Fatal(err)
				}
			}
			for i, bytes := range r.close() {
				if want[i] == nil {
					require.Nil(t, bytes, "slice %d", i)
					continue
				}
				got, err := decodeHistogram(bytes)
				require.NoError(t, err)
				require.True(t, want[i].Equals(got), "slice %d: want %d values, got %d", i, want[i].TotalCount(), got.TotalCount())
			}
		})
	}
}

func TestRecorderTakesWhatItsRangeHolds(t *testing.T) {
	r := newRecorder(1, fineDigits)
	for _, value := range []time.Duration{
		-1, math.MinInt64, // before the record was due: a clock runs backwards
		0, 999, // less than a microsecond
		time.Microsecond, 1999, time.Hour,
		time.Hour + 1, math.MaxInt64,
	} {
		r.record(0, value)
	}
	require.EqualValues(t, 4, r.cells[0].beyond)
	h, err := decodeHistogram(r.close()[0])
	require.NoError(t, err)
	require.EqualValues(t, 5, h.TotalCount())
	require.EqualValues(t, 0, h.Min())
	require.EqualValues(t, 0, h.ValueAtPercentile(40))
	require.EqualValues(t, 1, h.ValueAtPercentile(80))
	require.InEpsilon(t, time.Hour.Microseconds(), h.Max(), 0.001)
}

func TestRecorderKeepsItsMemory(t *testing.T) {
	const slices, values = 200, 4000
	random := rand.New(rand.NewPCG(2, 4))
	before := heap()
	r := newRecorder(slices, fineDigits)
	for slice := range slices {
		for range values {
			// One in ten comes late, by up to a hundred slices.
			at := slice
			if random.IntN(10) == 0 {
				at = max(0, slice-random.IntN(100))
			}
			r.record(at, latency(random))
		}
	}
	// Four histograms, the lists, and 2 kB sealed in each slice: histograms alone would take 38 MB.
	assert.Less(t, heap()-before, int64(5<<20))
	require.Len(t, r.close(), slices)
}

func TestRecorderDoesNotAllocateInSteadyState(t *testing.T) {
	r := newRecorder(2, fineDigits)
	for range 2 * recorderList {
		r.record(0, time.Millisecond)
		r.record(1, time.Millisecond)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.record(0, time.Millisecond)
		r.record(1, time.Millisecond)
	}))
}

func TestMergeHistograms(t *testing.T) {
	sliceOf := func(metric string, values ...time.Duration) Slice {
		r := newRecorder(1, fineDigits)
		for _, v := range values {
			r.record(0, v)
		}
		cut := []Slice{{}}
		r.fill(cut, metric)
		return cut[0]
	}
	slices := []Slice{
		sliceOf("ack_latency", 5*time.Millisecond, 7*time.Millisecond, -1),
		{},
		sliceOf("e2e_latency", 9*time.Millisecond),
		sliceOf("ack_latency", 7*time.Millisecond, 2*time.Hour),
	}
	merged, beyond, err := mergeHistograms(slices, "ack_latency")
	require.NoError(t, err)
	require.EqualValues(t, 2, beyond)
	want := newHistogram(fineDigits)
	require.NoError(t, want.RecordValue(5000))
	require.NoError(t, want.RecordValues(7000, 2))
	require.True(t, want.Equals(merged))

	merged, beyond, err = mergeHistograms(slices, "blocked")
	require.NoError(t, err)
	require.Zero(t, beyond)
	require.Zero(t, merged.TotalCount())
}

func TestMergeHistogramsRefusesOtherBytes(t *testing.T) {
	wide := hdrhistogram.New(1, math.MaxInt64/2, 3)
	require.NoError(t, wide.RecordValue(2*time.Hour.Microseconds()))
	for name, test := range map[string]struct {
		bytes []byte
		want  string
	}{
		"none":       {[]byte{}, "merge blocked of the slice at 3s: decode histogram: encoded histogram too short: got 0 bytes, need at least 8"},
		"garbage":    {[]byte("no histogram at all"), "merge blocked of the slice at 3s: decode histogram: encoding not supported, only V2 is supported. got 1852776456 want 478450436"},
		"wider ones": {encodeHistogram(wide), "merge blocked of the slice at 3s: 1 values beyond 1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := mergeHistograms([]Slice{{
				Span: Span{From: 3 * time.Second}, Histograms: map[string][]byte{"blocked": test.bytes},
			}}, "blocked")
			require.EqualError(t, err, test.want)
		})
	}
}

func TestHistogramsAreTheFieldsStandardFormat(t *testing.T) {
	h := newHistogram(fineDigits)
	require.NoError(t, h.RecordValue(1234))
	text, err := json.Marshal(encodeHistogram(h))
	require.NoError(t, err)
	var standard string
	require.NoError(t, json.Unmarshal(text, &standard))
	decoded, err := hdrhistogram.Decode([]byte(standard))
	require.NoError(t, err)
	require.True(t, h.Equals(decoded))
	require.Equal(t, base64.StdEncoding.EncodeToString(encodeHistogram(h)), standard)
}

// The figures that Cuts reckons with.
func TestASliceFitsItsShareOfTheEvidence(t *testing.T) {
	for name, test := range map[string]struct{ values, slices int }{
		"one second at 100,000 records a second":  {100_000, slicesFine},
		"ten seconds at 100,000 records a second": {1_000_000, slicesCoarse},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			cut := make([]Slice, 1)
			for metric, median := range map[string]float64{
				metricScheduleLag: 0.02, metricBlocked: 0.0002, metricSendLatency: 1, metricAckLatency: 1.1, metricE2eLatency: 1.5,
			} {
				r := newRecorder(1, fineDigits)
				for range test.values {
					r.record(0, time.Duration(median*float64(latency(random))))
				}
				r.fill(cut, metric)
			}
			text, err := json.Marshal(cut)
			require.NoError(t, err)
			t.Logf("%d bytes", len(text))
			assert.Less(t, test.slices*len(text), 12_000_000)
		})
	}
}
