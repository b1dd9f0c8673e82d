package assertions

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestIntervalsMergeNeighbours(t *testing.T) {
	type set struct {
		n     uint64
		value uint32
	}
	for name, test := range map[string]struct {
		sets []set
		want []run
	}{
		"growing at the end":           {[]set{{5, 1}, {6, 1}, {7, 1}}, []run{{5, 3, 1}}},
		"growing at the beginning":     {[]set{{7, 1}, {6, 1}, {5, 1}}, []run{{5, 3, 1}}},
		"closing a gap":                {[]set{{5, 1}, {7, 1}, {6, 1}}, []run{{5, 3, 1}}},
		"other values do not merge":    {[]set{{5, 1}, {6, 2}, {7, 1}}, []run{{5, 1, 1}, {6, 1, 2}, {7, 1, 1}}},
		"splitting a run":              {[]set{{5, 1}, {6, 1}, {7, 1}, {6, 0}}, []run{{5, 1, 1}, {7, 1, 1}}},
		"changing the middle":          {[]set{{5, 1}, {6, 1}, {7, 1}, {6, 2}}, []run{{5, 1, 1}, {6, 1, 2}, {7, 1, 1}}},
		"changing it back":             {[]set{{5, 1}, {6, 1}, {7, 1}, {6, 2}, {6, 1}}, []run{{5, 3, 1}}},
		"joining the run on the left":  {[]set{{5, 2}, {6, 1}, {7, 1}, {6, 2}}, []run{{5, 2, 2}, {7, 1, 1}}},
		"forgetting everything":        {[]set{{5, 1}, {5, 0}}, []run{}},
		"forgetting what is not there": {[]set{{5, 1}, {4, 0}, {6, 0}}, []run{{5, 1, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			var s intervals
			for _, set := range test.sets {
				s.set(set.n, set.value)
			}
			require.Empty(t, cmp.Diff(test.want, s.runs, cmp.AllowUnexported(run{})))
		})
	}
}

func TestIntervalsDoNotOverflowARun(t *testing.T) {
	s := intervals{runs: []run{{first: 0, count: math.MaxUint32, value: 1}}}
	s.set(math.MaxUint32, 1)
	require.Equal(t, []run{{0, math.MaxUint32, 1}, {math.MaxUint32, 1, 1}}, s.runs)
	require.Equal(t, uint32(1), s.at(math.MaxUint32))
}

func TestIntervalsAgreeWithAMap(t *testing.T) {
	const limit = 60
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		var s intervals
		want := make(map[uint64]uint32)
		for range 300 {
			n, value := random.Uint64N(limit), random.Uint32N(3)
			s.set(n, value)
			want[n] = value
			for n := range uint64(limit + 2) {
				require.Equal(t, want[n], s.at(n), "seed %d number %d", seed, n)
			}
			for i, r := range s.runs {
				require.NotZero(t, r.count)
				require.NotZero(t, r.value)
				require.False(t, i > 0 && (s.runs[i-1].end() > r.first || s.runs[i-1].joins(r)), "seed %d: %v", seed, s.runs)
			}
		}
		var absent []uint64
		s.absent(limit, func(first, end uint64) {
			require.Less(t, first, end)
			require.True(t, first == 0 || want[first-1] != 0, "seed %d: not the longest stretch", seed)
			for n := first; n < end; n++ {
				absent = append(absent, n)
			}
		})
		var wantAbsent []uint64
		for n := range uint64(limit) {
			if want[n] == 0 {
				wantAbsent = append(wantAbsent, n)
			}
		}
		require.Equal(t, wantAbsent, absent, "seed %d", seed)
	}
}

func TestIntervalsAbsentStopsAtTheLimit(t *testing.T) {
	s := intervals{runs: []run{{2, 2, 1}, {8, 4, 1}}}
	var got [][2]uint64
	s.absent(6, func(first, end uint64) { got = append(got, [2]uint64{first, end}) })
	require.Equal(t, [][2]uint64{{0, 2}, {4, 6}}, got)
}
