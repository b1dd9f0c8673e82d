package assertions

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// gaps finds the times in which records of a partition were waiting for an acknowledgement and none came. Of all gaps
// that begin in one slice and end in another, or in the same, the longest is kept: which of them count is not known before
// somebody asks about a stage, or about what is outside faults, and a longer one that reaches into a fault must not hide it.
//
// A record waits from when it was due until it is acknowledged or, if it never is, until some other record of its
// partition is. Acknowledgements are reported when they come, which is not the order in which their records were due: a
// record that is acknowledged late, or given up, has waited through lulls that were over long before. So of every
// partition the longest lull between two slices is remembered.
//
// Records of which nobody can tell the partition wait together, for an acknowledgement from any.
type gaps struct {
	partitions []waiter // by number
	anywhere   waiter
	longest    map[sliceSpan]Gap
}

// sliceSpan is the slices in which a span begins and ends.
type sliceSpan struct{ from, to int }

// slicesOf is where a span begins and ends. Behind the last slice it goes on in steps as wide as slices are on average.
func (t *Timeline) slicesOf(s Span) sliceSpan {
	end := t.cuts[len(t.cuts)-1]
	slice := func(at time.Duration) int {
		if at >= end {
			return len(t.cuts) - 1 + int((at-end)/t.grid)
		}
		return t.slice(at)
	}
	return sliceSpan{slice(s.From), slice(s.To - 1)}
}

// nowhere is the partition of a record of which nobody can tell it.
const nowhere int32 = -1

// waiter is a partition that waits for acknowledgements.
type waiter struct {
	last    time.Duration // the latest acknowledgement, Never before the first
	waiting time.Duration // the earliest due time of those given up since then, Never without any
	lulls   []lull        // the longest between any two slices, in order
	latest  sliceSpan     // of the last lull
}

// lull is the time between two acknowledgements, and since when some record is known to have waited in it.
type lull struct {
	Span
	since time.Duration
}

func newWaiter() waiter { return waiter{last: Never, waiting: Never} }

func newGaps() gaps { return gaps{longest: make(map[sliceSpan]Gap), anywhere: newWaiter()} }

func (g *gaps) waiter(number int32) *waiter {
	if number < 0 {
		return &g.anywhere
	}
	for int(number) >= len(g.partitions) {
		g.partitions = append(g.partitions, newWaiter())
	}
	return &g.partitions[number]
}

// acked takes in an acknowledgement. Nothing waited before its own record was due, or the first one given up.
func (g *gaps) acked(t *Timeline, due, at time.Duration, number int32) {
	w := g.waiter(number)
	if w.waiting != Never {
		due = min(due, w.waiting)
	}
	g.waited(t, w, due, at, number)
	w.heard(t, due, at)
	if w == &g.anywhere {
		return
	}
	since := at
	if g.anywhere.waiting != Never {
		since = g.anywhere.waiting
		g.waited(t, &g.anywhere, since, at, nowhere)
	}
	g.anywhere.heard(t, since, at)
}

// abandoned takes in a record that will never be acknowledged. Its partition goes on waiting.
func (g *gaps) abandoned(t *Timeline, due time.Duration, number int32) {
	w := g.waiter(number)
	g.waited(t, w, due, w.last, number)
	if w.waiting == Never || due < w.waiting {
		w.waiting = due
	}
}

// waited says that a record waited from when it was due until at: through what is left of the lulls since then, and the
// time since the last acknowledgement.
func (g *gaps) waited(t *Timeline, w *waiter, due, at time.Duration, number int32) {
	for i := len(w.lulls) - 1; i >= 0 && w.lulls[i].To > due; i-- {
		if l := &w.lulls[i]; max(l.From, due) < l.since {
			l.since = max(l.From, due)
			g.add(t, Span{l.since, l.To}, number)
		}
	}
	g.add(t, Span{max(w.last, due), at}, number)
}

// add keeps a gap that is the longest between its slices.
func (g *gaps) add(t *Timeline, span Span, number int32) {
	if span.From >= span.To {
		return
	}
	if between := t.slicesOf(span); span.length() > g.longest[between].length() {
		g.longest[between] = Gap{Partition: number, Span: span}
	}
}

// heard ends a lull in which some record waited from when it was due.
func (w *waiter) heard(t *Timeline, due, at time.Duration) {
	w.waiting = Never
	if at <= w.last {
		return
	}
	ended := lull{Span: Span{w.last, at}, since: max(w.last, due)}
	w.last = at
	switch last, between := len(w.lulls)-1, t.slicesOf(ended.Span); {
	case last < 0 || between != w.latest:
		w.lulls, w.latest = append(w.lulls, ended), between
	case ended.length() > w.lulls[last].length():
		w.lulls[last] = ended
	}
}

// end closes the gaps of those that still wait, and returns the longest between any two slices, in order of time.
func (g *gaps) end(t *Timeline, end time.Duration) []Gap {
	for number := nowhere; int(number) < len(g.partitions); number++ {
		if w := g.waiter(number); w.waiting != Never {
			g.add(t, Span{max(w.last, w.waiting), end}, number)
		}
	}
	return slices.SortedFunc(maps.Values(g.longest), func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
