package harness

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// bar is the width of the timeline's axis.
const bar = 40

// timeline draws stages, faults and anomalies on one axis.
func (p *plan) timeline() {
	pace := p.generator.Pace()
	end := pace.End()
	delivery := p.delivered()
	var rows []string
	row := func(what, name string, from, to time.Duration, text string, again ...time.Duration) {
		span := written(from) + " – " + written(to)
		if to == from {
			span = "at " + written(from) // and as long as it takes
		}
		axis := []byte(stretch(from, to, end))
		for _, later := range again {
			for i, mark := range []byte(stretch(later, later+to-from, end)) {
				axis[i] = max(axis[i], mark) // a mark is more than a space
			}
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t|%s|\t%s\t%s", what, name, axis, span, text))
	}
	from := time.Duration(0)
	for i, stage := range p.Load.Stages {
		path, to := index("load.stages", i), from+stage.For
		text := p.show(join(path, "rate"))
		if stage.Rate.Multiple != 0 {
			text += fmt.Sprintf(" = %s/s", amount(stage.Rate.Of(p.ownPace())))
		}
		if stage.Ramp == generator.RampLinear {
			text = ramp(pace.Rate(from), stage.Rate.Of(p.ownPace()), text)
		}
		text += fmt.Sprintf(", about %s records", amount(math.Round((pace.Records(to)-pace.Records(from))*delivery)))
		if !stage.Judged {
			text += ", not judged"
		}
		row("stage", stage.Name, from, to, text)
		from = to
	}
	for i, spec := range p.Faults {
		path := index("faults", i)
		text := fmt.Sprintf("%s, %s", p.show(join(path, "do")), p.show(join(path, "target")))
		for _, name := range []string{"latency", "jitter", "rate", "count", "error", "api", "to"} {
			if value := p.show(join(path, name)); value != "" {
				text += fmt.Sprintf(", %s %s", name, value)
			}
		}
		if spec.AllowLoss {
			text += ", allow_loss"
		}
		again, said := p.repetitions(spec)
		row("fault", spec.Name, spec.At, spec.At+spec.For, text+said, again...)
	}
	for i, anomaly := range p.Anomalies {
		to := end
		if anomaly.For != nil {
			to = anomaly.At + *anomaly.For
		}
		row("anomaly", anomaly.Name, anomaly.At, to, p.anomaly(index("anomalies", i), anomaly))
	}
	heading := fmt.Sprintf("timeline: %s, about %s records due", written(end), amount(math.Round(pace.Records(end)*delivery)))
	if delivery != 1 {
		heading += ", without what the devices fail to deliver and with what they deliver twice"
	}
	p.section(heading, rows)
}

// repetitions are when a fault comes again, and how that is said.
func (p *plan) repetitions(spec fault.Spec) (again []time.Duration, said string) {
	if spec.Repeat == nil {
		return nil, ""
	}
	times := spec.Times(p.Resolved.world())
	for n := 1; n < times; n++ {
		again = append(again, spec.Begin(n))
	}
	return again, fmt.Sprintf(", every %s, %s, the last at %s", written(spec.Repeat.Every), plural(times, "time"), written(spec.Begin(times-1)))
}

// ramp says how a load gets from one rate to another, which is written as text.
func ramp(from, to float64, text string) string {
	switch {
	case from < to:
		return fmt.Sprintf("climbs from %s/s to %s", amount(from), text)
	case from > to:
		return fmt.Sprintf("falls from %s/s to %s", amount(from), text)
	default:
		return "stays at " + text
	}
}

// stretch draws the part of the axis that lies between two moments, at least one mark.
func stretch(from, to, end time.Duration) string {
	place := func(at time.Duration) int { return int(math.Round(float64(at) / float64(end) * bar)) }
	first, last := min(place(from), bar-1), place(to)
	marks := max(1, last-first)
	return strings.Repeat(" ", first) + strings.Repeat("#", marks) + strings.Repeat(" ", bar-first-marks)
}

// anomaly says what it does to whom.
func (p *plan) anomaly(path string, a generator.Anomaly) string {
	text := p.show(join(path, "do"))
	for _, name := range []string{"to", "by"} {
		if value := p.show(join(path, name)); value != "" {
			text += " " + name + " " + value
		}
	}
	sensor := "every sensor it applies to"
	if a.Sensor != "" {
		sensor = a.Sensor
	}
	text += " on " + sensor
	if a.Rate < 1 {
		text += fmt.Sprintf(", %s of the readings", p.show(join(path, "rate")))
	}
	devices := plural(p.selected(p.generator, a), "device")
	if a.Where.Devices < 1 {
		devices = fmt.Sprintf("%s of %s", p.show(join(path, "where.devices")), devices)
	}
	return text + ", " + devices
}

// selected counts the devices that an anomaly can touch, before it takes a share of them.
func (s *Scenario) selected(g *generator.Generator, a generator.Anomaly) int {
	count := 0
	for number := range g.Devices() {
		device := g.Device(uint32(number))
		if fleet := s.Fleets[device.Fleet]; a.Where.Covers(fleet.Name, device.Place) && s.befalls(a, fleet) {
			count++
		}
	}
	return count
}
