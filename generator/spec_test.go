package generator

import (
	"math"
	"time"
)

// seedSensors are the five sensors of the project's seed, with its figures.
func seedSensors() map[string]Sensor {
	return map[string]Sensor{
		"temperature": {
			Kind: Normal, Unit: "°C", Mean: new(25.), Stddev: new(5.),
			Thresholds: Thresholds{Min: new(-10.), Max: new(60.), Error: new(50.)},
		},
		"humidity": {
			Kind: Normal, Unit: "%", Mean: new(60.), Stddev: new(10.),
			Thresholds: Thresholds{Min: new(0.), Max: new(100.), Error: new(20.)},
		},
		"pressure": {
			Kind: Normal, Unit: "hPa", Mean: new(1013.), Stddev: new(20.),
			Thresholds: Thresholds{Min: new(950.), Max: new(1050.), Error: new(1040.)},
		},
		"switch": {Kind: Switch, P: new(0.8), Hold: new(time.Minute)},
		"current": {
			Kind: Normal, Unit: "A", Mean: new(2.5), Stddev: new(0.5),
			Thresholds: Thresholds{Min: new(0.), Max: new(10.), Error: new(8.)},
		},
	}
}

// start is a Monday.
var start = time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)

// plainSpec is a spec with one fleet of all five sensors, and nothing that changes their figures.
func plainSpec(devices int) Spec {
	return Spec{
		Seed:     42,
		Clock:    Clock{Start: start, Speed: 1},
		Location: Location{Buildings: 2, Floors: 10, Rooms: 25},
		Fleets: []Fleet{{
			Name: "climate", Devices: devices, Interval: 3 * time.Second,
			Sensors: []string{"temperature", "humidity", "pressure", "switch", "current"},
		}},
		Sensors: seedSensors(),
		Trends: Trends{
			Diurnal:  Diurnal{Peak: 15 * time.Hour},
			Seasonal: Seasonal{Peak: 200},
			Weather:  Weather{Grid: 10 * time.Minute, Correlation: 6 * time.Hour},
			Usage:    Usage{Open: 8 * time.Hour, Close: 18 * time.Hour},
			Load: Load{Points: []Point{
				{At: 0, Level: -0.6}, {At: 6 * time.Hour, Level: -0.4}, {At: 9 * time.Hour, Level: 0.9},
				{At: 18 * time.Hour, Level: 0.5}, {At: 22 * time.Hour, Level: -0.5},
			}},
		},
		Stages:   []Stage{{Name: "hold", For: time.Minute, Rate: Rate{Multiple: 1}, Judged: true}},
		Encoding: JSON,
	}
}

// as is the spec in another encoding.
func (s Spec) as(encoding Encoding) Spec {
	s.Encoding = encoding
	return s
}

// Names and units that need every kind of escape, or are no UTF-8.
var awkward = []string{
	"", "°C", "%", "m³/h", `a"b\c`, "<&>", "\x00\x1f\x7f\b\f\n\r\t", "\u2028\u2029", "\xff\xc3", "é\xe2\x80", "𝄞", "\u2027\u202a",
}

// awkwardSpec has a sensor of every awkward name, with values of every length, negative ones and zeros.
func awkwardSpec(devices int) Spec {
	spec := plainSpec(devices)
	spec.Fleets[0].Name, spec.Fleets[0].Sensors = "<°\">", nil
	for _, name := range awkward {
		spec.Fleets[0].Sensors = append(spec.Fleets[0].Sensors, name)
		spec.Sensors[name] = Sensor{Kind: Normal, Unit: name, Mean: new(0.), Stddev: new(math.Pow(10, float64(len(name))))}
	}
	return spec
}

// busySpec has everything on: two fleets of three sensors, trends, jitter, every kind of anomaly, faults of delivery.
// Each fleet has that many devices.
func busySpec(devices int) Spec {
	spec := plainSpec(devices)
	follow := func(name string, gains map[string]float64) {
		sensor := spec.Sensors[name]
		sensor.Trends = gains
		spec.Sensors[name] = sensor
	}
	follow("temperature", map[string]float64{"diurnal": 3, "weather": 1.5})
	follow("humidity", map[string]float64{"seasonal": 5, "weather": -2})
	follow("pressure", map[string]float64{"weather": 6})
	follow("switch", map[string]float64{"usage": 0.15})
	follow("current", map[string]float64{"load": 1})
	spec.Clock.Speed = 144
	spec.Fleets = []Fleet{
		{Name: "climate", Devices: devices, Interval: 3 * time.Second, Jitter: 0.1, Sensors: []string{"temperature", "humidity", "pressure"}},
		{Name: "power", Devices: devices, Interval: 5 * time.Second, Jitter: 0.1, Sensors: []string{"switch", "current", "temperature"}},
	}
	spec.Delivery = Delivery{Missing: 0.01, Duplicate: 0.002, Late: Late{Rate: 0.02, By: 5 * time.Second}}
	all := Where{Devices: 1}
	some := Where{Devices: 0.3}
	spec.Anomalies = []Anomaly{
		{Name: "background", Where: all, Do: Spike, Rate: 0.01, By: &Change{Amount: 20}},
		{Name: "hvac", At: 10 * time.Second, For: new(20 * time.Second), Where: Where{Building: new(1), Floor: new(3), Devices: 1}, Sensor: "temperature", Do: Drift, Rate: 1, By: &Change{Amount: 2, PerSecond: true}},
		{Name: "frozen", At: 20 * time.Second, For: new(20 * time.Second), Where: some, Sensor: "humidity", Do: Stuck, Rate: 1},
		{Name: "silent", At: 20 * time.Second, For: new(20 * time.Second), Where: some, Do: Dropout, Rate: 0.5},
		{Name: "hum", At: 0, Where: some, Do: Noise, Rate: 1, By: &Change{Amount: 3}},
		{Name: "flutter", At: 30 * time.Second, For: new(10 * time.Second), Where: Where{Fleet: "power", Devices: 1}, Do: Toggle, Rate: 1},
	}
	return spec
}
