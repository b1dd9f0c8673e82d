package generator

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair is what a device says with anomalies, beside what it says without.
type pair struct {
	due           Due
	device        Device
	traits        Traits
	with, without Reading
	changed       bool
}

// pairs plays the spec of plainSpec with the anomalies over the devices, each with a reading every second of a minute.
func pairs(t *testing.T, devices int, anomalies ...Anomaly) []pair {
	t.Helper()
	spec := plainSpec(devices)
	calm := New(spec)
	spec.Anomalies = anomalies
	g := New(spec)
	var all []pair
	for device := range uint32(devices) {
		for second := range 60 {
			due := Due{Device: device, Index: int64(second), At: time.Duration(second) * time.Second}
			_, traits := g.Append(nil, due)
			p := pair{due: due, device: g.Device(device), traits: traits, with: g.Reading(due), without: calm.Reading(due)}
			p.changed = !slices.Equal(p.with.Values, p.without.Values)
			all = append(all, p)
		}
	}
	return all
}

// value of a sensor, NaN where it is absent.
func (r Reading) of(sensor string) float64 {
	for _, v := range r.Values {
		if v.Sensor == sensor {
			return v.Value
		}
	}
	return math.NaN()
}

// everywhere is an anomaly as it arrives from a scenario that leaves out rate and where.
func everywhere(do AnomalyKind, sensor string) Anomaly {
	return Anomaly{Name: "x", Do: do, Sensor: sensor, Rate: 1, Where: Where{Devices: 1}}
}

// labelledExactly checks that the only anomaly is the label of exactly what it changed, and counts that.
func labelledExactly(t *testing.T, pairs []pair) (changed int) {
	t.Helper()
	for _, p := range pairs {
		require.Equal(t, p.changed, p.traits.Anomalies == 1, "%+v", p)
		require.LessOrEqual(t, p.traits.Anomalies, uint64(1))
		require.Equal(t, p.with.Status == StatusError, p.traits.Alert)
		if p.changed {
			changed++
		}
	}
	return changed
}

func TestSpikeTo(t *testing.T) {
	spike := everywhere(Spike, "current")
	spike.To = new(9.5)
	for _, p := range pairs(t, 20, spike) {
		require.InDelta(t, 9.5, p.with.of("current"), 0)
		require.InDelta(t, p.without.of("temperature"), p.with.of("temperature"), 0, "another sensor")
		require.True(t, p.traits.Alert, "over-current above 8")
		require.Equal(t, StatusError, p.with.Status)
	}
}

func TestSpikeBy(t *testing.T) {
	spike := everywhere(Spike, "temperature")
	spike.By = &Change{Amount: 12.5}
	all := pairs(t, 20, spike)
	assert.Equal(t, len(all), labelledExactly(t, all))
	for _, p := range all {
		require.InDelta(t, p.without.of("temperature")+12.5, p.with.of("temperature"), 0.01)
	}
}

func TestDrift(t *testing.T) {
	drift := everywhere(Drift, "temperature")
	drift.At, drift.For, drift.By = 10*time.Second, new(10*time.Second), &Change{Amount: -0.5, PerSecond: true}
	all := pairs(t, 20, drift)
	assert.Equal(t, 20*9, labelledExactly(t, all), "at its start it has not moved yet")
	for _, p := range all {
		want := p.without.of("temperature")
		if p.due.At >= 10*time.Second && p.due.At < 20*time.Second {
			want -= 0.5 * (p.due.At - 10*time.Second).Seconds()
		}
		require.InDelta(t, want, p.with.of("temperature"), 0.01)
	}
}

func TestNoise(t *testing.T) {
	noise := everywhere(Noise, "temperature")
	noise.By = &Change{Amount: 2}
	all := pairs(t, 20, noise)
	labelledExactly(t, all)
	for _, p := range all {
		require.InDelta(t, 25+2*(p.without.of("temperature")-25), p.with.of("temperature"), 0.02)
	}
}

