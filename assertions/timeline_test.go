package assertions

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCuts(t *testing.T) {
	const s = time.Second
	for name, test := range map[string]struct {
		end      time.Duration
		healings []time.Duration
		borders  []time.Duration
		want     []time.Duration
	}{
		"whole seconds":   {3 * s, nil, nil, []time.Duration{0, s, 2 * s, 3 * s}},
		"a broken second": {2500 * time.Millisecond, nil, nil, []time.Duration{0, s, 2 * s, 2500 * time.Millisecond}},
		"less than one":   {time.Millisecond, nil, nil, []time.Duration{0, time.Millisecond}},
		"borders": {
			3 * s, nil, []time.Duration{2500 * time.Millisecond, s, 500 * time.Millisecond, 2500 * time.Millisecond},
			[]time.Duration{0, 500 * time.Millisecond, s, 2 * s, 2500 * time.Millisecond, 3 * s},
		},
		"a healing": {
			3 * s, []time.Duration{1250 * ms}, nil,
			[]time.Duration{0, s, 1250 * ms, 1350 * ms, 1450 * ms, 1550 * ms, 1650 * ms, 1750 * ms, 1850 * ms, 1950 * ms, 2 * s, 2050 * ms, 2150 * ms, 2250 * ms, 3 * s},
		},
		"a healing at the end": {s, []time.Duration{800 * ms, s}, nil, []time.Duration{0, 800 * ms, 900 * ms, s}},
		"many healings": {
			4 * s, slices.Repeat([]time.Duration{750 * ms}, healingsFine+1), []time.Duration{500 * ms},
			[]time.Duration{0, 500 * ms, s, 1750 * ms, 3 * s, 4 * s}, // no line at two seconds, so near to the end of the recovery
		},
		"borders outside the run": {2 * s, nil, []time.Duration{-s, 0, 2 * s, 5 * s}, []time.Duration{0, s, 2 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, Cuts(test.end, test.healings, test.borders...))
		})
	}
}

func TestCutsOfLongRuns(t *testing.T) {
	for end, want := range map[time.Duration]time.Duration{
		10 * time.Minute:             time.Second,
		10*time.Minute + time.Second: 3 * time.Second,
		15 * time.Minute:             3 * time.Second,
		16 * time.Minute:             5 * time.Second,
		time.Hour:                    12 * time.Second,
		5 * time.Hour:                time.Minute,
		24 * time.Hour:               5 * time.Minute,
		150 * time.Hour:              30 * time.Minute,
		151 * time.Hour:              time.Hour,
		301 * time.Hour:              2 * time.Hour,
	} {
		cuts := Cuts(end, nil)
		require.Equal(t, want, cuts[1]-cuts[0], "%s", end)
		require.Equal(t, end, cuts[len(cuts)-1])
		if end > 10*time.Minute {
			require.LessOrEqual(t, len(cuts)-1, slicesCoarse, "%s", end)
		}
	}
}

func TestTimelineFindsTheSlice(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 5))
	for range 50 {
		end := 1 + time.Duration(random.Int64N(int64(20*time.Second)))
		borders := make([]time.Duration, random.IntN(20))
		for i := range borders {
			borders[i] = time.Duration(random.Int64N(int64(end)))
			if i > 0 && random.IntN(2) == 0 {
				borders[i] = borders[i-1] + 1 // crowded
			}
		}
		cuts := Cuts(end, nil, borders...)
		timeline := NewTimeline(cuts, 0)
		check := func(at time.Duration) {
			want := 0
			for want < len(cuts)-2 && at >= cuts[want+1] {
				want++
			}
			require.Equal(t, want, timeline.slice(at), "%s in %v", at, cuts)
		}
		for _, cut := range cuts {
			check(cut - 1)
			check(cut)
			check(cut + 1)
		}
		for range 100 {
			check(time.Duration(random.Int64N(int64(end))))
		}
		check(-time.Hour)
		check(time.Hour)
	}
}

