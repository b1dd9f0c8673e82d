package generator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStatus(t *testing.T) {
	const ok, warning, alarm = StatusOK, StatusWarning, StatusError
	sensor := func(mean float64, thresholds Thresholds) Sensor {
		return Sensor{Kind: Normal, Mean: &mean, Stddev: new(1.), Thresholds: thresholds}
	}
	for _, test := range []struct {
		name   string
		sensor Sensor
		below  bool
		status map[float64]string
	}{
		{"none", sensor(25, Thresholds{}), false, map[float64]string{-1e6: ok, 1e6: ok}},
		{"error above", sensor(25, Thresholds{Error: new(50.)}), false, map[float64]string{50: ok, 50.01: alarm, -10: ok}},
		{"error below", sensor(60, Thresholds{Error: new(20.)}), true, map[float64]string{20: ok, 19.99: alarm, 100: ok}},
		{"error at the mean", sensor(60, Thresholds{Error: new(60.)}), false, map[float64]string{60: ok, 60.01: alarm, 59.99: ok}},
		{"warning above", sensor(25, Thresholds{Warning: new(40.)}), false, map[float64]string{40: ok, 40.01: warning, 1e6: warning, 0: ok}},
		{"warning below", sensor(60, Thresholds{Warning: new(30.)}), true, map[float64]string{30: ok, 29.99: warning, -1e6: warning, 99: ok}},
		{"both above", sensor(25, Thresholds{Warning: new(40.), Error: new(50.)}), false, map[float64]string{40: ok, 45: warning, 50: warning, 50.01: alarm}},
		{"both below", sensor(60, Thresholds{Warning: new(30.), Error: new(20.)}), true, map[float64]string{30: ok, 25: warning, 20: warning, 19.99: alarm}},
		{"both above, and below the mean", sensor(99, Thresholds{Warning: new(40.), Error: new(50.)}), false, map[float64]string{45: warning, 99: alarm}},
		{"both the same, below the mean", sensor(60, Thresholds{Warning: new(20.), Error: new(20.)}), true, map[float64]string{20: ok, 19.99: alarm, 60: ok}},
		{"negative", sensor(0, Thresholds{Warning: new(-5.), Error: new(-8.)}), true, map[float64]string{-5: ok, -6: warning, -8.01: alarm, 8: ok}},
		{"switch on", Sensor{Kind: Switch, P: new(0.2), Hold: new(time.Hour), Thresholds: Thresholds{Error: new(0.5)}}, false, map[float64]string{0: ok, 1: alarm}},
		{"switch off", Sensor{Kind: Switch, P: new(0.8), Hold: new(time.Hour), Thresholds: Thresholds{Error: new(0.5)}}, true, map[float64]string{0: alarm, 1: ok}},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.below, test.sensor.AlarmsBelow())
			s := newSensor("x", test.sensor, 1)
			for value, want := range test.status {
				assert.Equal(t, want, statuses[s.status(round(value*100))], "%v", value)
			}
		})
	}
}

// The threshold sees the value as written, which is all that the judge sees.
func TestStatusIsThatOfTheWrittenValue(t *testing.T) {
	spec := plainSpec(1)
	spec.Fleets[0].Sensors = []string{"temperature"}
	spike := everywhere(Spike, "temperature")
	for to, want := range map[float64]string{50.004: StatusOK, 50.006: StatusError, 50: StatusOK} {
		spike.To = &to
		spec.Anomalies = []Anomaly{spike}
		assert.Equal(t, want, New(spec).Reading(Due{}).Status, "%v", to)
	}
}

func TestStatusOfAReadingIsTheWorst(t *testing.T) {
	spec := plainSpec(1)
	spec.Fleets[0].Sensors = []string{"temperature", "humidity", "current"}
	for name, sensor := range spec.Sensors {
		sensor.Thresholds.Warning = new(map[string]float64{"humidity": 30}[name] + map[string]float64{"temperature": 40, "current": 6}[name])
		spec.Sensors[name] = sensor
	}
	for _, test := range []struct {
		temperature, humidity, current float64
		want                           string
	}{
		{25, 60, 2, StatusOK},
		{45, 60, 2, StatusWarning},
		{25, 25, 2, StatusWarning},
		{25, 60, 7, StatusWarning},
		{55, 60, 2, StatusError},
		{55, 25, 2, StatusError},
		{45, 10, 7, StatusError},
		{45, 25, 9, StatusError},
	} {
		spec.Anomalies = nil
		for name, to := range map[string]float64{"temperature": test.temperature, "humidity": test.humidity, "current": test.current} {
			spike := everywhere(Spike, name)
			spike.To = &to
			spec.Anomalies = append(spec.Anomalies, spike)
		}
		g := New(spec)
		assert.Equal(t, test.want, g.Reading(Due{}).Status, "%+v", test)
		_, traits := g.Append(nil, Due{})
		assert.Equal(t, test.want == StatusError, traits.Alert)
	}
}

func TestWrittenValues(t *testing.T) {
	for _, test := range []struct {
		min, max  *float64
		raw, want float64
	}{
		{nil, nil, 1.005, 1}, // which is 1.00499999999999989… in binary
		{nil, nil, 1.015001, 1.02},
		{nil, nil, -1.006, -1.01},
		{nil, nil, 1e300, 70368744177664},
		{nil, nil, math.Inf(-1), -70368744177664},
		{new(0.), new(10.), -3, 0},
		{new(0.), new(10.), 10.001, 10},
		{new(0.), new(10.004), 11, 10},
		{new(0.), new(10.006), 11, 10},
		{new(0.), new(10.01), 11, 10.01},
		{new(-3.004), new(10.), -11, -3},
		{new(-3.006), new(10.), -11, -3},
		{new(1.1), new(10.), -11, 1.1},
		{new(0.57), new(10.), -11, 0.57},
		{new(-1e300), new(1e300), 1e299, 70368744177664},
		{new(-1e300), new(1e300), -1e299, -70368744177664},
	} {
		s := newSensor("x", Sensor{Kind: Normal, Mean: new(5.), Stddev: new(1.), Thresholds: Thresholds{Min: test.min, Max: test.max}}, 1)
		assert.InDelta(t, test.want, float64(s.written(test.raw))/100, 0, "%+v", test)
	}
	s := newSensor("x", Sensor{Kind: Switch, P: new(0.5), Hold: new(time.Hour)}, 1)
	for raw, want := range map[float64]float64{-3: 0, 0: 0, 0.4: 0, 0.5: 1, 1: 1, 7: 1} {
		assert.InDelta(t, want, float64(s.written(raw))/100, 0)
	}
}

func TestSwing(t *testing.T) {
	assert.Zero(t, Sensor{}.Swing())
	assert.InDelta(t, 3+2*3+1.5, Sensor{Trends: map[string]float64{"diurnal": 3, "weather": -2, "load": -1.5}}.Swing(), 1e-12)
}
