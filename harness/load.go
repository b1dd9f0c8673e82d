package harness

import (
	"context"
	"time"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/producer"
)

const (
	// pause is the shortest sleep between two looks at the schedule. Timers here are no finer than a millisecond; the
	// schedule is absolute, so what falls due meanwhile is handed over at the next look with its own due time.
	pause = time.Millisecond

	// turn is how many due readings are taken from the schedule at once.
	turn = 512
)

// load hands the fleet's records to the producer as they fall due: open loop, on an absolute schedule. It is late when
// the producer blocks or the machine is slow, and says so; it never slows down the schedule.
type load struct {
	run  *run
	lag  lag
	slab slab
}

// play runs until the last stage is over or ctx ends. What had fallen due by then may still be handed over for as long as
// a record may lag, so that the last milliseconds of a healthy run are not unsent; settle ends even that.
func (l *load) play(ctx, settle context.Context) {
	r := l.run
	end, grace := r.generator.Pace().End(), r.scenario.Oracle.LagLimit
	sending, cancel := context.WithDeadline(settle, r.epoch.Add(end+grace))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	due := make([]generator.Due, 0, turn)
	for sending.Err() == nil && !r.exceeded() {
		now := r.clock()
		if ctx.Err() != nil {
			end = min(end, now)
		}
		due = r.generator.Next(min(now, end), due[:0])
		for i, d := range due {
			if sending.Err() != nil {
				l.unsent(due[i:])
				break
			}
			l.hand(sending, d)
		}
		if len(due) > 0 {
			continue
		}
		if now >= end {
			break
		}
		at, more := r.generator.NextAt()
		if !more {
			at = end
		}
		r.sleepUntil(ctx, min(max(at, now+pause), end))
		l.lag.woke(r.clock())
	}
	r.loadEnded = min(r.clock(), end)
	for due = r.generator.Next(r.loadEnded, due[:0]); len(due) > 0; due = r.generator.Next(r.loadEnded, due[:0]) {
		l.unsent(due)
	}
	r.readings.Missing(r.generator.Missing())
}

// hand gives one reading, and the alert it raises, to the producer.
func (l *load) hand(ctx context.Context, due generator.Due) {
	r := l.run
	r.timeline.Due(due.At)
	r.readings.Due(1)
	began := time.Now()
	value, traits := r.generator.Append(l.slab.start(), due)
	value = l.slab.keep(value)
	r.options.Metrics.Serialized(time.Since(began))
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
	if !l.send(ctx, r.scenario.Topic.Name, id, value, traits.EventTime) {
		r.readings.Withdraw(due.Device, sequence)
		l.countUnsent(due.At)
		return
	}
	r.truth.injected(due, traits.Anomalies)
	if traits.Alert && r.alerts != nil && !due.Copy {
		r.alerts.Due(1)
		alert := identity{Stream: streamAlerts, Device: due.Device, Due: due.At, Of: sequence + 1}
		alert.Sequence = r.alerts.Open(due.Device, due.At)
		if !l.send(ctx, r.scenario.Alerts.Topic, alert, value, traits.EventTime) {
			r.alerts.Withdraw(due.Device, alert.Sequence)
			r.truth.withheld(due.Device, sequence)
		}
	}
}

// send hands one record over and keeps the time that took.
func (l *load) send(ctx context.Context, topic string, id identity, value []byte, eventTime time.Time) bool {
	r := l.run
	id.Run = r.id
	key := r.keys.of(id.Device)
	record := l.slab.record()
	called := r.clock()
	record.Topic, record.Key, record.Value, record.Timestamp = topic, key, value, eventTime
	record.Headers = l.slab.header(id.append(l.slab.start(), key, value))
	record.Token = producer.Token{
		Stream: id.Stream, Device: id.Device, Sequence: id.Sequence, Due: id.Due, Handed: called,
	}
	own := l.lag.called(id.Due, called)
	err := r.producer.Send(ctx, record)
	handed := r.clock()
	l.lag.returned(handed)
	if err != nil {
		return false
	}
	if id.Stream == streamReadings {
		r.timeline.Handed(id.Due, handed, handed-called, own)
		r.lag.Store(int64(handed - id.Due))
	}
	r.options.Metrics.Sent(value)
	return true
}

// unsent counts readings that fell due and will never be handed over.
func (l *load) unsent(due []generator.Due) {
	for _, d := range due {
		l.run.timeline.Due(d.At)
		l.countUnsent(d.At)
	}
	l.run.readings.Due(int64(len(due)))
	l.run.readings.Unsent(int64(len(due)))
}

// countUnsent puts a record that was never handed over into the timeline: it is as late as it is old.
func (l *load) countUnsent(due time.Duration) {
	now := l.run.clock()
	l.run.timeline.Unsent(due, now, l.lag.of(due, now))
	l.run.options.Metrics.Dropped(1)
}
