package main

import (
	"context"
	"fmt"
	"math"
)

// highest bisects the ladder for the highest rate that is kept. It begins with what the rounds before found, so that rounds
// are not wholly independent of each other. No rung is taken for kept or for lost without being played, for lost twice in a
// row: the ones below and above the ladder, which stand for that at first, must not be where the search ends.
func (b *bench) highest(ctx context.Context, c contender, before []float64) (float64, error) {
	const rung = 1.05
	rate := func(n int) int { return int(float64(b.low)*math.Pow(rung, float64(n)) + 0.5) }
	top := int(math.Ceil(math.Log(float64(b.high)/float64(b.low)) / math.Log(rung)))
	kept, lost := -1, top+1
	next := (kept + lost) / 2
	if len(before) > 0 {
		next = int(math.Round(math.Log(median(before)/float64(b.low)) / math.Log(rung)))
	}
	for step := 1; lost-kept > 1; step *= 2 {
		m, err := b.twice(ctx, c, usual(rate(next)))
		if err != nil {
			return 0, err
		}
		if m.kept() {
			kept = next
		} else {
			lost = next
		}
		switch {
		case len(before) == 0:
			next = (kept + lost) / 2
		case m.kept(): // near what was found before, small steps that grow are quicker
			next = min(kept+step, max(kept+1, (kept+lost)/2))
		default:
			next = max(lost-step, (kept+lost)/2)
		}
	}
	switch kept {
	case -1:
		return 0, fmt.Errorf("%s does not keep %d/s: choose a lower -low", c.name, b.low)
	case top:
		return 0, fmt.Errorf("%s keeps %d/s, the top of the ladder: choose a higher -high", c.name, rate(top))
	}
	return float64(rate(kept)), nil
}
