package generator

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// occurrence names a reading by all that it may depend on beside the seed.
type occurrence struct {
	fleet string
	index int
	i     int64
	at    time.Duration
}

// occurrences are readings of the first 100 devices of busySpec's fleets.
func occurrences() []occurrence {
	random := rand.New(rand.NewPCG(3, 4))
	var some []occurrence
	for range 3000 {
		some = append(some, occurrence{
			fleet: []string{"climate", "power"}[random.IntN(2)],
			index: random.IntN(100),
			i:     random.Int64N(1000) - 1,
			at:    time.Duration(random.Int64N(int64(time.Minute))),
		})
	}
	return some
}

type said struct {
	payload string
	traits  Traits
}

func say(t *testing.T, g *Generator, spec Spec, o occurrence) said {
	t.Helper()
	first := 0
	for _, fleet := range spec.Fleets {
		if fleet.Name == o.fleet {
			payload, traits := g.Append(nil, Due{Device: uint32(first + o.index), Index: o.i, At: o.at})
			return said{string(payload), traits}
		}
		first += fleet.Devices
	}
	require.FailNow(t, "no such fleet", o.fleet)
	return said{}
}

func sayAll(t *testing.T, spec Spec) map[occurrence]said {
	t.Helper()
	g := New(spec)
	all := map[occurrence]said{}
	for _, o := range occurrences() {
		all[o] = say(t, g, spec, o)
	}
	return all
}

func TestReadingDependsOnNothingElse(t *testing.T) {
	spec := busySpec(100)
	want := sayAll(t, spec)

	for _, size := range []int{100, 300, 500, 1000, 2000, 5000, 10_000} {
		assert.Empty(t, cmp.Diff(want, sayAll(t, busySpec(size)), cmp.AllowUnexported(occurrence{}, said{})), "fleets of %d", size)
	}

	others := busySpec(100)
	others.Fleets = append([]Fleet{fleetOf("doors", 77, time.Minute, 0)}, others.Fleets[1], others.Fleets[0], fleetOf("gates", 5, time.Second, 1))
	assert.Empty(t, cmp.Diff(want, sayAll(t, others), cmp.AllowUnexported(occurrence{}, said{})), "other fleets, another order")

	load := busySpec(100)
	load.Stages = []Stage{stage(time.Hour, 77, RampLinear)}
	load.Fleets[0].Interval, load.Fleets[0].Jitter = time.Second, 0
	assert.Empty(t, cmp.Diff(want, sayAll(t, load), cmp.AllowUnexported(occurrence{}, said{})), "another load")

	g, backwards := New(spec), occurrences()
	g.Next(time.Minute, make([]Due, 0, 1000))
	for n := len(backwards) - 1; n >= 0; n-- {
		require.Equal(t, want[backwards[n]], say(t, g, spec, backwards[n]), "asked in another order")
	}
	for o := range want {
		if o.index < 5 {
			require.Equal(t, want[o], say(t, New(spec), spec, o), "asked alone")
		}
	}
}

func TestReadingDependsOnEachOfThem(t *testing.T) {
	spec := busySpec(100)
	g := New(spec)
	o := occurrence{"climate", 7, 3, 5 * time.Second}
	before := say(t, g, spec, o)

	seed := busySpec(100)
	seed.Seed++
	assert.NotEqual(t, values(before), values(say(t, New(seed), seed, o)), "seed")
	for name, other := range map[string]occurrence{
		"fleet":  {"power", 7, 3, 5 * time.Second},
		"index":  {"climate", 8, 3, 5 * time.Second},
		"number": {"climate", 7, 4, 5 * time.Second},
		"due":    {"climate", 7, 3, 8 * time.Second},
	} {
		assert.NotEqual(t, values(before), values(say(t, g, spec, other)), name)
	}
}

func values(s said) []float64 {
	var reading Reading
	if err := JSON.Decode([]byte(s.payload), &reading); err != nil {
		panic(err)
	}
	var values []float64
	for _, v := range reading.Values {
		values = append(values, v.Value)
	}
	return values
}

// A copy is the same record again, and two generators of one spec share the work.
func TestCopiesAndTwins(t *testing.T) {
	spec := busySpec(100)
	spec.Delivery.Duplicate = 0.5
	one, other := New(spec), New(spec)
	due := one.Next(5*time.Second, make([]Due, 0, 1000))
	require.Equal(t, due, other.Next(5*time.Second, make([]Due, 0, 1000)))
	var last string
	copies := 0
	for _, d := range due {
		payload, traits := one.Append(nil, d)
		again, same := other.Append(nil, d)
		require.Equal(t, string(payload), string(again))
		require.Equal(t, traits, same)
		if d.Copy {
			copies++
			require.Equal(t, last, string(payload))
		}
		last = string(payload)
	}
	assert.NotZero(t, copies)
}

func TestAppendAppends(t *testing.T) {
	g := New(busySpec(10))
	due := Due{Device: 3, Index: 1, At: time.Second}
	alone, _ := g.Append(nil, due)
	after, _ := g.Append([]byte("before"), due)
	assert.Equal(t, "before"+string(alone), string(after))
}

// A Reading is the caller's: measuring on does not change it.
func TestReadingIsNotSharedWithTheGenerator(t *testing.T) {
	g := New(busySpec(10))
	due := Due{Device: 3, Index: 1, At: time.Second}
	first := g.Reading(due)
	again := g.Reading(Due{Device: 4, Index: 1, At: time.Second})
	assert.Equal(t, New(busySpec(10)).Reading(due), first)
	assert.NotEqual(t, first, again)
}
