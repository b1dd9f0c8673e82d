package harness

import (
	"context"
	"runtime"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/producer"
)

// preparedAtOnce is how many records are prepared before the first of them is sent. To do the same for many records is
// quicker than to do everything for one after the other: a processor that waits for the memory of one device goes on with
// the next, as long as no lock stands between them. It takes some 50 µs, which is little against pause.
const preparedAtOnce = 64

// prepared is a reading that only needs to be sent.
type prepared struct {
	due      generator.Due
	sequence uint64
	traits   generator.Traits
	record   *producer.Record
}

// prepare makes the records of what is due, and opens them in the ledger.
func (l *load) prepare(due []generator.Due) {
	r := l.run
	l.first, l.last = 0, len(due)
	for i, d := range due {
		l.prepared[i].due = d
		l.warm += r.readings.Next(d.Device)
	}
	for i := range due {
		p := &l.prepared[i]
		p.sequence = r.readings.Open(p.due.Device, p.due.At)
	}
	for i := range due {
		p := &l.prepared[i]
		p.record = r.slabs.take()
		p.traits = l.generate(p.record, p.due)
		id := identity{Device: p.due.Device, Sequence: p.sequence, Due: p.due.At, Anomalies: p.traits.Anomalies}
		if p.due.Copy {
			id.Of = p.sequence // one more than the sequence number of the original, which is the device's record before
		}
		l.address(p.record, r.scenario.Topic.Name, id, p.traits.EventTime)
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

// address gives a record that has its payload all the rest.
func (l *load) address(record *producer.Record, topic string, id identity, eventTime time.Time) {
	r := l.run
	id.Run = r.id
	record.Topic, record.Timestamp = topic, eventTime
	record.Key = r.slabs.keep(r.generator.AppendKey(r.slabs.room(), id.Device))
	record.Headers[0] = producer.Header{Key: identityHeader, Value: r.slabs.keep(id.append(r.slabs.room(), record.Key, record.Value))}
	record.Token = producer.Token{
		Stream: id.Stream, Device: id.Device, Sequence: id.Sequence, Due: id.Due, Memory: record.Token.Memory,
	}
}

// takeBack withdraws the records that were prepared and will not be sent, the last first: a device's numbers stay dense.
func (l *load) takeBack() {
	for ; l.first < l.last; l.last-- {
		p := &l.prepared[l.last-1]
		l.run.readings.Withdraw(p.due.Device, p.sequence)
		l.countUnsent(p.due.At)
	}
}

// hand gives the first of the prepared readings, and the alert it raises, to the producer. Where the producer has not taken
// it when ctx has ended, it remains prepared.
func (l *load) hand(ctx context.Context) {
	r := l.run
	p := &l.prepared[l.first]
	l.first++
	raises := p.traits.Alert && r.alerts != nil && !p.due.Copy
	var alert *producer.Record
	if raises { // with a payload of its own, since the reading's may be used again as soon as the reading has its outcome
		alert = r.slabs.take()
		alert.Value = r.slabs.keep(append(r.slabs.room(), p.record.Value...))
	}
	if !l.send(ctx, p.record) {
		l.first--
		return
	}
	if p.due.Copy {
		r.readings.Copied(1)
	}
	if p.traits.Late {
		r.readings.Late(1)
	}
	r.truth.injected(p.due, p.traits.Anomalies)
	if raises && !l.broken {
		r.alerts.Due(1)
		id := identity{Stream: streamAlerts, Device: p.due.Device, Due: p.due.At, Of: p.sequence + 1}
		id.Sequence = r.alerts.Open(p.due.Device, p.due.At)
		l.address(alert, r.scenario.Alerts.Topic, id, p.traits.EventTime)
		if !l.send(ctx, alert) {
			r.alerts.Withdraw(p.due.Device, id.Sequence)
			r.truth.withheld(p.due.Device, p.sequence)
		}
	}
}

// send hands one record over and keeps the time that took. It is false where the client had not taken the record when ctx
// ended. Where the client refuses it for another reason the record was handed over, and has failed.
func (l *load) send(ctx context.Context, record *producer.Record) bool {
	r := l.run
	called := r.clock()
	record.Token.Handed = called
	l.sent, l.own, l.payload = record.Token, l.lag.called(record.Token.Due, called), record.Value
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
	l.run.lag.Store(int64(now - l.sent.Due))
	l.run.options.Metrics.Sent(l.payload)
}

// tell writes what was handed over into the timeline, for many records at once.
func (l *load) tell() {
	if len(l.over) == 0 {
		return
	}
	l.run.timeline.Handed(l.over...)
	l.over = l.over[:0]
}
