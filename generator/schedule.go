package generator

import (
	"math"
	"time"
)

// Due says that a reading of a device is due, and when.
type Due struct {
	Device uint32        // number of the device
	Index  int64         // number of the device's reading, from 0; −1 where jitter has moved one from before the start into the load
	At     time.Duration // since the start of the load
	Copy   bool          // the same reading a second time; follows its original directly
}

// Next appends to due what is due before until, ordered by time and then by device, as far as the capacity of due
// allows, and continues where the last call ended. Each device sends its reading i when the fleet's own time, which runs
// faster or slower with the load, is (phase + i) × interval, plus jitter; phases are drawn for each device. The devices
// do not begin with the load: a reading −1 that jitter makes late enough is due like any other. Readings withheld keep
// their number.
func (g *Generator) Next(until time.Duration, due []Due) []Due {
	for len(due) < cap(due) && g.fetch() && g.upcoming.At < until {
		due = append(due, g.upcoming)
		g.fetched = false
		if !g.upcoming.Copy && g.delivery.Duplicate > 0 && hits(forDuplicate.of(g.readingKey(g.upcoming)), g.delivery.Duplicate) {
			g.upcoming.Copy, g.fetched = true, true
		}
	}
	return due
}

// NextAt is when the next reading is due; not ok after the last.
func (g *Generator) NextAt() (at time.Duration, ok bool) {
	if !g.fetch() {
		return 0, false
	}
	return g.upcoming.At, true
}

// Missing is how many readings were withheld so far, that is before the one due next.
func (g *Generator) Missing() int64 { return g.missing }

// fetch sees to it that upcoming holds the next reading due, unless there is none.
func (g *Generator) fetch() bool {
	for !g.fetched {
		var first *stream
		at := time.Duration(math.MaxInt64)
		for _, s := range g.streams {
			if (s.handed < len(s.turn) || s.fill()) && s.head().at < at { // at a tie the earlier fleet has the lower numbers
				first, at = s, s.head().at
			}
		}
		if first == nil {
			return false
		}
		tick := first.head()
		first.handed++
		g.upcoming = Due{Device: first.first + tick.device, Index: first.number(tick), At: at}
		g.fetched = true
		if g.delivery.Missing > 0 && hits(forMissing.of(g.readingKey(g.upcoming)), g.delivery.Missing) {
			g.missing++
			g.fetched = false
		}
	}
	return true
}

func (g *Generator) readingKey(due Due) uint64 {
	n, index := g.find(due.Device)
	return mix(mix(g.fleets[n].key, uint64(index)), uint64(due.Index))
}
