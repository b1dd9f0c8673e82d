package assertions

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measure is what a figure counts: it decides how a limit is written and how a figure is shown. A slope is a measure
// per hour.
type measure struct {
	kind
	slope bool
}

// kind is a kind of figure.
type kind int

const (
	count    kind = iota // a number of records, hits, devices, …
	share                // a part of a whole, 0 … 1
	ratio                // a quotient that may exceed 1
	duration             // seconds
	size                 // bytes
	rate                 // records per second
	sizeRate             // bytes per second
)

// perSecond says whether the kind is an amount divided by a time.
func (k kind) perSecond() bool { return k == rate || k == sizeRate }

// unit is a way to write a quantity. The number is read together with the exponent, so that 99.9% is exactly the
// quotient 999/1000 that it is compared with.
type unit struct {
	suffix   string
	exponent string  // appended to the number before it is read
	factor   float64 // multiplied with it afterwards
}

// units lists how a measure may be written. Where a number alone can mean only one thing, it is allowed.
func (m measure) units() []unit {
	var units []unit
	switch m.kind {
	case count:
		units = []unit{{"", "", 1}}
	case share, ratio:
		units = []unit{{"", "", 1}, {"%", "e-2", 1}}
	case duration:
		units = []unit{{"ns", "e-9", 1}, {"us", "e-6", 1}, {"ms", "e-3", 1}, {"s", "", 1}, {"m", "", 60}, {"h", "", 3600}}
	case size:
		units = []unit{{"B", "", 1}, {"KiB", "", 1 << 10}, {"MiB", "", 1 << 20}, {"GiB", "", 1 << 30}}
	case rate:
		units = []unit{{"/s", "", 1}, {"", "", 1}}
	case sizeRate:
		units = []unit{{"B/s", "", 1}, {"KiB/s", "", 1 << 10}, {"MiB/s", "", 1 << 20}, {"GiB/s", "", 1 << 30}}
	}
	if !m.slope {
		return units
	}
	for i := range units {
		units[i].suffix += "/h"
	}
	if m.kind != size && m.kind != duration {
		units = append(units, unit{"", "", 1})
	}
	return units
}

// allUnits are the units of the language, each alone.
var allUnits = [...]string{"ns", "us", "ms", "s", "m", "h", "%", "B", "KiB", "MiB", "GiB"}

// want describes the measure in an error message.
func (m measure) want() string {
	switch {
	case m.slope && m.kind == duration:
		return "a time per hour (ns/h us/h ms/h s/h m/h h/h), such as 50ms/h"
	case m.slope && m.kind == size:
		return "bytes per hour (B/h KiB/h MiB/h GiB/h), such as 1MiB/h"
	case m.slope && m.kind == ratio:
		return "a change per hour, such as 0.5/h or 50%/h"
	case m.slope:
		return "a change per hour, such as 10/h"
	}
	switch m.kind {
	case share:
		return "a share between 0% and 100%, such as 99.9% or 0.999"
	case ratio:
		return "a number, such as 1.2 or 120%"
	case duration:
		return "a duration with its unit (ns us ms s m h), such as 50ms"
	case size:
		return "a size with its unit (B KiB MiB GiB), such as 512MiB"
	case rate:
		return "records per second, such as 5000/s"
	case sizeRate:
		return "bytes per second (B/s KiB/s MiB/s GiB/s), such as 10MiB/s"
	default:
		return "a plain number, such as 0"
	}
}

// parse reads a quantity. The subject is named in the error.
func (m measure) parse(subject, text string) (Quantity, error) {
	digits := strings.TrimLeft(text, "-")
	number := text[:len(text)-len(strings.TrimLeft(digits, "0123456789."))]
	suffix := text[len(number):]
	if i := slices.IndexFunc(m.units(), func(u unit) bool { return u.suffix == suffix }); i >= 0 && m.signed(number) {
		unit := m.units()[i]
		value, err := strconv.ParseFloat(number+unit.exponent, 64)
		value *= unit.factor
		if err == nil && finite(value) && (m.kind != share || value <= 1) {
			return Quantity{Value: value, Text: text}, nil
		}
	}
	// Durations are as in Go everywhere in the language: 1m30s too.
	if m.kind == duration && !m.slope && suffix != "" && decimal(number) && strings.ContainsAny(suffix, "0123456789") {
		if d, err := time.ParseDuration(text); err == nil {
			return Quantity{Value: seconds(d), Text: text}, nil
		}
	}
	if known := m.suffixes(); m.signed(number) && len(known) > 0 && suffix != "" && !knownUnit(suffix) {
		return Quantity{}, &UnknownName{Kind: "unit", Of: subject, Got: suffix, Known: known}
	}
	return Quantity{}, fmt.Errorf("%s: want %s, got %q", subject, m.want(), text)
}

// signed says whether the text is a number that the measure can have: only slopes fall below zero.
func (m measure) signed(text string) bool {
	if m.slope {
		text = strings.TrimPrefix(text, "-")
	}
	return decimal(text)
}

// suffixes are the units to offer for one that nobody knows.
func (m measure) suffixes() []string {
	var suffixes []string
	for _, unit := range m.units() {
		if unit.suffix != "" {
			suffixes = append(suffixes, unit.suffix)
		}
	}
	return suffixes
}

// knownUnit says whether some quantity of the language ends like this.
func knownUnit(suffix string) bool {
	for _, per := range []string{"/s", "/h"} {
		if alone, found := strings.CutSuffix(suffix, per); found {
			return alone == "" || slices.Contains(allUnits[:], alone)
		}
	}
	return slices.Contains(allUnits[:], suffix)
}

// decimal says whether a text is digits with at most one point among them.
func decimal(text string) bool {
	whole, fraction, pointed := strings.Cut(text, ".")
	return digits(whole) && (!pointed || digits(fraction))
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// finite says whether a number can be compared and written as JSON.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// seconds is a duration in seconds, correctly rounded: 50 ms is exactly the number that 50ms is read as.
func seconds(d time.Duration) float64 { return float64(d) / 1e9 }
