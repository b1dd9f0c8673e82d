package harness

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/producer"
)

const (
	// pause is the shortest sleep between two looks at the schedule. Timers here are no finer than a millisecond; the
	// schedule is absolute, so what falls due meanwhile is handed over at the next look with its own due time.
	pause = time.Millisecond

	// turn is how many due readings are taken from the schedule at once.
	turn = 512

	// exceededEvery is how often the ledger is asked for its size: often enough that it cannot grow by much meanwhile.
	exceededEvery = 50 * time.Millisecond
)

// load hands the fleet's records to the producer as they fall due: open loop, on an absolute schedule. It is late when
// the producer blocks or the machine is slow, and says so; it never slows down the schedule.
//
// It has a goroutine of its own, which may stay behind in a Send that does not return. Until then all of it belongs to
// that goroutine, and from then on to play.
type load struct {
	run      *run
	lag      lag
	end      time.Duration            // of what may fall due
	due      []generator.Due          // taken from the schedule and not yet prepared
	room     []generator.Due          // what due is a part of
	prepared [preparedAtOnce]prepared // of which those between first and last are not yet sent
	first    int
	last     int
	warm     uint64                // keeps the compiler from leaving out what only warms the cache
	sent     producer.Token        // of the latest record given to Send
	own      time.Duration         // the lag of its that is the generator's
	payload  []byte                // its payload
	over     []assertions.Handover // what was handed over and the timeline does not know yet

	place  atomic.Int32 // of the goroutine that hands over
	broken bool         // the client has panicked, and gets nothing more
	full   bool         // the ledger has reached its memory, so that the load ended
}

// Where the goroutine that hands over is.
const (
	outsideSend int32 = iota
	insideSend
	leftInSend
)

// play runs until the last stage is over or ctx ends. What had fallen due by then may still be handed over for as long as
// a record may lag, so that the last milliseconds of a healthy run are not unsent; settle ends even that.
func (l *load) play(ctx, settle context.Context) {
	r := l.run
	grace := r.scenario.Oracle.LagLimit
	l.end = r.generator.Pace().End()
	sending, cancel := context.WithDeadline(settle, r.epoch.Add(l.end+grace))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.handOver(ctx, sending)
	}()
	l.await(sending, done)
	if l.full { // it may have shrunk again before anybody else asks
		r.cutShort = fmt.Sprintf("the ledger would have needed more than its %s", r.scenario.Oracle.LedgerMemory)
	}
	l.tell()
	l.takeBack()
	r.loadEnded = min(r.clock(), l.end)
	l.unsent(l.due)
	for due := l.take(r.loadEnded); len(due) > 0; due = l.take(r.loadEnded) {
		l.unsent(due)
	}
	r.readings.Missing(r.generator.Missing())
}

// handOver hands over what falls due until the end, or until ctx or sending end.
func (l *load) handOver(ctx, sending context.Context) {
	r := l.run
	var checked time.Duration
	for sending.Err() == nil {
		now := r.clock()
		if now-checked >= exceededEvery {
			checked = now
			if l.full = r.exceeded(); l.full {
				break
			}
		}
		if ctx.Err() != nil {
			l.end = min(l.end, now)
		}
		l.due = l.take(min(now, l.end))
		more := len(l.due) > 0
		for len(l.due) > 0 && sending.Err() == nil {
			n := min(len(l.due), preparedAtOnce)
			l.prepare(l.due[:n])
			l.due = l.due[n:]
			for l.first < l.last && sending.Err() == nil {
				if l.hand(sending); l.broken {
					return
				}
			}
		}
		l.tell()
		if more {
			continue
		}
		if now >= l.end {
			break
		}
		at, more := r.generator.NextAt()
		if !more {
			at = l.end
		}
		r.sleepUntil(ctx, min(max(at, now+pause), l.end))
		l.lag.woke(r.clock())
	}
}

// take takes some of what is due by now from the schedule.
func (l *load) take(now time.Duration) []generator.Due {
	if l.room == nil {
		l.room = make([]generator.Due, 0, turn)
	}
	l.room = l.run.generator.Next(now, l.room[:0])
	l.run.readings.Due(int64(len(l.room)))
	return l.room
}

// await waits until everything is handed over. A Send that does not return although sending has ended is left, with the
// goroutine that is in it: nobody can know whether the client has taken its record, so that it counts as handed over and
// will be unknown.
func (l *load) await(sending context.Context, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-sending.Done():
	}
	ended := l.run.clock()
	for {
		waiting, enough := l.run.guest.overtime()
		select {
		case <-done:
			enough()
			return
		case <-waiting.Done():
			enough()
		}
		if l.place.CompareAndSwap(insideSend, leftInSend) {
			now := l.run.clock()
			_ = l.run.guest.left("Send", now-ended, now-l.sent.Handed)
			l.handed(now)
			return
		}
	}
}

// unsent counts readings that fell due and will never be handed over.
func (l *load) unsent(due []generator.Due) {
	for _, d := range due {
		l.countUnsent(d.At)
	}
	l.run.readings.Unsent(int64(len(due)))
}

// countUnsent puts a record that was never handed over into the timeline: it is as late as it is old.
func (l *load) countUnsent(due time.Duration) {
	now := l.run.clock()
	l.run.timeline.Unsent(due, now, l.lag.of(due, now))
	l.run.options.Metrics.Dropped(1)
}
