package generator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// all is everything that is due.
func all(g *Generator) []Due {
	var due []Due
	for {
		more := g.Next(math.MaxInt64, make([]Due, 0, 1000))
		if len(more) == 0 {
			return due
		}
		due = append(due, more...)
	}
}

// expected computes the whole schedule from its definition, with neither laps nor buckets, and without delivery.
func expected(spec Spec) []Due {
	own := OwnPace(spec.Fleets)
	pace := NewPace(spec.Stages, own)
	var due []Due
	first := 0
	for _, fleet := range spec.Fleets {
		for index := range fleet.Devices {
			device := mix(named(spec.Seed, "fleet "+fleet.Name), uint64(index))
			phase := math.Floor(uniform(forPhase.of(device))*lap) / lap
			for i := int64(-1); ; i++ {
				late := uniform(forJitter.of(mix(device, uint64(i)))) * float64(fleet.Jitter)
				late = math.Floor(late*lap) / lap
				if float64(i)+(phase+late) < 0 {
					continue
				}
				at := pace.When((float64(i) + (phase + late)) * (fleet.Interval.Seconds() * own))
				if at >= pace.End() {
					break
				}
				due = append(due, Due{Device: uint32(first + index), Index: i, At: at})
			}
		}
		first += fleet.Devices
	}
	slices.SortFunc(due, func(a, b Due) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Index, b.Index))
	})
	return due
}

func fleetOf(name string, devices int, interval time.Duration, jitter Share) Fleet {
	return Fleet{Name: name, Devices: devices, Interval: interval, Jitter: jitter, Sensors: []string{"temperature"}}
}

func TestNextFollowsTheDefinition(t *testing.T) {
	const s = time.Second
	course := []Stage{
		stage(2*s, 300, RampLinear), stage(3*s, 300, RampNone), stage(2*s, 2000, RampLinear), {For: s, Rate: Rate{Multiple: 3}}, stage(2*s, 50, RampLinear),
	}
	for _, test := range []struct {
		name   string
		fleets []Fleet
	}{
		{"one device", []Fleet{fleetOf("a", 1, 3*s, 0)}},
		{"one device, jitter of an interval", []Fleet{fleetOf("a", 1, 3*s, 1)}},
		{"less than a bucket", []Fleet{fleetOf("a", bucketSize-1, 3*s, 0)}},
		{"a bucket", []Fleet{fleetOf("a", bucketSize, 3*s, 0.1)}},
		{"more than a bucket", []Fleet{fleetOf("a", bucketSize+1, 3*s, 0.5)}},
		{"many buckets", []Fleet{fleetOf("a", 1000, 3*s, 0)}},
		{"many buckets, little jitter", []Fleet{fleetOf("a", 1000, 3*s, 0.01)}},
		{"many buckets, jitter of an interval", []Fleet{fleetOf("a", 1000, 3*s, 1)}},
		{"two fleets", []Fleet{fleetOf("a", 600, 3*s, 0), fleetOf("b", 400, 5*s, 0.1)}},
		{"unlike fleets", []Fleet{fleetOf("a", 1, time.Hour, 0), fleetOf("b", 2000, 10*s, 0.1), fleetOf("c", 3, time.Millisecond, 1)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := plainSpec(1)
			spec.Fleets, spec.Stages = test.fleets, course
			want := expected(spec)
			require.NotEmpty(t, want)
			require.Equal(t, want, all(New(spec)))
		})
	}
}

// Ties are rare until many records share each nanosecond.
func TestNextOrdersTiesByDevice(t *testing.T) {
	spec := plainSpec(1)
	spec.Fleets = []Fleet{fleetOf("a", 500, time.Second, 0.3), fleetOf("b", 500, time.Second, 1)}
	spec.Stages = []Stage{stage(5*time.Microsecond, 20e9, RampNone)}
	due := all(New(spec))
	require.InDelta(t, 100_000, len(due), 1000)
	ties := 0
	for i := 1; i < len(due); i++ {
		a, b := due[i-1], due[i]
		require.LessOrEqual(t, a.At, b.At)
		if a.At == b.At {
			ties++
			require.True(t, a.Device < b.Device || a.Device == b.Device && a.Index < b.Index, "%+v before %+v", a, b)
		}
	}
	assert.Greater(t, ties, 90_000)
}

