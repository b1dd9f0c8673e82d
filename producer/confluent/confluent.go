// Package confluent puts the producer of confluent-kafka-go, which is librdkafka, under test. It lives in a module of its
// own, so that the client's dependencies and the need for cgo reach nobody else.
//
// It takes a producer.Config and gives a producer.Producer. It knows nothing of devices, scenarios, faults or verdicts, and
// it adds nothing to what librdkafka does by itself: no retry, no buffer, no limit.
//
//	Send ──▶ in flight ──▶ Produce ──▶ librdkafka ──▶ brokers
//	             │                        │
//	outcome ◀─ settle ◀──────── Events: delivery reports
//
// Where the client is not as its callers may expect:
//
//   - Produce does not wait when the queue is full, it fails. Send waits for a delivery report and asks again.
//   - A closed producer throws away what it still has, without a report. Close drains it, and purges it at the end.
//   - A delivery report says neither how often a record was tried nor, in Go, whether it may be in the log, which
//     librdkafka knows. So no error of a report proves anything: only what Produce itself refuses is failed.
//   - What limits a record's time is message.timeout.ms, five minutes; attempts to reach a broker are not among those that
//     retry.max counts.
//   - Retries are known to its statistics alone, once in a while, so that Stats does not know them.
package confluent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// Name is the client's name in reports.
const Name = "confluent"

// Version is the version of the Go client, which comes with the librdkafka of the same number, such as v2.11.1, or
// "unknown" where nothing tells.
func Version() string { return producer.ModuleVersion("github.com/confluentinc/confluent-kafka-go/v2") }

const (
	// grace is how long Close waits after the end of its ctx, for the reports of what was purged and for librdkafka's threads.
	grace = time.Second

	// question is how long librdkafka waits for metadata before New looks at its ctx again.
	question = 100 * time.Millisecond
)

type asyncProducer struct {
	client   *kafka.Producer
	inFlight *inflight.Set
	room     room
	unacked  bool
	drained  chan struct{} // closed when no report comes any more
}

// message is a record on its way through librdkafka, which carries it as the message's opaque.
type message struct{ entry inflight.Entry }

// Kind is confluent-kafka-go, to be put under test.
func Kind() producer.Kind {
	return producer.Kind{Name: Name, Version: Version(), New: New}
}

// New connects librdkafka's producer. It is a producer.New.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	p := &asyncProducer{inFlight: inflight.New(outcome), unacked: config.Acks == producer.AcksNone, drained: make(chan struct{})}
	settings, err := configure(config)
	if err == nil {
		p.client, err = kafka.NewProducer(&settings) // does not connect
	}
	if err != nil {
		return nil, fmt.Errorf("configure confluent-kafka-go: %w", err)
	}
	go p.drain()
	if err := p.connect(ctx); err != nil {
		go p.client.Close()
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(config.Bootstrap, ", "), err)
	}
	return p, nil
}

// connect waits for the first metadata of the cluster.
func (p *asyncProducer) connect(ctx context.Context) error {
	for {
		_, err := p.client.GetMetadata(nil, false, int(question.Milliseconds()))
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Send hands a record to librdkafka, which copies it. What Produce refuses, other than for want of room, was never in a
// queue and is certainly not in the log.
func (p *asyncProducer) Send(ctx context.Context, record *producer.Record) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	}
	m := &message{}
	m.entry.Record = record
	if !p.inFlight.Enter(&m.entry) {
		return producer.ErrClosed
	}
	defer p.inFlight.Left()
	handed := kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &record.Topic, Partition: kafka.PartitionAny},
		Key:            record.Key, Value: record.Value, Timestamp: record.Timestamp, Opaque: m,
	}
	for _, header := range record.Headers {
		handed.Headers = append(handed.Headers, kafka.Header{Key: header.Key, Value: header.Value})
	}
	for full := (<-chan struct{})(nil); ; {
		err := p.client.Produce(&handed, nil)
		var refused kafka.Error
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused) && refused.Code() == kafka.ErrQueueFull:
			if full == nil { // ask once more, or the last record may have left in between
				full = p.room.next()
				continue
			}
		default:
			p.inFlight.Settle(&m.entry, producer.Outcome{
				State: producer.Failed, Partition: -1, Offset: producer.OffsetUnset, Err: err,
			})
			return nil
		}
		select {
		case <-full:
			full = nil
		case <-ctx.Done():
			p.inFlight.Refused(&m.entry)
			return fmt.Errorf("send record: %w", context.Cause(ctx))
		case <-p.inFlight.Closing():
			p.inFlight.Refused(&m.entry)
			return producer.ErrClosed
		}
	}
}

// drain reads what librdkafka reports, until it is closed. Errors that belong to no record are its own affair: it goes on.
func (p *asyncProducer) drain() {
	defer close(p.drained)
	for event := range p.client.Events() {
		if report, ok := event.(*kafka.Message); ok {
			p.settle(report)
		}
	}
}

// settle hands over the outcome that a delivery report tells.
func (p *asyncProducer) settle(report *kafka.Message) {
	m := report.Opaque.(*message)
	at := report.TopicPartition
	o := producer.Outcome{State: producer.Acked, Partition: max(at.Partition, -1), Offset: producer.OffsetUnset, Err: at.Error}
	switch {
	case at.Error != nil:
		o.State = producer.Unknown
	case !p.unacked && at.Offset >= 0:
		o.Offset = int64(at.Offset)
	}
	p.inFlight.Settle(&m.entry, o)
	p.room.made()
}

func (p *asyncProducer) Flush(ctx context.Context) error { return p.inFlight.Flush(ctx) }

// Close drains before it closes, and purges what is left.
func (p *asyncProducer) Close(ctx context.Context) error {
	if !p.inFlight.Close() {
		return nil
	}
	if p.inFlight.Flush(ctx) != nil {
		_ = p.client.Purge(kafka.PurgeQueue | kafka.PurgeInFlight | kafka.PurgeNonBlocking) // fails only when closed
		reporting, cancel := context.WithTimeout(context.Background(), grace/2)
		defer cancel()
		_ = p.inFlight.Flush(reporting)
	}
	go p.client.Close()
	var err error
	select {
	case <-p.drained:
	case <-time.After(grace):
		err = errors.New("librdkafka is still closing")
	}
	p.inFlight.GiveUp(fmt.Errorf("closed without an outcome: %w", context.Cause(ctx)))
	return err
}

// Stats counts what has no outcome. librdkafka counts much more, but tells it only from time to time.
func (p *asyncProducer) Stats() producer.Stats { return producer.Stats{Queued: p.inFlight.Count()} }

// room tells those that wait that there may be room in the queue again.
type room struct {
	mu      sync.Mutex
	waiting chan struct{} // closed when a record has left; nil while nobody cares
}

// next returns what is closed when the next record leaves.
func (r *room) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = make(chan struct{})
	}
	return r.waiting
}

// made says that a record has left.
func (r *room) made() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting != nil {
		close(r.waiting)
		r.waiting = nil
	}
}
