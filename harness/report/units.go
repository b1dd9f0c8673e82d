package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
)

const (
	digits    = 3  // significant ones, as long as they tell two values apart
	allDigits = 12 // as many as a float64 that was computed can be trusted with
)

// none stands for a value that does not exist.
const none = "–"

// sideBySide writes what was got and its limit. The limit is exact. What was got is rounded, but never across the limit
// nor to a whole that it is not: a reader must not see 100% fail against 99.9999%.
func sideBySide(j assertions.Judgement) (got, limit string) {
	unit := j.Unit
	if strings.Contains(j.Expectation, "%") {
		unit = strings.Replace(unit, ratio, percent, 1) // as its author thinks of it
	}
	limit = human(j.Limit, unit, allDigits)
	if j.Got == nil {
		return none, limit
	}
	size, _ := shownIn(*j.Got, unit)
	bounds := []float64{rounded(j.Limit/size, allDigits)} // what the division adds to the last digit is no bound
	if unit == percent || unit == ratio {
		bounds = append(bounds, 1/size)
	}
	n := digits
	for n < allDigits && crosses(*j.Got/size, n, bounds) {
		n++
	}
	return human(*j.Got, unit, n), limit
}

// crosses says whether rounding moves a value onto or over one of the bounds.
func crosses(value float64, digits int, bounds []float64) bool {
	shown := rounded(value, digits)
	return slices.ContainsFunc(bounds, func(bound float64) bool { return cmp.Compare(shown, bound) != cmp.Compare(value, bound) })
}

// Human writes a value given in a base unit (s, B, records/s, …) the way people write it: 12.3ms, 4KiB, 29,987/s.
func Human(value float64, unit string) string { return human(value, unit, digits) }

func human(value float64, unit string, digits int) string {
	size, suffix := shownIn(value, unit)
	return number(value/size, digits) + suffix
}

// The units of a quotient: as it is, and in hundredths.
const (
	ratio   = "ratio"
	percent = "%"
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
	case percent:
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

// rounded is a value with so many significant digits; whole numbers keep all of theirs.
func rounded(value float64, digits int) float64 {
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
	return grouped(text)
}

// count writes a whole number with its thousands in groups.
func count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// grouped puts a comma before every third digit of the whole part.
func grouped(text string) string {
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

// took writes how long a run took: 10.4s, 1h2m5s.
func took(value float64) string {
	if value < 120 {
		return Human(value, "s")
	}
	return time.Duration(math.Round(value) * float64(time.Second)).String()
}

// moment writes a time since the start of the first stage, so that moments of one run line up.
func moment(at *float64) string {
	if at == nil {
		return none
	}
	return strconv.FormatFloat(*at, 'f', 1, 64) + "s"
}

// due writes the due time of a record.
func due(at float64) string { return strconv.FormatFloat(at, 'f', 3, 64) + "s" }
