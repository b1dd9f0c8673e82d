package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
)

// digits are the significant ones of a figure, as long as they tell it from its limit.
const digits = 3

// none stands for a value that does not exist.
const none = "–"

// sideBySide writes what was got and its limit.
func sideBySide(j assertions.Judgement) (got, limit string) {
	unit := j.Unit
	if strings.Contains(j.Expectation, "%") {
		unit = strings.Replace(unit, "ratio", "%", 1) // as its author thinks of it
	}
	if j.Got == nil {
		_, limit = assertions.SideBySide(j.Limit, j.Limit, unit, digits)
		return none, limit
	}
	return assertions.SideBySide(*j.Got, j.Limit, unit, digits)
}

// Human writes a value given in a base unit (s, B, records/s, …) the way people write it, with three significant digits:
// 12.3ms, 4KiB, 29,987/s.
func Human(value float64, unit string) string { return assertions.Human(value, unit, digits) }

// count writes a whole number with its thousands in groups.
func count(n int64) string { return assertions.Human(float64(n), "records", digits) }

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
