package generator

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Share is a part of a whole, 0 … 1, written as 1%.
type Share float64

// UnmarshalText reads a percentage between 0% and 100%.
func (s *Share) UnmarshalText(text []byte) error {
	digits, found := strings.CutSuffix(string(text), "%")
	percent, err := strconv.ParseFloat(digits, 64)
	if !found || err != nil || !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("want a share between 0%% and 100%%, such as 1%%, got %q", text)
	}
	*s = Share(percent / 100)
	return nil
}

// Rate is a number of records in a time: PerSecond, or, where Multiple is not zero, a multiple of the fleets' own pace.
type Rate struct {
	PerSecond float64
	Multiple  float64
}

// UnmarshalText reads 30000/s, 600/min or 20x.
func (r *Rate) UnmarshalText(text []byte) error {
	for _, unit := range []struct {
		suffix string
		rate   Rate
	}{{"/s", Rate{PerSecond: 1}}, {"/min", Rate{PerSecond: 1. / 60}}, {"x", Rate{Multiple: 1}}} {
		digits, found := strings.CutSuffix(string(text), unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(digits, 64)
		rate := Rate{PerSecond: n * unit.rate.PerSecond, Multiple: n * unit.rate.Multiple}
		if records := rate.Of(1); err != nil || !(records > 0) || math.IsInf(records, 0) {
			break
		}
		*r = rate
		return nil
	}
	return fmt.Errorf("want a rate above zero, such as 5000/s, 600/min or 2x (of the fleets' own pace), got %q", text)
}

// Of is the rate in records per second for fleets with the given pace of their own.
func (r Rate) Of(own float64) float64 { return r.PerSecond + r.Multiple*own }

// Change is an amount, or, where PerSecond is set, an amount per second.
type Change struct {
	Amount    float64
	PerSecond bool
}

// UnmarshalText reads 9.5 or 2/s.
func (c *Change) UnmarshalText(text []byte) error {
	digits, perSecond := strings.CutSuffix(string(text), "/s")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("want an amount, such as 9.5, or an amount per second, such as 2/s, got %q", text)
	}
	*c = Change{Amount: n, PerSecond: perSecond}
	return nil
}