// histogramOf returns the bytes of a histogram of values in microseconds.
func histogramOf(t *testing.T, values ...int64) []byte {
	t.Helper()
	h := newHistogram(fineDigits)
	for _, v := range values {
		require.NoError(t, h.RecordValue(v))
	}
	return encodeHistogram(h)
}

func TestTimelineSlices(t *testing.T) {
	const ms = time.Millisecond
	timeline := NewTimeline(Cuts(2*time.Second, nil, 1500*ms), 20*ms)

	// A record that is handed over in time, one that comes late through no fault of the generator, one that comes
	// late by its own lag and after its slice has ended.
	timeline.Handed(
		Handover{Due: 100 * ms, At: 101 * ms, Lag: ms},
		Handover{Due: 200 * ms, At: 300 * ms, Blocked: 90 * ms, Lag: 20 * ms},
		Handover{Due: 1400 * ms, At: 1500 * ms, Blocked: 2 * ms, Lag: 21 * ms},
	)
	// Others that are not.
	timeline.Unsent(300*ms, 350*ms, 20*ms)   // blocked by the client
	timeline.Unsent(1999*ms, 2050*ms, 21*ms) // the generator's own fault

	timeline.Acked(100*ms, 101*ms, 111*ms, 0, 200)
	timeline.Acked(200*ms, 210*ms, 190*ms, 1, 100) // a clock that runs backwards
	timeline.Unknown(1400*ms, 1498*ms, 2000*ms, 0)
	timeline.Failed(1600*ms, 1601*ms, 1605*ms, 2)
	timeline.Consumed(130*ms, 100*ms)
	timeline.Consumed(2*time.Hour, 1999*ms)
	timeline.Found("duplicates", 100*ms)
	timeline.Found("duplicates", 999*ms)
	timeline.Found("reordered", 100*ms)
	timeline.Found("acked_lost", 5*time.Second)

	slices, gaps := timeline.Close(2500 * ms)
	want := []Slice{
		{
			Span: Span{0, 1000 * ms},
			Due:  3, Sent: 2, OnTime: 2, Acked: 2, Unsent: 1, Consumed: 1, Bytes: 300,
			Findings: map[string]int64{"duplicates": 2, "reordered": 1},
			Histograms: map[string][]byte{
				"schedule_lag": histogramOf(t, 1000, 50_000, 100_000), "blocked": histogramOf(t, 0, 90_000),
				"send_latency": histogramOf(t, 10_000), "ack_latency": histogramOf(t, 11_000, 50_000),
				"e2e_latency": histogramOf(t, 30_000),
			},
			Beyond: map[string]int64{"send_latency": 1, "ack_latency": 1},
		},
		{
			Span: Span{1000 * ms, 1500 * ms},
			Due:  1, Sent: 1, Unknown: 1, Late: 1, Later: []Handed{{By: 2000 * ms, Count: 1}},
			Histograms: map[string][]byte{
				"schedule_lag": histogramOf(t, 100_000), "blocked": histogramOf(t, 2000),
				"send_latency": histogramOf(t, 502_000), "ack_latency": histogramOf(t, 600_000),
			},
		},
		{
			Span: Span{1500 * ms, 2000 * ms},
			Due:  1, Unsent: 1, Late: 1, Failed: 1, Consumed: 1,
			Findings: map[string]int64{"acked_lost": 1},
			Histograms: map[string][]byte{
				"schedule_lag": histogramOf(t, 51_000),
				"send_latency": histogramOf(t, 4_000), "ack_latency": histogramOf(t, 5_000, 51_000),
			},
			Beyond: map[string]int64{"e2e_latency": 1},
		},
	}
	require.Empty(t, cmp.Diff(want, slices, cmpopts.EquateEmpty()))
	require.Equal(t, []Gap{
		{Partition: 0, Span: Span{100 * ms, 111 * ms}},
		{Partition: 0, Span: Span{1400 * ms, 2500 * ms}},
		{Partition: 2, Span: Span{1600 * ms, 2500 * ms}},
	}, gaps)
}

