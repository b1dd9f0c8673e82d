package assertions

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// allDigits are as many significant digits as a float64 that was computed can be trusted with.
const allDigits = 12

// Human writes a value given in a base unit (s, B, records, records/s, ratio, %, B/h, …) the way people write it, with so
// many significant digits: 12.3ms, 4KiB, 29,987/s, 99.9%. Whole numbers keep all of their digits. The unit of what is
// counted is left out, and % stands for a ratio in hundredths.
func Human(value float64, unit string, digits int) string { return human(value, unit, digits, "") }

// human is Human with something between the number and its unit.
func human(value float64, unit string, digits int, between string) string {
	size, suffix := shownIn(value, unit)
	if suffix != "" && suffix[0] != '/' && suffix[0] != '%' {
		suffix = between + suffix
	}
	return number(value/size, digits) + suffix
}

// SideBySide writes what was got and its limit, both in a base unit as for Human. The limit is exact. What was got is
// rounded to so many significant digits or more: never across the limit, nor to a whole that it is not. A reader must not
// see 100% fail against 99.9999%.
func SideBySide(got, limit float64, unit string, digits int) (shownGot, shownLimit string) {
	size, _ := shownIn(got, unit)
	bounds := []float64{roundTo(limit/size, allDigits)} // what the division adds to the last digit is no bound
	if unit == hundredths || unit == wholes {
		bounds = append(bounds, 1/size)
	}
	for digits < allDigits && crosses(got/size, digits, bounds) {
		digits++
	}
	return Human(got, unit, digits), Human(limit, unit, allDigits)
}

// crosses says whether rounding moves a value onto or over one of the bounds.
func crosses(value float64, digits int, bounds []float64) bool {
	shown := roundTo(value, digits)
	return slices.ContainsFunc(bounds, func(bound float64) bool { return cmp.Compare(shown, bound) != cmp.Compare(value, bound) })
}

// The units of a quotient: as it is, and in hundredths.
const (
	wholes     = "ratio"
	hundredths = "%"
)

// shownIn chooses the unit in which a value is shown: its size in base units, and what it is called.
func shownIn(value float64, unit string) (size float64, suffix string) {
	base, per, found := strings.Cut(unit, "/")
	if found {
		per = "/" + per
	}
	var scales []scale
	switch base {
	case "s":
		scales = []scale{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}}
	case "B":
		scales = []scale{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}}
	case hundredths:
		scales = []scale{{0.01, "%"}}
	}
	for _, s := range scales {
		if math.Abs(value) >= s.size {
			return s.size, s.suffix + per
		}
	}
	if last := len(scales) - 1; last == 0 || last > 0 && value != 0 {
		return scales[last].size, scales[last].suffix + per
	}
	return 1, per
}

// A scale is a unit that values from its size on are shown in.
type scale struct {
	size   float64
	suffix string
}

// roundTo gives a value with so many significant digits; whole numbers keep all of theirs.
func roundTo(value float64, digits int) float64 {
	near, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'f', decimals(value, digits), 64), 64)
	return near
}

// decimals is how many digits after the point make so many significant ones.
func decimals(value float64, digits int) int {
	if value == 0 {
		return 0
	}
	return min(max(digits-1-int(math.Floor(math.Log10(math.Abs(value)))), 0), allDigits)
}

// number writes a value with so many significant digits, thousands in groups and no trailing zeros.
func number(value float64, digits int) string {
	text := strconv.FormatFloat(value, 'f', decimals(value, digits), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return thousands(text)
}

// thousands puts a comma before every third digit of the whole part.
func thousands(text string) string {
	sign, whole := "", text
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	whole, fraction, found := strings.Cut(whole, ".")
	if found {
		fraction = "." + fraction
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + fraction
}
