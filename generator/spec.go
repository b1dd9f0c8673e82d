package generator

import "time"

// MaxAnomalies is how many anomalies a Spec may have: Traits names them by the bits of a word.
const MaxAnomalies = 64

// Spec is the generator's part of a scenario: the fleet, its sensors, its troubles and its load. It carries no
// defaults; those live in scenarios/defaults.yaml. The generator takes a Spec as valid and does not check it again.
type Spec struct {
	Seed      uint64
	Clock     Clock
	Location  Location
	Fleets    []Fleet
	Sensors   map[string]Sensor
	Trends    Trends
	Delivery  Delivery
	Anomalies []Anomaly
	Stages    []Stage
	Encoding  Encoding // of the payloads
}

// Clock maps the time of the run to the time of the events: event time = Start + Speed × elapsed, cut to milliseconds.
// The trends read times of day and weekdays in the zone in which Start is written; payloads carry UTC.
type Clock struct {
	Start time.Time `yaml:"start"`
	Speed float64   `yaml:"speed"`
}

// Location is the tree of places: floors per building, rooms per floor. Each fleet's devices are dealt out to the
// buildings in turn, within a building to its floors in turn, and within a floor to its rooms in turn. So no two
// buildings, floors of a building or rooms of a floor differ by more than one device of a fleet, however small it is,
// and a device's place does not depend on how many there are.
type Location struct {
	Buildings int `yaml:"buildings"`
	Floors    int `yaml:"floors"`
	Rooms     int `yaml:"rooms"`
}

// Fleet is a number of like devices.
type Fleet struct {
	Name     string        `yaml:"name"`
	Devices  int           `yaml:"devices"`
	Interval time.Duration `yaml:"interval"` // between two readings of a device at the fleet's own pace
	Jitter   Share         `yaml:"jitter"`   // of the interval, by which each reading may come late
	Sensors  []string      `yaml:"sensors"`
}

// Sensor describes how a quantity is drawn. Which fields apply depends on its kind. A value is written with two
// decimals at most, and its status is that of the value as written.
type Sensor struct {
	Kind       SensorKind         `yaml:"kind"`
	Unit       string             `yaml:"unit"`
	Mean       *float64           `yaml:"mean"`   // normal
	Stddev     *float64           `yaml:"stddev"` // normal
	P          *float64           `yaml:"p"`      // switch: probability of on
	Hold       *time.Duration     `yaml:"hold"`   // switch: how long, in event time, a state is kept before it is drawn again
	Thresholds Thresholds         `yaml:"thresholds"`
	Trends     map[string]float64 `yaml:"trends"` // gain by trend name, in the sensor's unit; switch: added to P
}

// SensorKind names a way to draw a reading.
type SensorKind string

// The kinds of sensor.
const (
	Normal SensorKind = "normal" // N(mean, stddev²), clamped to min … max
	Switch SensorKind = "switch" // 1 with probability p, drawn anew every hold
)

// Known lists the kinds.
func (SensorKind) Known() []string { return []string{string(Normal), string(Switch)} }

// Thresholds bound a sensor. Min and Max are physical: no reading leaves them. A value beyond Warning or Error raises a
// reading's status; see Sensor.AlarmsBelow for the side on which that is. What is absent does not bound.
type Thresholds struct {
	Min     *float64 `yaml:"min"`
	Max     *float64 `yaml:"max"`
	Warning *float64 `yaml:"warning"`
	Error   *float64 `yaml:"error"`
}

// Trends describes the shapes that sensors may follow. Each is a function of event time with values in −1 … 1
// (weather: standard deviation 1) that a sensor multiplies with its own gain. A reading follows them by the second: what
// they are at the beginning of the second of its event time.
type Trends struct {
	Diurnal  Diurnal  `yaml:"diurnal"`
	Seasonal Seasonal `yaml:"seasonal"`
	Weather  Weather  `yaml:"weather"`
	Usage    Usage    `yaml:"usage"`
	Load     Load     `yaml:"load"`
}

// Diurnal is a sine over the day.
type Diurnal struct {
	Peak time.Duration `yaml:"peak"` // time of day of the maximum
}

// Seasonal is a sine over the year of 365.25 days, which follows the calendar to within a day.
type Seasonal struct {
	Peak int `yaml:"peak"` // day of the year, from 1, at whose beginning the maximum is
}

// Weather is a first-order autoregressive series on a grid over event time, one for each building. Each grid point is
// N(0, 1), and two of them t apart have the correlation exp(−t/Correlation). Between grid points the series is a straight
// line, widened so that its variance is 1 there too. The price: two moments between grid points, k grids apart, have a
// correlation above exp(−k·u), u = Grid/Correlation, by a factor of up to (1 + cosh u)/(1 + exp(−u)) halfway, which is
// 1.014 for u = 1/36.
type Weather struct {
	Grid        time.Duration `yaml:"grid"`
	Correlation time.Duration `yaml:"correlation"`
}

