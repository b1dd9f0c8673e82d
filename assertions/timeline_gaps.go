package assertions

import "time"

// gaps finds the times in which records of a partition were waiting for an acknowledgement and none came. Of all gaps
// that begin in one slice the longest is kept.
//
// A record waits from when it was due until it is acknowledged or, if it never is, until some other record of its
// partition is. Acknowledgements are reported when they come, which is not the order in which their records were due: a
// record that is acknowledged late, or given up, has waited through lulls that were over long before. So of every
// partition the longest lull of each slice is remembered.
//
// Records of which nobody can tell the partition wait together, for an acknowledgement from any.
type gaps struct {
	partitions []waiter // by number
	anywhere   waiter
	longest    []Gap // by slice; empty where To is zero
}

// nowhere is the partition of a record of which nobody can tell it.
const nowhere int32 = -1

// waiter is a partition that waits for acknowledgements.
type waiter struct {
	last    time.Duration // the latest acknowledgement, Never before the first
	waiting time.Duration // the earliest due time of those given up since then, Never without any
	lulls   []lull        // the longest that began in each slice, in order
	until   time.Duration // when the slice of the last lull ends
}

// lull is the time between two acknowledgements, and since when some record is known to have waited in it.
type lull struct {
	Span
	since time.Duration
}

func newWaiter() waiter { return waiter{last: Never, waiting: Never} }

func newGaps(slices int) gaps { return gaps{longest: make([]Gap, slices), anywhere: newWaiter()} }

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

// add keeps a gap that is the longest of its slice.
func (g *gaps) add(t *Timeline, span Span, number int32) {
	if span.From >= span.To {
		return
	}
	if longest := &g.longest[t.slice(span.From)]; span.length() > longest.length() {
		*longest = Gap{Partition: number, Span: span}
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
	switch last := len(w.lulls) - 1; {
	case last < 0 || ended.From >= w.until:
		w.lulls = append(w.lulls, ended)
		w.until = t.cuts[t.slice(ended.From)+1]
		if ended.From >= w.until {
			w.until = ended.From + t.grid // behind the last slice
		}
	case ended.length() > w.lulls[last].length():
		w.lulls[last] = ended
	}
}

// end closes the gaps of those that still wait, and returns the longest of each slice.
func (g *gaps) end(t *Timeline, end time.Duration) []Gap {
	for number := nowhere; int(number) < len(g.partitions); number++ {
		if w := g.waiter(number); w.waiting != Never {
			g.add(t, Span{max(w.last, w.waiting), end}, number)
		}
	}
	var found []Gap
	for _, gap := range g.longest {
		if gap.To > 0 {
			found = append(found, gap)
		}
	}
	return found
}