func TestTimelineGaps(t *testing.T) {
	const s = time.Second
	acked := func(due, at time.Duration, partition int32) func(*Timeline) {
		return func(t *Timeline) { t.Acked(due, due, at, partition, 0) }
	}
	unknown := func(due, at time.Duration, partition int32) func(*Timeline) {
		return func(t *Timeline) { t.Unknown(due, due, at, partition) }
	}
	failed := func(due, at time.Duration, partition int32) func(*Timeline) {
		return func(t *Timeline) { t.Failed(due, due, at, partition) }
	}
	unsent := func(due, at time.Duration) func(*Timeline) {
		return func(t *Timeline) { t.Unsent(due, at, 0) }
	}
	for name, test := range map[string]struct {
		calls []func(*Timeline)
		want  []Gap
	}{
		"nothing was sent": {},
		"the first acknowledgement ends the wait of its own record": {
			[]func(*Timeline){acked(2*s, 3*s, 4)},
			[]Gap{{4, Span{2 * s, 3 * s}}},
		},
		"a partition without anything to send does not wait": {
			[]func(*Timeline){acked(0, s/2, 0), acked(7*s, 8*s, 0)},
			[]Gap{{0, Span{0, s / 2}}, {0, Span{7 * s, 8 * s}}},
		},
		"an outage lasts from the acknowledgement before it to the one after it": {
			[]func(*Timeline){acked(s, 3*s/2, 0), acked(s, 2*s, 0), acked(s, 9*s, 0), acked(8*s, 9*s, 0)},
			[]Gap{{0, Span{s, 3 * s / 2}}, {0, Span{2 * s, 9 * s}}},
		},
		"the longest from slice to slice": {
			[]func(*Timeline){
				acked(2*s, 5*s, 0), acked(2*s+s/2, 6*s, 1), acked(2*s, 5*s-1, 2), acked(2*s+s/3, 5*s, 3), acked(3*s, 5*s, 4),
			},
			[]Gap{{0, Span{2 * s, 5 * s}}, {1, Span{2*s + s/2, 6 * s}}, {4, Span{3 * s, 5 * s}}},
		},
		"records given up before the next acknowledgement waited too": {
			[]func(*Timeline){acked(s, s+1, 0), unknown(4*s, 9*s, 0), unknown(3*s, 9*s, 0), acked(7*s, 9*s, 0), acked(8*s, 10*s, 0)},
			[]Gap{{0, Span{s, s + 1}}, {0, Span{3 * s, 9 * s}}, {0, Span{9 * s, 10 * s}}},
		},
		"a record given up does not shorten another one's wait": {
			[]func(*Timeline){unknown(5*s, 8*s, 0), acked(3*s, 9*s, 0)},
			[]Gap{{0, Span{3 * s, 9 * s}}},
		},
		"acknowledgements reported out of order": {
			[]func(*Timeline){acked(s, 5*s, 0), acked(s, 4*s, 0), acked(s, 6*s, 0)},
			[]Gap{{0, Span{s, 5 * s}}, {0, Span{5 * s, 6 * s}}},
		},
		"never acknowledged": {
			[]func(*Timeline){unknown(4*s, 9*s, 1), unknown(6*s, 9*s, 1)},
			[]Gap{{1, Span{4 * s, 12 * s}}},
		},
		"not acknowledged again": {
			[]func(*Timeline){acked(3*s, 4*s, 1), unknown(2*s, 9*s, 1)},
			[]Gap{{1, Span{2 * s, 4 * s}}, {1, Span{3 * s, 4 * s}}, {1, Span{4 * s, 12 * s}}},
		},
		"begun after the load has ended": {
			[]func(*Timeline){acked(8*s, 11*s, 1), acked(9*s, 12*s, 1)},
			[]Gap{{1, Span{8 * s, 11 * s}}, {1, Span{11 * s, 12 * s}}},
		},
		"a later record overtakes an earlier one": {
			[]func(*Timeline){acked(2*s, 3*s, 0), acked(s, 4*s, 0)},
			[]Gap{{0, Span{s, 3 * s}}, {0, Span{2 * s, 3 * s}}, {0, Span{3 * s, 4 * s}}},
		},
		"a record overtaken twice waited through both lulls, as far as it was due": {
			[]func(*Timeline){acked(0, s, 0), acked(3*s, 4*s, 0), acked(6*s, 7*s, 0), acked(2*s, 8*s, 0)},
			[]Gap{{0, Span{0, s}}, {0, Span{2 * s, 4 * s}}, {0, Span{3 * s, 4 * s}}, {0, Span{4 * s, 7 * s}}, {0, Span{6 * s, 7 * s}}, {0, Span{7 * s, 8 * s}}},
		},
		"given up after others were acknowledged": {
			[]func(*Timeline){acked(0, s, 0), acked(5*s, 6*s, 0), unknown(2*s, 9*s, 0), acked(7*s, 8*s, 0)},
			[]Gap{{0, Span{0, s}}, {0, Span{2 * s, 6 * s}}, {0, Span{5 * s, 6 * s}}, {0, Span{6 * s, 8 * s}}},
		},
		"failed for good": {
			[]func(*Timeline){acked(0, s, 1), failed(3*s, 4*s, 1), failed(5*s, 6*s, 1)},
			[]Gap{{1, Span{0, s}}, {1, Span{3 * s, 12 * s}}},
		},
		"never handed over": {
			[]func(*Timeline){acked(0, s, 1), acked(s, 2*s, 0), unsent(3*s, 4*s)},
			[]Gap{{1, Span{0, s}}, {0, Span{s, 2 * s}}, {-1, Span{3 * s, 12 * s}}},
		},
		"a partition nobody knows": {
			[]func(*Timeline){acked(3*s, 4*s, -1), unknown(2*s, 9*s, -1)},
			[]Gap{{-1, Span{2 * s, 4 * s}}, {-1, Span{3 * s, 4 * s}}, {-1, Span{4 * s, 12 * s}}},
		},
		"a partition nobody knows waits for any other": {
			[]func(*Timeline){acked(0, s, 1), unknown(2*s, 9*s, -1), acked(6*s, 7*s, 1), acked(8*s, 9*s, 0)},
			[]Gap{{1, Span{0, s}}, {-1, Span{2 * s, 7 * s}}, {1, Span{6 * s, 7 * s}}, {0, Span{8 * s, 9 * s}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			timeline := NewTimeline(Cuts(10*s, nil), 0)
			for _, call := range test.calls {
				call(timeline)
			}
			_, gaps := timeline.Close(12 * s)
			require.Empty(t, cmp.Diff(test.want, gaps))
		})
	}
}

// The longest gap is the one that the definition gives, whatever the order in which records come back.
func TestTimelineFindsTheLongestGap(t *testing.T) {
	const s = time.Second
	type record struct {
		due, at time.Duration // when it was due, and acknowledged or given up
		acked   bool
	}
	timeline := NewTimeline(Cuts(20*s, nil), 0)
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 11))
		var records []record
		for at := range time.Duration(20) {
			if random.IntN(3) > 0 {
				records = append(records, record{due: time.Duration(random.IntN(int(at)+1)) * s, at: at*s + s/2, acked: random.IntN(4) > 0})
			}
		}
		found := newGaps()
		var acks []time.Duration
		for _, r := range records {
			if r.acked {
				found.acked(timeline, r.due, r.at, 0)
				acks = append(acks, r.at)
			} else {
				found.abandoned(timeline, r.due, 0)
			}
		}
		gaps := found.end(timeline, 20*s)

		var want, got time.Duration
		last := time.Duration(-1)
		for _, ack := range append(acks, 20*s) {
			// What was given up after a later acknowledgement had come waits no more; before that, and until it is
			// acknowledged, a record waits from when it was due.
			for _, r := range records {
				if r.due < ack && (r.at >= ack || !r.acked && r.at > last) {
					want = max(want, ack-max(last, r.due))
				}
			}
			last = ack
		}
		for _, gap := range gaps {
			got = max(got, gap.To-gap.From)
		}
		require.Equal(t, want, got, "seed %d: %v", seed, records)
	}
}