func TestNextContinuesHoweverItIsAsked(t *testing.T) {
	spec := busySpec(70)
	want := all(New(spec))

	g := New(spec)
	var got []Due
	buffer := make([]Due, 0, 7)
	for until := time.Duration(0); until < g.Pace().End(); until += 13 * time.Millisecond {
		for {
			due := g.Next(until, buffer)
			got = append(got, due...)
			for _, d := range due {
				require.Less(t, d.At, until)
			}
			if len(due) < cap(buffer) {
				break
			}
		}
		at, ok := g.NextAt()
		require.Equal(t, len(got) < len(want), ok)
		if ok {
			require.GreaterOrEqual(t, at, until, "there is more due before")
			require.Equal(t, want[len(got)].At, at)
		}
	}
	got = append(got, all(g)...)
	require.Equal(t, want, got)

	_, ok := g.NextAt()
	assert.False(t, ok, "after the end")
	assert.Empty(t, g.Next(math.MaxInt64, buffer))
}

func TestNextKeepsToItsBuffer(t *testing.T) {
	g := New(plainSpec(100))
	assert.Empty(t, g.Next(time.Minute, nil), "no room")
	at, ok := g.NextAt()
	require.True(t, ok)
	assert.Empty(t, g.Next(at, make([]Due, 0, 10)), "until is exclusive")
	first := Due{Device: 999}
	due := g.Next(at+1, append(make([]Due, 0, 10), first))
	require.Len(t, due, 2)
	assert.Equal(t, first, due[0], "what was in the buffer stays")
	assert.Equal(t, at, due[1].At)
}

func TestTotalMatchesTheIntegralOfTheRate(t *testing.T) {
	courses := map[string][]Stage{
		"constant": {stage(20*time.Second, 500, RampNone)},
		"ramp":     {stage(20*time.Second, 1000, RampLinear)},
		"own pace": {{For: 20 * time.Second, Rate: Rate{Multiple: 1}}},
		"burst":    {stage(10*time.Second, 100, RampNone), {For: 2 * time.Second, Rate: Rate{Multiple: 20}}, stage(10*time.Second, 100, RampNone)},
		"slow":     {stage(10*time.Second, 1, RampNone)},
	}
	for name, course := range courses {
		for _, devices := range []int{1, 100, 3000} {
			for _, jitter := range []Share{0, 0.1, 1} {
				t.Run(fmt.Sprintf("%s/%d/%v", name, devices, jitter), func(t *testing.T) {
					spec := plainSpec(1)
					spec.Stages = course
					spec.Fleets = []Fleet{fleetOf("a", devices, 3*time.Second, jitter), fleetOf("b", devices, 7*time.Second, jitter)}
					g := New(spec)
					// A device's count differs from its mean by its phase, and by one reading at either end that jitter moves across:
					// a variance of 1/4 each. Five standard deviations.
					total := g.Pace().Records(g.Pace().End())
					assert.InDelta(t, total, len(all(g)), 5*math.Sqrt(0.75*float64(g.Devices())))
				})
			}
		}
	}
}

// Jitter moves readings out of every stretch of the load and others in, at its beginning as anywhere else: as many are
// due as Pace says, by no more than chance. The counts are the seed's.
func TestAsManyAreDueAsPlanned(t *testing.T) {
	const devices = 5000
	for _, test := range []struct {
		length time.Duration
		rate   Rate
		jitter Share
		want   int
	}{
		{8 * time.Second, Rate{Multiple: 1}, 0, 4012},
		{8 * time.Second, Rate{Multiple: 1}, 0.1, 4013},
		{8 * time.Second, Rate{Multiple: 1}, 1, 3997},
		{10 * time.Second, Rate{Multiple: 1}, 0, devices},
		{10 * time.Second, Rate{Multiple: 1}, 0.1, 4986},
		{10 * time.Second, Rate{Multiple: 1}, 1, 5048},
		{time.Second, Rate{PerSecond: 5000}, 0, devices},
		{time.Second, Rate{PerSecond: 5000}, 1, 5048},
		{time.Minute, Rate{PerSecond: 1000}, 0, 60_000},
		{time.Minute, Rate{PerSecond: 1000}, 0.1, 59_979},
		{time.Minute, Rate{PerSecond: 1000}, 1, 59_955},
	} {
		t.Run(fmt.Sprintf("%v at %+v with jitter %v", test.length, test.rate, test.jitter), func(t *testing.T) {
			spec := plainSpec(1)
			spec.Fleets = []Fleet{fleetOf("a", devices, 10*time.Second, test.jitter)}
			spec.Stages = []Stage{{For: test.length, Rate: test.rate}}
			g := New(spec)
			got := len(all(g))
			assert.Equal(t, test.want, got)
			assert.InDelta(t, g.Pace().Records(g.Pace().End()), got, 5*math.Sqrt(0.75*devices))
		})
	}
}

