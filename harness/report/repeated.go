package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// repeated is the one row of a fault that was repeated, hundreds of times perhaps: when the first repetition was injected
// and proven, when the last was healed and acknowledgements came again, what they touched in all, and in a note how they
// differed. Those that prove nothing are not lost among the others.
func repeated(lives []assertions.FaultResult) row {
	first, last := lives[0], lives[len(lives)-1]
	does := first.Do + " " + first.Target
	if slices.ContainsFunc(lives, func(f assertions.FaultResult) bool { return f.Target != first.Target }) {
		does += ", then others"
	}
	var hits int64
	for _, f := range lives {
		hits += f.Hits
	}
	r := row{cells: []string{
		first.Name, does, moment(first.InjectedAt), moment(first.ProvenAt), moment(last.HealedAt), moment(last.ResumedAt),
		strings.TrimSpace(count(hits) + " " + first.Proof),
	}}
	r.note = fmt.Sprintf("%d times, from the first to the last", len(lives)) + spread(lives)
	for _, doubt := range []struct {
		is    func(assertions.FaultResult) bool
		paint paint
		text  string
	}{
		{func(f assertions.FaultResult) bool { return f.InjectedAt == nil }, yellow, "%d never injected: the run proves nothing about them"},
		{func(f assertions.FaultResult) bool { return f.InjectedAt != nil && !f.Proven }, yellow, "%d without an effect that was seen: the run proves nothing about them"},
		{func(f assertions.FaultResult) bool { return f.Proven && f.HealedAt != nil && f.ResumedAt == nil }, yellow, "%d after whose healing no record handed over was acknowledged"},
		{func(f assertions.FaultResult) bool { return f.Proven && f.HealedAt == nil }, alarm, "%d never proven healed"},
	} {
		if found := len(slices.DeleteFunc(slices.Clone(lives), func(f assertions.FaultResult) bool { return !doubt.is(f) })); found > 0 {
			r.paint = doubt.paint
			r.note += "; " + fmt.Sprintf(doubt.text, found)
		}
	}
	return r
}

// spread says how the repetitions that went as they should have differ.
func spread(lives []assertions.FaultResult) string {
	least, most, slowest := int64(math.MaxInt64), int64(0), -1.
	for _, f := range lives {
		if f.Proven && f.HealedAt != nil && f.ResumedAt != nil {
			least, most, slowest = min(least, f.Hits), max(most, f.Hits), max(slowest, *f.ResumedAt-*f.HealedAt)
		}
	}
	if slowest < 0 {
		return ""
	}
	touched := count(least)
	if most > least {
		touched += " to " + count(most)
	}
	return fmt.Sprintf(": %s each, and acknowledgements again within %s of the healing", touched, Human(slowest, "s"))
}