func TestTimelineIsSafeForConcurrentUse(t *testing.T) {
	const records = 5000
	timeline := NewTimeline(Cuts(20*time.Second, nil), time.Millisecond)
	var working sync.WaitGroup
	for n := range 2 {
		each := func(call func(due time.Duration)) {
			working.Go(func() {
				for i := range records {
					call(time.Duration((i*7+n)%20000) * time.Millisecond)
				}
			})
		}
		each(func(due time.Duration) { timeline.Handed(Handover{due, due + 1, 1, 1}) })
		each(func(due time.Duration) { timeline.Acked(due, due, due+1000, int32(n), 1) })
		each(func(due time.Duration) { timeline.Consumed(due+2000, due) })
		each(func(due time.Duration) { timeline.Found("duplicates", due) })
	}
	working.Wait()
	slices, _ := timeline.Close(20 * time.Second)
	var got Slice
	for _, s := range slices {
		got.Due += s.Due
		got.Sent += s.Sent
		got.Acked += s.Acked
		got.Bytes += s.Bytes
		got.Consumed += s.Consumed
		got.Late += s.Findings["duplicates"]
	}
	require.Equal(t, Slice{
		Due: 2 * records, Sent: 2 * records, Acked: 2 * records, Bytes: 2 * records, Consumed: 2 * records, Late: 2 * records,
	}, got)
	for _, metric := range []string{"schedule_lag", "blocked", "send_latency", "ack_latency", "e2e_latency"} {
		merged, beyond, err := mergeHistograms(slices, metric)
		require.NoError(t, err)
		require.Zero(t, beyond)
		require.EqualValues(t, 2*records, merged.TotalCount(), metric)
	}
}