// The load does not have to fill up: in each tenth of the first interval as many readings are due as in any later one.
func TestTheFirstIntervalIsLikeTheLaterOnes(t *testing.T) {
	const devices = 10_000
	for _, jitter := range []Share{0, 0.1, 0.5, 1} {
		spec := plainSpec(devices)
		spec.Fleets[0].Jitter = jitter
		g := New(spec)
		tenth := spec.Fleets[0].Interval / 10
		for i := range 30 {
			due := g.Next(time.Duration(i+1)*tenth, make([]Due, 0, devices))
			// A device has a reading in it with probability 1/10, and two, which takes a jitter longer than the interval less
			// a tenth, with 1/100 at most: a variance below 0.1 − 0.01 + 2 × 0.01. Five standard deviations.
			assert.InDelta(t, devices/10, len(due), 5*math.Sqrt(0.11*devices), "tenth %d with jitter %v", i, jitter)
		}
	}
}

// A reading from before the start is due as the same reading whatever the fleet's size, and is the device's first.
func TestJitterMovesReadingsIntoTheLoad(t *testing.T) {
	moved := func(devices int) map[reading]time.Duration {
		spec := plainSpec(devices)
		spec.Fleets[0].Jitter = 0.5
		moved, seen := map[reading]time.Duration{}, map[uint32]bool{}
		for _, d := range all(New(spec)) {
			if d.Index < 0 && d.Device < 100 {
				assert.EqualValues(t, -1, d.Index)
				assert.False(t, seen[d.Device], "device %d", d.Device)
				assert.Less(t, d.At, 1500*time.Millisecond, "half an interval")
				moved[reading{d.Device, d.Index}] = d.At
			}
			seen[d.Device] = true
		}
		return moved
	}
	few := moved(100)
	// Its phase is in the second half of the interval, and the jitter more than what is left: a quarter of the devices.
	assert.InDelta(t, 25, len(few), 5*math.Sqrt(100*0.25*0.75))
	assert.Equal(t, few, moved(3000))
}

// Phases are uniform: at the fleet's own pace every tenth of the interval holds a binomial(n, 1/10) number of readings,
// and no two tenths have anything to do with each other beyond their sum.
func TestPhasesAreSpreadEvenly(t *testing.T) {
	const devices = 10_000
	spec := plainSpec(devices)
	g := New(spec)
	tenth := spec.Fleets[0].Interval / 10
	for i := range 10 {
		due := g.Next(time.Duration(i+1)*tenth, make([]Due, 0, devices))
		// Five standard deviations: √(10,000 × 0.1 × 0.9) = 30.
		assert.InDelta(t, devices/10, len(due), 150, "tenth %d", i)
	}
}

func TestJitterComesLateByItsShare(t *testing.T) {
	spec := plainSpec(1)
	spec.Fleets = []Fleet{fleetOf("a", 500, 3*time.Second, 0)}
	regular := byReading(all(New(spec)))
	spec.Fleets[0].Jitter = 0.2
	sum, count := 0., 0
	for key, at := range byReading(all(New(spec))) {
		late := at - regular[key]
		require.True(t, late >= 0 && late <= 600*time.Millisecond, "late by %v", late)
		sum += late.Seconds()
		count++
	}
	// Uniform on 0 … 0.6 s: mean 0.3, standard deviation 0.6/√12; five standard errors.
	assert.InDelta(t, 0.3, sum/float64(count), 5*0.6/math.Sqrt(12*float64(count)))
}