func TestStuckTo(t *testing.T) {
	stuck := everywhere(Stuck, "switch")
	stuck.To = new(0.)
	all := pairs(t, 20, stuck)
	labelledExactly(t, all)
	for _, p := range all {
		require.Zero(t, p.with.of("switch"))
		require.Equal(t, p.without.of("switch") != 0, p.changed, "a switch that was off anyway is not changed")
	}
}

func TestStuckAtAValueOfItsOwn(t *testing.T) {
	stuck := everywhere(Stuck, "")
	stuck.At = 20 * time.Second
	all := pairs(t, 150, stuck)
	labelledExactly(t, all)
	frozen := map[uint32][]Value{}
	var temperatures []float64
	for _, p := range all {
		if p.due.At < stuck.At {
			require.False(t, p.changed)
			continue
		}
		if frozen[p.due.Device] == nil {
			frozen[p.due.Device] = p.with.Values
			temperatures = append(temperatures, p.with.of("temperature"))
		}
		require.Equal(t, frozen[p.due.Device], p.with.Values, "device %d moves", p.due.Device)
		require.InDelta(t, 1000, p.with.of("pressure"), 50, "a value that the sensor may show")
	}
	mean, variance := moments(temperatures)
	assert.InDelta(t, 25, mean, sigmas*5/math.Sqrt(150))
	assert.InDelta(t, 25, variance, sigmas*25*math.Sqrt(2./150))
}

func TestDropout(t *testing.T) {
	dropout := everywhere(Dropout, "humidity")
	all := pairs(t, 20, dropout)
	assert.Equal(t, len(all), labelledExactly(t, all))
	for _, p := range all {
		p.without.Values = slices.Delete(p.without.Values, 1, 2)
		require.Equal(t, p.without.Values, p.with.Values, "all but humidity")
	}

	for _, p := range pairs(t, 5, everywhere(Dropout, "")) {
		require.Equal(t, []Value{}, p.with.Values)
		require.Equal(t, StatusOK, p.with.Status)
		require.False(t, p.traits.Alert)
		require.EqualValues(t, 1, p.traits.Anomalies)
	}
}

func TestToggle(t *testing.T) {
	all := pairs(t, 20, everywhere(Toggle, ""))
	labelledExactly(t, all)
	for i, p := range all {
		require.InDelta(t, p.without.of("temperature"), p.with.of("temperature"), 0, "not a switch")
		if i > 0 && all[i-1].due.Device == p.due.Device {
			require.NotEqual(t, all[i-1].with.of("switch"), p.with.of("switch"))
		}
	}
}

// The physical limits have the last word, over one anomaly and over several.
func TestClampComesLast(t *testing.T) {
	up, down := everywhere(Spike, "temperature"), everywhere(Spike, "temperature")
	up.By, down.By = &Change{Amount: 500}, &Change{Amount: -30}
	for _, p := range pairs(t, 5, up) {
		require.InDelta(t, 60., p.with.of("temperature"), 0)
	}
	for _, p := range pairs(t, 5, up, down) {
		require.InDelta(t, 60., p.with.of("temperature"), 0)
		require.EqualValues(t, 0b01, p.traits.Anomalies, "the second changes nothing: the limit holds")
	}
	up.By, up.To = nil, new(500.)
	for _, p := range pairs(t, 5, up) {
		require.InDelta(t, 60., p.with.of("temperature"), 0)
	}

	nudge := everywhere(Spike, "pressure")
	nudge.By = &Change{Amount: 10}
	all := pairs(t, 100, nudge)
	assert.Less(t, labelledExactly(t, all), len(all), "a pressure at its limit already is not changed")
}