// Usage is the pattern of people at work: 1 from Open to Close on weekdays, −1 otherwise. It climbs during the hour
// before Open and falls during the hour after Close.
type Usage struct {
	Open  time.Duration `yaml:"open"`  // time of day
	Close time.Duration `yaml:"close"` // time of day, after Open
}

// Load is a curve over the day through control points, joined by straight lines, wrapping at midnight.
type Load struct {
	Points []Point `yaml:"points"` // in order of time; none at all is a level of 0
}

// Point is a control point of a curve.
type Point struct {
	At    time.Duration `yaml:"at"` // time of day
	Level float64       `yaml:"level"`
}

// TrendNames lists the trends a sensor may follow.
func TrendNames() []string { return []string{"diurnal", "seasonal", "weather", "usage", "load"} }

// Delivery are the devices' own faults. They are injected and accounted for: none of them is a finding.
type Delivery struct {
	Missing   Share `yaml:"missing"`   // readings that are never due
	Duplicate Share `yaml:"duplicate"` // readings that are sent twice, the second time as a record of its own
	Late      Late  `yaml:"late"`      // readings whose event time lies back
}

// Late shifts the event time of a share of the readings.
type Late struct {
	Rate Share         `yaml:"rate"`
	By   time.Duration `yaml:"by"` // in event time
}

// Stage is a stretch of load.
type Stage struct {
	Name   string        `yaml:"name"`
	For    time.Duration `yaml:"for"`
	Rate   Rate          `yaml:"rate"`   // at its end, and throughout unless it ramps
	Ramp   Ramp          `yaml:"ramp"`   // how it gets there from the stage before
	Judged bool          `yaml:"judged"` // false for a warm-up
}

// Ramp says how a stage reaches its rate.
type Ramp string

// The ramps.
const (
	RampNone   Ramp = "none"
	RampLinear Ramp = "linear"
)

// Known lists the ramps.
func (Ramp) Known() []string { return []string{string(RampNone), string(RampLinear)} }

// Anomaly changes the readings of some devices for some time, and labels them. Anomalies apply in the order in which
// they are listed.
type Anomaly struct {
	Name   string         `yaml:"name"`
	At     time.Duration  `yaml:"at"`  // since the load began
	For    *time.Duration `yaml:"for"` // absent: until the load ends, which makes a background rate
	Where  Where          `yaml:"where"`
	Sensor string         `yaml:"sensor"` // absent: every sensor to which Do applies
	Do     AnomalyKind    `yaml:"do"`
	Rate   Share          `yaml:"rate"` // share of the readings, chosen by the seed
	To     *float64       `yaml:"to"`   // spike, stuck: the value
	By     *Change        `yaml:"by"`   // spike: added; drift: added per second of the run; noise: factor on the spread
}

// Where selects devices; what is absent selects all. Buildings, floors and rooms count from 1.
type Where struct {
	Building *int   `yaml:"building"`
	Floor    *int   `yaml:"floor"`
	Room     *int   `yaml:"room"`
	Fleet    string `yaml:"fleet"`
	Devices  Share  `yaml:"devices"` // share of the devices that are left, chosen by the seed
}

// Covers says whether a device of the fleet, at the place, is among those from which the share Devices is chosen.
func (w Where) Covers(fleet string, place Place) bool {
	return (w.Fleet == "" || w.Fleet == fleet) &&
		matches(w.Building, place.Building) && matches(w.Floor, place.Floor) && matches(w.Room, place.Room)
}

func matches(want *int, got int) bool { return want == nil || *want == got }

// AnomalyKind names what an anomaly does to a reading.
type AnomalyKind string

// The kinds of anomaly.
const (
	Spike   AnomalyKind = "spike"   // to a value, or by an amount
	Drift   AnomalyKind = "drift"   // by an amount per second since its start
	Stuck   AnomalyKind = "stuck"   // the same value throughout; without To, one the sensor could have shown at the start
	Dropout AnomalyKind = "dropout" // the sensor's reading is absent from the record
	Noise   AnomalyKind = "noise"   // the spread multiplied
	Toggle  AnomalyKind = "toggle"  // a switch that changes with every reading
)

// Known lists the kinds.
func (AnomalyKind) Known() []string {
	return []string{string(Spike), string(Drift), string(Stuck), string(Dropout), string(Noise), string(Toggle)}
}

// Applies says whether this kind of anomaly can befall that kind of sensor. An anomaly that names no sensor befalls all
// to which it applies.
func (k AnomalyKind) Applies(sensor SensorKind) bool {
	switch k {
	case Spike, Drift, Noise:
		return sensor == Normal
	case Toggle:
		return sensor == Switch
	default:
		return true // stuck, dropout
	}
}