// BenchmarkTimeline records one record an operation at 100,000 a second: handed over, acknowledged and read back.
func BenchmarkTimeline(b *testing.B) {
	timeline := NewTimeline(Cuts(10*time.Minute, nil), time.Millisecond)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		due := time.Duration(n) * 10 * time.Microsecond % (10 * time.Minute)
		jitter := time.Duration(n*7919%8191) * time.Microsecond
		timeline.Handed(Handover{Due: due, At: due + jitter/100, Lag: jitter / 100})
		timeline.Acked(due, due, due+jitter, int32(n%24), 200)
		timeline.Consumed(due+2*jitter, due)
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkTimelineBacklog records the acknowledgements of an outage, mixed over sixty slices.
func BenchmarkTimelineBacklog(b *testing.B) {
	timeline := NewTimeline(Cuts(10*time.Minute, nil), time.Millisecond)
	random := rand.New(rand.NewPCG(2, 5))
	for b.Loop() {
		timeline.Consumed(2*time.Minute, time.Duration(random.Int64N(int64(time.Minute))))
	}
}

// A gap that a fault explains must not hide one that it does not, though both began in the same second.
func TestLongerGapHidesNoOther(t *testing.T) {
	for name, other := range map[string]bool{"alone": false, "beside a longer one that reaches into the fault": true} {
		t.Run(name, func(t *testing.T) {
			timeline := NewTimeline(Cuts(12*second, nil), time.Second)
			for due := time.Duration(0); due < 12*second; due += 10 * ms {
				first, second := due+ms, due+ms
				if due >= 3050*ms && due < 3950*ms { // before the fault
					first = 3950 * ms
				}
				if other && due >= 3990*ms && due < 5100*ms {
					second = 5100 * ms
				}
				for partition, acked := range []time.Duration{first, second} {
					timeline.Handed(Handover{Due: due, At: due})
					timeline.Acked(due, due, acked, int32(partition), 1)
				}
			}
			e := with(func(e *Evidence) {
				e.Slices, e.Gaps = timeline.Close(12 * second)
				e.Anomalies, e.Alerts = nil, nil
			}, balanced)
			judgement := judgedOnce(t, e, "availability_gap < 500ms outside faults")
			assert.Equal(t, Fail, judgement.Verdict)
			require.NotNil(t, judgement.Got)
			assert.InDelta(t, 0.9, *judgement.Got, 0.05)
		})
	}
}