func TestSeveralAnomaliesOnOneSensor(t *testing.T) {
	by := func(amount float64) Anomaly {
		a := everywhere(Spike, "temperature")
		a.By = &Change{Amount: amount}
		return a
	}
	to := func(do AnomalyKind, value float64) Anomaly {
		a := everywhere(do, "temperature")
		a.To = &value
		return a
	}
	gone := everywhere(Dropout, "temperature")
	for _, test := range []struct {
		name      string
		anomalies []Anomaly
		shift     float64 // against the natural value, or
		value     float64 // the value
		labels    uint64
	}{
		{"added up", []Anomaly{by(3), by(4)}, 7, 0, 0b11},
		{"too small to be written", []Anomaly{by(3), by(0.0000001)}, 3, 0, 0b01},
		{"set after added", []Anomaly{by(3), to(Stuck, 44)}, 0, 44, 0b10},
		{"added after set", []Anomaly{to(Spike, 44), by(3)}, 0, 47, 0b11},
		{"set twice", []Anomaly{to(Spike, 44), to(Spike, 45)}, 0, 45, 0b10},
		{"set twice to the same", []Anomaly{to(Spike, 44), to(Spike, 44)}, 0, 44, 0b10},
		{"dropped after set", []Anomaly{to(Spike, 44), gone}, 0, math.NaN(), 0b10},
		{"dropped before set", []Anomaly{gone, to(Spike, 44)}, 0, math.NaN(), 0b01},
		{"dropped twice", []Anomaly{gone, gone}, 0, math.NaN(), 0b01},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, p := range pairs(t, 3, test.anomalies...) {
				if test.shift != 0 {
					require.InDelta(t, p.without.of("temperature")+test.shift, p.with.of("temperature"), 0.01)
				} else {
					require.InDelta(t, test.value, p.with.of("temperature"), 0)
				}
				require.Equal(t, test.labels, p.traits.Anomalies)
			}
		})
	}
}

func TestAnomaliesKeepToTheirWindow(t *testing.T) {
	spike := everywhere(Spike, "temperature")
	spike.At, spike.For, spike.To = 20*time.Second, new(10*time.Second), new(59.)
	spec := plainSpec(1)
	spec.Anomalies = []Anomaly{spike}
	spec.Clock.Speed, spec.Delivery.Late = 144, Late{Rate: 0.5, By: time.Hour} // the window is time of the run all the same
	g := New(spec)
	for at, want := range map[time.Duration]bool{
		0: false, 20*time.Second - 1: false, 20 * time.Second: true, 30*time.Second - 1: true, 30 * time.Second: false, time.Minute: false,
	} {
		for i := range int64(20) {
			_, traits := g.Append(nil, Due{Index: i, At: at})
			require.Equal(t, want, traits.Anomalies == 1, "at %v", at)
		}
	}

	spike.For = nil
	spec.Anomalies = []Anomaly{spike}
	_, traits := New(spec).Append(nil, Due{At: 10_000 * time.Hour})
	assert.EqualValues(t, 1, traits.Anomalies, "without an end")
}

func TestAnomaliesKeepToTheirPlace(t *testing.T) {
	spec := plainSpec(1000)
	spec.Fleets = append(spec.Fleets, fleetOf("power", 1000, time.Second, 0))
	for _, test := range []struct {
		name    string
		where   Where
		sensor  string
		devices int
		matches func(Device) bool
	}{
		{"everywhere", Where{}, "temperature", 2000, func(Device) bool { return true }},
		{"building", Where{Building: new(2)}, "temperature", 1000, func(d Device) bool { return d.Place.Building == 2 }},
		{"floor", Where{Building: new(1), Floor: new(3)}, "temperature", 100, func(d Device) bool { return d.Place.Building == 1 && d.Place.Floor == 3 }},
		{"room", Where{Floor: new(3), Room: new(25)}, "temperature", 8, func(d Device) bool { return d.Place.Floor == 3 && d.Place.Room == 25 }},
		{"fleet", Where{Fleet: "power"}, "temperature", 1000, func(d Device) bool { return d.Fleet == 1 }},
		{"sensor of one fleet", Where{}, "humidity", 1000, func(d Device) bool { return d.Fleet == 0 }},
		{"sensor that the fleet has not", Where{Fleet: "power"}, "humidity", 0, func(d Device) bool { return false }},
	} {
		t.Run(test.name, func(t *testing.T) {
			spike := everywhere(Spike, test.sensor)
			spike.To = new(99.) // which no device reads by itself; a thermometer's limit is 60
			spike.Where = test.where
			spike.Where.Devices = 1
			spec.Anomalies = []Anomaly{spike}
			g := New(spec)
			struck := 0
			for device := range uint32(2000) {
				_, traits := g.Append(nil, Due{Device: device})
				require.Equal(t, test.matches(g.Device(device)), traits.Anomalies == 1, "device %d", device)
				struck += int(traits.Anomalies)
			}
			assert.Equal(t, test.devices, struck)
		})
	}
}

