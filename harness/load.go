package harness

import (
	"context"
	"runtime"
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
	run     *run
	lag     lag
	end     time.Duration         // of what may fall due
	due     []generator.Due       // taken from the schedule and not yet handed over
	room    []generator.Due       // what due is a part of
	sent    producer.Token        // of the latest record given to Send
	own     time.Duration         // the lag of its that is the generator's
	payload []byte                // its payload
	over    []assertions.Handover // what was handed over and the timeline does not know yet

	place  atomic.Int32 // of the goroutine that hands over
	broken bool         // the client has panicked, and gets nothing more
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
	l.tell()
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
			if checked = now; r.exceeded() {
				break
			}
		}
		if ctx.Err() != nil {
			l.end = min(l.end, now)
		}
		l.due = l.take(min(now, l.end))
		more := len(l.due) > 0
		for len(l.due) > 0 && sending.Err() == nil {
			due := l.due[0]
			l.due = l.due[1:]
			l.hand(sending, due)
			if l.broken {
				return
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
			_ = l.run.guest.left(waiting, "Send", now-l.sent.Handed)
			l.handed(now)
			return
		}
	}
}

// hand gives one reading, and the alert it raises, to the producer.
func (l *load) hand(ctx context.Context, due generator.Due) {
	r := l.run
	record := r.slabs.take()
	traits := l.generate(record, due)
	raises := traits.Alert && r.alerts != nil && !due.Copy
	var alert *producer.Record
	if raises { // with a payload of its own, since the reading's may be used again as soon as the reading has its outcome
		alert = r.slabs.take()
		alert.Value = r.slabs.keep(append(r.slabs.room(), record.Value...))
	}
	if due.Copy {
		r.readings.Copied(1)
	}
	if traits.Late {
		r.readings.Late(1)
	}
	sequence := r.readings.Open(due.Device, due.At)
	id := identity{Device: due.Device, Sequence: sequence, Due: due.At, Anomalies: traits.Anomalies}
	if due.Copy {
		id.Of = sequence // one more than the sequence number of the original, which is the device's record before
	}
	if !l.send(ctx, r.scenario.Topic.Name, id, record, traits.EventTime) {
		r.readings.Withdraw(due.Device, sequence)
		l.countUnsent(due.At)
		return
	}
	r.truth.injected(due, traits.Anomalies)
	if raises {
		r.alerts.Due(1)
		id := identity{Stream: streamAlerts, Device: due.Device, Due: due.At, Of: sequence + 1}
		id.Sequence = r.alerts.Open(due.Device, due.At)
		if !l.send(ctx, r.scenario.Alerts.Topic, id, alert, traits.EventTime) {
			r.alerts.Withdraw(due.Device, id.Sequence)
			r.truth.withheld(due.Device, sequence)
		}
	}
}

// generate makes the record's payload.
func (l *load) generate(record *producer.Record, due generator.Due) generator.Traits {
	r := l.run
	var began time.Time
	if r.options.Metrics != nil { // or nobody wants to know how long it took, which takes a tenth as long to find out
		began = time.Now()
	}
	value, traits := r.generator.Append(r.slabs.room(), due)
	record.Value = r.slabs.keep(value)
	if r.options.Metrics != nil {
		r.options.Metrics.Serialized(time.Since(began))
	}
	return traits
}

// send hands one record over and keeps the time that took. It is false where the client had not taken the record when ctx
// ended. Where the client refuses it for another reason the record was handed over, and has failed.
func (l *load) send(ctx context.Context, topic string, id identity, record *producer.Record, eventTime time.Time) bool {
	r := l.run
	id.Run = r.id
	key := r.slabs.keep(r.generator.AppendKey(r.slabs.room(), id.Device))
	record.Headers[0] = producer.Header{Key: identityHeader, Value: r.slabs.keep(id.append(r.slabs.room(), key, record.Value))}
	called := r.clock()
	record.Topic, record.Key, record.Timestamp = topic, key, eventTime
	record.Token = producer.Token{
		Stream: id.Stream, Device: id.Device, Sequence: id.Sequence, Due: id.Due, Handed: called,
		Memory: record.Token.Memory,
	}
	l.sent, l.own, l.payload = record.Token, l.lag.called(id.Due, called), record.Value
	l.place.Store(insideSend)
	err := r.guest.send(ctx, record)
	if !l.place.CompareAndSwap(insideSend, outsideSend) {
		runtime.Goexit() // the run has gone on without this goroutine, and everything here belongs to it
	}
	handed := r.clock()
	l.lag.returned(handed)
	if err != nil && ctx.Err() != nil && !isBreach(err) {
		return false
	}
	l.handed(handed)
	switch {
	case err == nil:
	case isBreach(err):
		l.broken = true
	default:
		r.outcome(producer.Outcome{Record: record, State: producer.Failed, Partition: -1, Offset: producer.OffsetUnset, Err: err})
	}
	return true
}

// handed says when the latest record was handed over.
func (l *load) handed(now time.Duration) {
	if l.sent.Stream != streamReadings {
		return
	}
	l.over = append(l.over, assertions.Handover{Due: l.sent.Due, At: now, Blocked: now - l.sent.Handed, Lag: l.own})
	l.run.options.Metrics.Sent(l.payload)
}

// tell writes what was handed over into the timeline, for many records at once.
func (l *load) tell() {
	if len(l.over) == 0 {
		return
	}
	l.run.timeline.Handed(l.over...)
	latest := l.over[len(l.over)-1]
	l.run.lag.Store(int64(latest.At - latest.Due))
	l.over = l.over[:0]
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
