package assertions

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// The latency metrics of the timeline.
const (
	metricScheduleLag = "schedule_lag"
	metricBlocked     = "blocked"
	metricSendLatency = "send_latency"
	metricAckLatency  = "ack_latency"
	metricE2eLatency  = "e2e_latency"
)

// Slices are one second wide while that makes at most slicesFine of them; in longer runs the narrowest width is
// taken that makes at most slicesCoarse.
const (
	slicesFine   = 600
	slicesCoarse = 300
)

// After a healing slices are a tenth of a second wide for a second, so that it shows how soon an objective held again. In
// runs with more than healingsFine of them that second goes with the fault.
const (
	healingsFine  = 20
	healingWidth  = time.Second / 10
	healingLength = time.Second
)

// Cuts returns the moments at which the timeline of a run is cut: 0, end, the borders in between, where stages,
// faults and anomalies begin and end, and a grid of a second, or of more in runs of more than ten minutes. End is
// above 0. Healings are when faults are to be healed. When they really are is only known in the run, a moment later as a
// rule, so finer cuts follow each. In a run with many of them there is one cut for each, a second later: what is outside
// faults begins there. No line of the grid is nearer to a border then than half its width.
//
// The grid keeps evidence.json under 20 MB (see sliceBytes): 600 slices of a second take 11 MB, 300 of a minute (five
// hours) 14 MB, 300 of five minutes (a day) 18 MB. The rest is for the offenders, for a border now and then, and for the
// finer cuts, 9 kB each. Where that is too much, histograms have two digits instead of three: eight hours at 20,000
// records a second, with a fault every minute, have 960 slices and take 10 MB.
func Cuts(end time.Duration, healings []time.Duration, borders ...time.Duration) []time.Duration {
	width, least := cutWidth(end), time.Duration(0)
	cuts := []time.Duration{0, end}
	borders = slices.Clone(borders)
	for _, healing := range healings {
		if len(healings) > healingsFine {
			borders, least = append(borders, healing+healingLength), width/2
			continue
		}
		borders = append(borders, healing)
		for after := healingWidth; after <= healingLength; after += healingWidth {
			borders = append(borders, healing+after)
		}
	}
	slices.Sort(borders)
	for at := width; at < end; at += width {
		if next, _ := slices.BinarySearch(borders, at-least+1); next == len(borders) || borders[next] >= at+least {
			cuts = append(cuts, at)
		}
	}
	for _, border := range borders {
		if 0 < border && border < end {
			cuts = append(cuts, border)
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// cutWidth returns the width of the grid: a second, or a width whose lines are easy to read.
func cutWidth(end time.Duration) time.Duration {
	if end <= slicesFine*time.Second {
		return time.Second
	}
	for _, seconds := range []time.Duration{3, 5, 10, 12, 15, 20, 30, 60, 120, 180, 300, 600, 1200, 1800} {
		if width := seconds * time.Second; end <= slicesCoarse*width {
			return width
		}
	}
	hours := (end + slicesCoarse*time.Hour - 1) / (slicesCoarse * time.Hour)
	return hours * time.Hour
}

// Timeline counts the records of the readings stream, and the findings of all streams, by the slice of time in which they
// were due, with a histogram for each latency. It is safe for concurrent use: what the senders, the producer's outcomes, the oracle and the
// ledger report is kept under a lock each, since they come from different goroutines.
type Timeline struct {
	cuts     []time.Duration
	lagLimit time.Duration

	grid  time.Duration // width of the lookup's steps
	steps []int         // the slice that holds the beginning of each step

	senders struct {
		sync.Mutex
		slices       []sendCounts
		lag, blocked recorder
	}
	outcomes struct {
		sync.Mutex
		acks      []ack // not yet counted; everything else that is reported counts them first
		slices    []outcomeCounts
		send, ack recorder
		gaps      gaps
	}
	oracle struct {
		sync.Mutex
		consumed []int64
		e2e      recorder
	}
	ledger struct {
		sync.Mutex
		findings []map[string]int64
	}
}

type sendCounts struct {
	sent, onTime, late, unsent int64

	later []handedLater // the latest slice last, as a rule
}

// handedLater is how many records of a slice were handed over in a later one.
type handedLater struct {
	slice int
	count int64
}

// handedIn counts a record that was handed over in a later slice than its own.
func (c *sendCounts) handedIn(slice int) {
	for i := len(c.later) - 1; i >= 0; i-- {
		if c.later[i].slice == slice {
			c.later[i].count++
			return
		}
	}
	c.later = append(c.later, handedLater{slice, 1})
}

// ack is a record that was acknowledged.
type ack struct {
	due, sent, at time.Duration
	partition     int32
	bytes         int
}

// ackBatch is how many acknowledgements are counted at once. They come one by one, between many other things: for one alone
// the histograms would have to be fetched into the processor's cache each time.
const ackBatch = 128

// ackMoment is how far apart acknowledgements of one partition are that end one wait: a client tells those of a batch one
// after the other.
const ackMoment = 100 * time.Microsecond

type outcomeCounts struct{ acked, failed, unknown, bytes int64 }

// NewTimeline returns an empty timeline with the slices between the given cuts (see Cuts). A record whose own lag is
// above lagLimit counts as late.
func NewTimeline(cuts []time.Duration, lagLimit time.Duration) *Timeline {
	n, digits := len(cuts)-1, precision(cuts)
	t := &Timeline{cuts: cuts, lagLimit: lagLimit}
	t.senders.slices = make([]sendCounts, n)
	t.senders.lag, t.senders.blocked = newRecorder(n, digits), newRecorder(n, digits)
	t.outcomes.slices = make([]outcomeCounts, n)
	t.outcomes.send, t.outcomes.ack, t.outcomes.gaps = newRecorder(n, digits), newRecorder(n, digits), newGaps()
	t.oracle.consumed, t.oracle.e2e = make([]int64, n), newRecorder(n, digits)
	t.ledger.findings = make([]map[string]int64, n)

	t.grid = max(cuts[n]/time.Duration(n), 1)
	slice := 0
	for at := time.Duration(0); at < cuts[n]; at += t.grid {
		for at >= cuts[slice+1] {
			slice++
		}
		t.steps = append(t.steps, slice)
	}
	return t
}

// slice returns the slice a moment lies in: the first for what is before the beginning, the last for what is after the
// end.
func (t *Timeline) slice(at time.Duration) int {
	step := max(int(at/t.grid), 0)
	if step >= len(t.steps) {
		return len(t.cuts) - 2
	}
	slice := t.steps[step]
	for slice < len(t.cuts)-2 && at >= t.cuts[slice+1] {
		slice++
	}
	return slice
}

// Unsent counts a due record whose turn had not come by at, or that the producer refused at at. It was neither handed
// over nor acknowledged until then, so both latencies are at least that long, and count. Lag is what the generator
// itself was late by.
func (t *Timeline) Unsent(due, at, lag time.Duration) {
	slice := t.slice(due)
	t.senders.Lock()
	defer t.senders.Unlock()
	c := &t.senders.slices[slice]
	c.unsent++
	if lag > t.lagLimit {
		c.late++
	}
	t.senders.lag.record(slice, at-due)
	t.outcomes.Lock()
	defer t.outcomes.Unlock()
	t.countAcks()
	t.outcomes.ack.record(slice, at-due)
	t.outcomes.gaps.abandoned(t, due, nowhere)
}

// Handover is a due record that was handed over.
type Handover struct {
	Due, At time.Duration // At is when Send returned
	Blocked time.Duration // for how long it had been inside Send by then
	Lag     time.Duration // what the generator itself was late by
}

// Handed counts records that were handed over.
func (t *Timeline) Handed(records ...Handover) {
	t.senders.Lock()
	defer t.senders.Unlock()
	for i := range records {
		r := &records[i]
		slice := t.slice(r.Due)
		c := &t.senders.slices[slice]
		c.sent++
		switch {
		case r.At < t.cuts[slice+1]:
			c.onTime++
		case r.At < t.cuts[len(t.cuts)-1]:
			c.handedIn(t.slice(r.At))
		}
		if r.Lag > t.lagLimit {
			c.late++
		}
		t.senders.lag.record(slice, r.At-r.Due)
		t.senders.blocked.record(slice, r.Blocked)
	}
}

// Acked counts a record that was acknowledged at at; Send was called at sent. Partition is the one it went to, −1 where
// nobody can tell. Bytes are those of its payload.
func (t *Timeline) Acked(due, sent, at time.Duration, partition int32, bytes int) {
	t.outcomes.Lock()
	defer t.outcomes.Unlock()
	t.outcomes.acks = append(t.outcomes.acks, ack{due, sent, at, partition, bytes})
	if len(t.outcomes.acks) == ackBatch {
		t.countAcks()
	}
}

// countAcks counts the acknowledgements that were reported. It is called with outcomes locked.
func (t *Timeline) countAcks() {
	acks := t.outcomes.acks
	for len(acks) > 0 {
		first := acks[0]
		due, at, n := first.due, first.at, 0
		for ; n < len(acks) && acks[n].partition == first.partition && acks[n].at-first.at < ackMoment; n++ {
			a := &acks[n]
			slice := t.slice(a.due)
			c := &t.outcomes.slices[slice]
			c.acked++
			c.bytes += int64(a.bytes)
			t.outcomes.send.record(slice, a.at-a.sent)
			t.outcomes.ack.record(slice, a.at-a.due)
			due, at = min(due, a.due), max(at, a.at)
		}
		t.outcomes.gaps.acked(t, due, at, first.partition)
		acks = acks[n:]
	}
	t.outcomes.acks = t.outcomes.acks[:0]
}

// Failed counts a record of which it was known at at that it is certainly not in the log; Send was called at sent. It
// was not acknowledged until then, so its latencies are at least that long, and count. Partition is as for Unknown.
func (t *Timeline) Failed(due, sent, at time.Duration, partition int32) {
	slice := t.slice(due)
	t.outcomes.Lock()
	defer t.outcomes.Unlock()
	t.countAcks()
	t.outcomes.slices[slice].failed++
	t.outcomes.send.record(slice, at-sent)
	t.outcomes.ack.record(slice, at-due)
	t.outcomes.gaps.abandoned(t, due, partition)
}

// Unknown counts a record that was given up at at. It was not acknowledged until then, so its latencies are at least
// that long, and count. Partition is the one it was meant for: it goes on waiting for an acknowledgement (see Gap).
// It is −1 where nobody can tell.
func (t *Timeline) Unknown(due, sent, at time.Duration, partition int32) {
	slice := t.slice(due)
	t.outcomes.Lock()
	defer t.outcomes.Unlock()
	t.countAcks()
	t.outcomes.slices[slice].unknown++
	t.outcomes.send.record(slice, at-sent)
	t.outcomes.ack.record(slice, at-due)
	t.outcomes.gaps.abandoned(t, due, partition)
}

// Consumed counts records that were read back at at.
func (t *Timeline) Consumed(at time.Duration, due ...time.Duration) {
	t.oracle.Lock()
	defer t.oracle.Unlock()
	for _, due := range due {
		slice := t.slice(due)
		t.oracle.consumed[slice]++
		t.oracle.e2e.record(slice, at-due)
	}
}

// Found counts a finding of the ledger.
func (t *Timeline) Found(metric string, due time.Duration) {
	slice := t.slice(due)
	t.ledger.Lock()
	defer t.ledger.Unlock()
	if t.ledger.findings[slice] == nil {
		t.ledger.findings[slice] = make(map[string]int64)
	}
	t.ledger.findings[slice][metric]++
}

// Close returns the slices and the gaps without an acknowledgement, in order of time. A partition whose last records
// were given up waits until end. Nothing may be reported afterwards.
func (t *Timeline) Close(end time.Duration) ([]Slice, []Gap) {
	t.senders.Lock()
	defer t.senders.Unlock()
	t.outcomes.Lock()
	defer t.outcomes.Unlock()
	t.countAcks()
	t.oracle.Lock()
	defer t.oracle.Unlock()
	t.ledger.Lock()
	defer t.ledger.Unlock()

	cut := make([]Slice, len(t.cuts)-1)
	for i := range cut {
		s, o := t.senders.slices[i], t.outcomes.slices[i]
		cut[i] = Slice{
			Span: Span{From: t.cuts[i], To: t.cuts[i+1]},
			Due:  s.sent + s.unsent, Sent: s.sent, OnTime: s.onTime, Late: s.late, Unsent: s.unsent,
			Acked: o.acked, Failed: o.failed, Unknown: o.unknown, Bytes: o.bytes,
			Consumed: t.oracle.consumed[i], Findings: maps.Clone(t.ledger.findings[i]),
		}
		slices.SortFunc(s.later, func(a, b handedLater) int { return a.slice - b.slice })
		for _, later := range s.later {
			cut[i].Later = append(cut[i].Later, Handed{By: t.cuts[later.slice+1], Count: later.count})
		}
	}
	for metric, r := range map[string]*recorder{
		metricScheduleLag: &t.senders.lag, metricBlocked: &t.senders.blocked,
		metricSendLatency: &t.outcomes.send, metricAckLatency: &t.outcomes.ack, metricE2eLatency: &t.oracle.e2e,
	} {
		r.fill(cut, metric)
	}
	return cut, t.outcomes.gaps.end(t, end)
}

// fill writes the recorder's histograms and counts into the slices.
func (r *recorder) fill(cut []Slice, metric string) {
	for i, bytes := range r.close() {
		if bytes != nil {
			if cut[i].Histograms == nil {
				cut[i].Histograms = make(map[string][]byte)
			}
			cut[i].Histograms[metric] = bytes
		}
		if n := r.cells[i].beyond; n > 0 {
			if cut[i].Beyond == nil {
				cut[i].Beyond = make(map[string]int64)
			}
			cut[i].Beyond[metric] = n
		}
	}
}
