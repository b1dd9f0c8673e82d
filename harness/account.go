package harness

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
)

// This file is the one place where the outcome of a record, or a record read back, becomes a line of the ledger.

// openLedgers opens a ledger for each stream. What they find is also counted where it fell due.
func (r *run) openLedgers() {
	readings := r.ledger("readings", r.scenario.Topic)
	readings.Abandoned = func(device uint32, due time.Duration) {
		r.timeline.Unknown(due, due, r.loadEnded, r.readings.Expected(device, due))
	}
	r.readings = assertions.NewLedger(readings)
	r.readings.Partitions(0, 0, r.scenario.Topic.Partitions)
	if r.scenario.Alerts != nil {
		topic := r.scenario.alertsTopic()
		r.alerts = assertions.NewLedger(r.ledger("alerts", topic))
		r.alerts.Partitions(0, 0, topic.Partitions)
	}
}

// ledger describes what the streams' ledgers have in common.
func (r *run) ledger(name string, topic broker.Topic) assertions.LedgerConfig {
	config := assertions.LedgerConfig{
		Name:    name,
		Topic:   topic.Name,
		Devices: r.generator.Devices(),
		Key:     r.generator.Key,
		Memory:  int64(r.scenario.Oracle.LedgerMemory),
		Found:   r.timeline.Found,
	}
	if partitioner := r.scenario.Producer.Partitioner; partitioner.Fixed() {
		config.Expect = func(device uint32, partitions int) int32 {
			return partitioner.Partition(r.generator.AppendKey(nil, device), int32(partitions))
		}
	}
	return config
}

// outcome writes what became of a record into the ledger and the timeline. An outcome that cannot be counts for nothing, and
// it says so.
func (r *run) outcome(o producer.Outcome) bool {
	at := r.clock()
	token := o.Record.Token
	ledger := r.readings
	if token.Stream == streamAlerts {
		ledger = r.alerts
	}
	if token.Stream > streamAlerts || ledger == nil || int(token.Device) >= r.generator.Devices() {
		_ = r.guest.breaks(oneOutcome, fmt.Sprintf("device %d #%d of stream %d was said to be %s without having been sent",
			token.Device, token.Sequence, token.Stream, o.State))
		return false
	}
	waiting := false
	switch o.State {
	case producer.Acked:
		waiting = ledger.Acked(token.Device, token.Sequence, o.Partition, o.Offset)
	case producer.Failed:
		waiting = ledger.Failed(token.Device, token.Sequence)
	case producer.Unknown:
		waiting = ledger.Unknown(token.Device, token.Sequence)
	default:
		_ = r.guest.breaks("an outcome is acked, failed or unknown", fmt.Sprintf("one had the state %d", o.State))
		o.State = producer.Unknown
		waiting = ledger.Unknown(token.Device, token.Sequence)
	}
	if !waiting {
		_ = r.guest.breaks(oneOutcome, fmt.Sprintf("%s #%d was said to be %s when it had its outcome, or had never been sent",
			r.generator.Key(token.Device), token.Sequence, o.State))
		return false
	}
	if o.State == producer.Acked {
		r.faults.Acked(token.Handed, at)
	} else {
		r.causes.add(o.State, o.Err)
	}
	if token.Stream == streamReadings {
		r.settle(o, at)
	}
	if o.State != producer.Unknown { // a client may have given up on a record that still stands in a request of its
		r.slabs.give(token)
	}
	return true
}

// oneOutcome is the clause by which there are as many outcomes as records.
const oneOutcome = "there is one outcome for one accepted record"

// settle writes what became of a reading into the timeline, and into telemetry.
func (r *run) settle(o producer.Outcome, at time.Duration) {
	token := o.Record.Token
	r.options.Metrics.Outcome(o.State.String(), at-token.Handed)
	partition := o.Partition
	if partition < 0 || int(partition) >= r.partitions { // the client did not say, or named one that cannot be
		partition = -1
		if o.State != producer.Acked {
			partition = r.readings.Expected(token.Device, token.Due)
		}
	}
	switch o.State {
	case producer.Acked:
		r.timeline.Acked(token.Due, token.Handed, at, partition, len(o.Record.Value))
	case producer.Failed:
		r.timeline.Failed(token.Due, token.Handed, r.never(at), partition)
	default:
		r.timeline.Unknown(token.Due, token.Handed, r.never(at), partition)
	}
}

// never is until when a record was not acknowledged that came back without an acknowledgement: at least until the load
// was to end. A client that gives up after a millisecond has not been fast.
func (r *run) never(at time.Duration) time.Duration { return max(at, r.generator.Pace().End()) }

// readAtOnce is how many records that were read back are identified before the first of them is accounted for; see
// preparedAtOnce.
const readAtOnce = 64

// readBack is a record that was read back, as far as it can be told alone.
type readBack struct {
	id     identity
	ledger *assertions.Ledger // of the topic it was read from
	intact bool               // key and value are those that were sent
	stray  error              // why it is none of the run's: errGarbled, or anything else
}

// see writes records that were read back at at into the ledger, in their order, and tells the timeline of readings that are
// seen for the first time. It is called by one goroutine at a time.
func (r *run) see(at time.Duration, records ...*kgo.Record) {
	for len(records) > 0 {
		n := min(len(records), readAtOnce)
		r.seeSome(at, records[:n])
		records = records[n:]
	}
}

// seeSome is see for at most readAtOnce records.
func (r *run) seeSome(at time.Duration, records []*kgo.Record) {
	read := r.read[:len(records)]
	for i, record := range records {
		read[i] = r.identify(record)
	}
	for i := range read {
		if read[i].stray == nil {
			r.warm += read[i].ledger.Track(read[i].id.Device)
		}
	}
	var due [readAtOnce]time.Duration
	readings := due[:0]
	for i, record := range records {
		b := &read[i]
		switch {
		case errors.Is(b.stray, errGarbled):
			b.ledger.Garbled(record.Partition, record.Offset, at, b.stray.Error())
			continue
		case b.stray != nil:
			b.ledger.Phantom(record.Partition, record.Offset, at, b.stray.Error())
			continue
		}
		first := b.ledger.Seen(assertions.Sighting{
			Device: b.id.Device, Session: b.id.Session, Sequence: b.id.Sequence, Due: b.id.Due, At: at,
			Partition: record.Partition, Offset: record.Offset, Corrupt: !b.intact,
		})
		if !first {
			continue // a latency, an anomaly and an alert count once, when they could first be read
		}
		if b.id.Stream == streamReadings {
			readings = append(readings, b.id.Due)
		}
		if b.intact {
			r.truth.see(b.id, record.Value)
		}
	}
	r.timeline.Consumed(at, readings...)
}

// identify tells which record of the run this is.
func (r *run) identify(record *kgo.Record) readBack {
	b := readBack{ledger: r.readings}
	stream := streamReadings
	if record.Topic != r.scenario.Topic.Name {
		b.ledger, stream = r.alerts, streamAlerts
	}
	var header []byte
	for _, h := range record.Headers {
		if h.Key == identityHeader {
			header = h.Value
			break
		}
	}
	b.id, b.intact, b.stray = parseIdentity(header, record.Key, record.Value)
	if b.stray == nil && (b.id.Run != r.id || b.id.Stream != stream || int(b.id.Device) >= r.generator.Devices()) {
		b.stray = fmt.Errorf("belongs to run %016x, stream %d", b.id.Run, b.id.Stream)
	}
	return b
}

// rescan tells the ledgers that what they see from now on is the second scan.
func (r *run) rescan() {
	r.readings.Rescan()
	if r.alerts != nil {
		r.alerts.Rescan()
	}
}