type reading struct {
	device uint32
	index  int64
}

func byReading(due []Due) map[reading]time.Duration {
	at := map[reading]time.Duration{}
	for _, d := range due {
		at[reading{d.Device, d.Index}] = d.At
	}
	return at
}

func TestDelivery(t *testing.T) {
	spec := plainSpec(1000)
	regular := all(New(spec))
	spec.Delivery = Delivery{Missing: 0.05, Duplicate: 0.1}
	g := New(spec)
	faulty := all(g)

	copies := 0
	var originals []Due
	for i, d := range faulty {
		if !d.Copy {
			originals = append(originals, d)
			continue
		}
		copies++
		d.Copy = false
		require.Equal(t, faulty[i-1], d, "a copy follows its original")
	}
	assert.EqualValues(t, len(regular), int64(len(originals))+g.Missing(), "what is not due was withheld")
	kept := byReading(originals)
	assert.Subset(t, byReading(regular), kept, "readings keep their number and their time")

	// Binomial: five standard deviations.
	n := float64(len(regular))
	assert.InDelta(t, 0.05, float64(g.Missing())/n, 5*math.Sqrt(0.05*0.95/n))
	assert.InDelta(t, 0.1, float64(copies)/float64(len(originals)), 5*math.Sqrt(0.1*0.9/n))

	late := 0
	spec.Delivery = Delivery{Late: Late{Rate: 0.2, By: 5 * time.Second}}
	g = New(spec)
	for _, d := range regular {
		_, traits := g.Append(nil, d)
		want := start.Add(d.At.Truncate(time.Millisecond))
		if traits.Late {
			late++
			want = want.Add(-5 * time.Second)
		}
		require.Equal(t, want, traits.EventTime)
		require.Equal(t, want, g.Reading(d).Time)
	}
	assert.InDelta(t, 0.2, float64(late)/n, 5*math.Sqrt(0.2*0.8/n))
}

// What becomes of a reading on its way does not depend on the fleet's size either.
func TestDeliveryIsAFunctionOfTheReading(t *testing.T) {
	small, large := busySpec(50), busySpec(500)
	small.Anomalies, large.Anomalies = nil, nil
	fate := func(spec Spec) map[string]int {
		g, times := New(spec), map[string]int{}
		for _, d := range all(g) {
			if device := g.Device(d.Device); device.Index < 50 && d.Index < 10 {
				_, traits := g.Append(nil, Due{Device: d.Device, Index: d.Index})
				times[fmt.Sprint(g.Key(d.Device), " ", d.Index, " ", traits.Late)]++
			}
		}
		return times
	}
	require.NotEmpty(t, fate(small))
	assert.Equal(t, fate(small), fate(large))
}

func TestSeveralFaultsOfDeliveryAtOnce(t *testing.T) {
	spec := plainSpec(10)
	spec.Delivery = Delivery{Missing: 1, Duplicate: 1}
	g := New(spec)
	_, ok := g.NextAt()
	assert.False(t, ok, "nothing is left to be due")
	assert.EqualValues(t, 200, g.Missing())

	spec.Delivery = Delivery{Duplicate: 1}
	assert.Len(t, all(New(spec)), 400)
}

// Rounding to the nanosecond may put a reading just before the bucket that its position belongs to, where everything
// has been handed out. It is then due when the bucket begins.
func TestRoundingDoesNotTurnBackTime(t *testing.T) {
	spec := plainSpec(1000)
	s := newStream(spec.Fleets[0], 0, 1, NewPace(spec.Stages, OwnPace(spec.Fleets)), OwnPace(spec.Fleets))
	begin := s.begin // of the next bucket
	next := s.ahead(1)
	*next = append(*next, tick{at: begin - 1, lap: 7, device: 77})
	last := time.Duration(0)
	for s.part == 0 {
		last = s.head().at
		s.handed++
		s.fill()
	}
	require.Less(t, last, begin)
	assert.Equal(t, tick{at: begin, lap: 7, device: 77}, *s.head())
}