func TestShareOfDevices(t *testing.T) {
	const devices = 5000
	chosen := func(name string, seed uint64) []bool {
		spec := plainSpec(devices)
		spec.Seed = seed
		spike := everywhere(Spike, "temperature")
		spike.Name, spike.To, spike.Where.Devices = name, new(59.), 0.2
		spec.Anomalies = []Anomaly{spike}
		g := New(spec)
		chosen := make([]bool, devices)
		for device := range chosen {
			_, traits := g.Append(nil, Due{Device: uint32(device)})
			chosen[device] = traits.Anomalies == 1
			for i := range 3 {
				_, traits = g.Append(nil, Due{Device: uint32(device), Index: int64(i), At: time.Duration(i) * time.Second})
				require.Equal(t, chosen[device], traits.Anomalies == 1, "always or never")
			}
		}
		return chosen
	}
	a, other, reseeded := chosen("a", 42), chosen("b", 42), chosen("a", 43)
	count := func(of ...[]bool) (n int) {
		for device := range devices {
			in := true
			for _, chosen := range of {
				in = in && chosen[device]
			}
			if in {
				n++
			}
		}
		return n
	}
	share(t, 0.2, count(a), devices, "chosen")
	share(t, 0.2, count(other), devices, "chosen by another name")
	share(t, 0.04, count(a, other), devices, "two anomalies choose independently")
	share(t, 0.04, count(a, reseeded), devices, "two seeds choose independently")
}

func TestShareOfReadings(t *testing.T) {
	spike := everywhere(Spike, "temperature")
	spike.To, spike.Rate = new(59.), 0.3
	all := pairs(t, 200, spike)
	share(t, 0.3, labelledExactly(t, all), len(all), "struck")
	perDevice := make([]float64, 200)
	for _, p := range all {
		if p.changed {
			perDevice[p.due.Device]++
		}
	}
	mean, variance := moments(perDevice)
	assert.InDelta(t, 60*0.3, mean, sigmas*math.Sqrt(60*0.3*0.7/200))
	// Binomial: variance 60 × 0.3 × 0.7, and that of its estimate about 2/n of its square.
	assert.InDelta(t, 60*0.3*0.7, variance, sigmas*60*0.3*0.7*math.Sqrt(2./200), "spread over the devices")

	spike.Rate = 0
	assert.Zero(t, labelledExactly(t, pairs(t, 10, spike)))
}

// Whatever is on, a reading without a label is the natural one.
func TestNoChangeWithoutALabel(t *testing.T) {
	spec := busySpec(200)
	g := New(spec)
	spec.Anomalies = nil
	calm := New(spec)
	labels := uint64(0)
	for _, d := range all(g) {
		_, traits := g.Append(nil, d)
		labels |= traits.Anomalies
		if traits.Anomalies == 0 {
			require.Equal(t, calm.Reading(d), g.Reading(d))
		}
	}
	assert.EqualValues(t, 0b111111, labels, "all of them struck")
}

func TestAnomalyKindsAndSensorKinds(t *testing.T) {
	for kind, want := range map[AnomalyKind][2]bool{
		Spike: {true, false}, Drift: {true, false}, Noise: {true, false},
		Toggle: {false, true}, Stuck: {true, true}, Dropout: {true, true},
	} {
		assert.Equal(t, want, [2]bool{kind.Applies(Normal), kind.Applies(Switch)}, string(kind))
	}
	assert.Len(t, Spike.Known(), 6)
}
