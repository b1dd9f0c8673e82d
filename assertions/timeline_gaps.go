package assertions

import "time"

// gaps finds the times in which records of a partition were waiting for an acknowledgement and none came. Of all gaps
// that begin in one slice the longest is kept.
type gaps struct {
	partitions []partitionAcks // by number
	longest    []Gap           // by slice; empty where To is zero
}

// partitionAcks is what a partition waits for.
type partitionAcks struct {
	last    time.Duration // the latest acknowledgement, Never before the first
	waiting time.Duration // the earliest due time of those given up since then, Never without any
}

func newGaps(slices int) gaps { return gaps{longest: make([]Gap, slices)} }

func (g *gaps) partition(number int32) *partitionAcks {
	for int(number) >= len(g.partitions) {
		g.partitions = append(g.partitions, partitionAcks{last: Never, waiting: Never})
	}
	return &g.partitions[number]
}

// acked takes in an acknowledgement. Nothing waited before its own record was due, or the first one given up.
func (g *gaps) acked(t *Timeline, due, at time.Duration, number int32) {
	if number < 0 {
		return
	}
	p := g.partition(number)
	g.close(t, p, due, at, number)
	p.last, p.waiting = max(p.last, at), Never
}

// abandoned takes in a record that will never be acknowledged. Its partition goes on waiting.
func (g *gaps) abandoned(due time.Duration, number int32) {
	if number < 0 {
		return
	}
	if p := g.partition(number); p.waiting == Never || due < p.waiting {
		p.waiting = due
	}
}

// close ends a partition's gap at at.
func (g *gaps) close(t *Timeline, p *partitionAcks, due, at time.Duration, number int32) {
	if p.waiting != Never {
		due = min(due, p.waiting)
	}
	from := max(p.last, due)
	if from >= at {
		return
	}
	if longest := &g.longest[t.slice(from)]; at-from > longest.To-longest.From {
		*longest = Gap{Partition: number, Span: Span{From: from, To: at}}
	}
}

// end closes the gaps of the partitions that still wait, and returns the longest of each slice.
func (g *gaps) end(t *Timeline, end time.Duration) []Gap {
	for number := range g.partitions {
		if p := &g.partitions[number]; p.waiting != Never {
			g.close(t, p, p.waiting, end, int32(number))
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
