// Package kafkago puts the Writer of segmentio/kafka-go under test. It lives in a module of its own, so that the client's
// dependencies reach nobody else.
//
// It takes a producer.Config and gives a producer.Producer. It knows nothing of devices, scenarios, faults or verdicts, and
// it adds nothing to what kafka-go does by itself: no retry, no buffer, no limit.
//
//	Send ──▶ in flight ──▶ WriteMessages ──▶ Writer ──▶ wire ──▶ brokers
//	             │                              │
//	outcome ◀─ settle ◀──────────────────── Completion
//
// What kafka-go can promise, and what not:
//
//   - It is not idempotent, so that a lost response makes duplicates. Asking for it is an error of New.
//   - Each partition has one batch under way, so that a key's records are stored in the order of Send, until a batch is
//     given up: then the next one follows. A request that timed out may still be stored, behind its own repetition.
//   - An asynchronous Writer has no limit: Send never blocks, and what the brokers do not take piles up in memory.
//   - Closing it cannot be hurried: it repeats every batch as often as it would otherwise. wire.go cuts it off.
//   - A record whose topic it has no metadata of is refused at once, and a batch whose partition has no leader is not tried
//     again, however many retries there are.
package kafkago

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// Name is the client's name in reports.
const Name = "kafkago"

// Version is the version of kafka-go that this program was built with, such as v0.4.51, or "unknown" where nothing
// tells.
func Version() string { return producer.ModuleVersion("github.com/segmentio/kafka-go") }

// grace is how long Close waits after the end of its ctx for kafka-go to let go.
const grace = time.Second

type writer struct {
	writer   *kafka.Writer
	wire     *wire
	inFlight *inflight.Set
	unacked  bool
}

// message is a record on its way through kafka-go, which carries it in WriterData.
type message struct {
	entry     inflight.Entry
	partition int32
}

// Kind is kafka-go, to be put under test.
func Kind() producer.Kind {
	return producer.Kind{Name: Name, Version: Version(), New: New}
}

// New connects kafka-go's Writer. It is a producer.New.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	settings, wire, err := configure(config)
	if err != nil {
		return nil, fmt.Errorf("configure kafka-go: %w", err)
	}
	p := &writer{writer: settings, wire: wire, inFlight: inflight.New(outcome), unacked: config.Acks == producer.AcksNone}
	settings.Completion = p.complete
	if err := p.connect(ctx, config.Retry.Backoff); err != nil {
		wire.cut()
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(config.Bootstrap, ", "), err)
	}
	return p, nil
}

// connect waits for the first metadata of the cluster.
func (p *writer) connect(ctx context.Context, pause time.Duration) error {
	client := &kafka.Client{Addr: p.writer.Addr, Transport: p.wire}
	for {
		_, err := client.Metadata(ctx, &kafka.MetadataRequest{})
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Send never blocks for room. What WriteMessages refuses it has put into no batch, so that it is certainly not in the log.
func (p *writer) Send(ctx context.Context, record *producer.Record) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	}
	m := &message{partition: -1}
	m.entry.Record = record
	if !p.inFlight.Enter(&m.entry) {
		return producer.ErrClosed
	}
	defer p.inFlight.Left()
	headers := make([]kafka.Header, len(record.Headers))
	for i, header := range record.Headers {
		headers[i] = kafka.Header{Key: header.Key, Value: header.Value}
	}
	err := p.writer.WriteMessages(ctx, kafka.Message{
		Topic: record.Topic, Key: record.Key, Value: record.Value, Headers: headers, Time: record.Timestamp, WriterData: m,
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		p.inFlight.Refused(&m.entry)
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	default:
		p.inFlight.Settle(&m.entry, producer.Outcome{
			State: producer.Failed, Partition: m.partition, Offset: producer.OffsetUnset, Err: err,
		})
		return nil
	}
}

// complete is the Writer's Completion: the end of one batch.
func (p *writer) complete(messages []kafka.Message, err error) {
	first := messages[0].WriterData.(*message)
	state := stateOf(err, p.wire.attempts(messages[0].Topic, first.partition))
	for i := range messages {
		m := messages[i].WriterData.(*message)
		o := producer.Outcome{State: state, Partition: m.partition, Offset: producer.OffsetUnset, Err: err}
		if state == producer.Acked && !p.unacked && messages[i].Offset >= 0 {
			o.Offset = messages[i].Offset
		}
		p.inFlight.Settle(&m.entry, o)
	}
}

func (p *writer) Flush(ctx context.Context) error { return p.inFlight.Flush(ctx) }

// Close lets the Writer come to its end, and cuts it off from the brokers at the end of ctx.
func (p *writer) Close(ctx context.Context) error {
	if !p.inFlight.Close() {
		return nil
	}
	released := make(chan struct{})
	go func() {
		_ = p.writer.Close() // never an error
		close(released)
	}()
	select {
	case <-released:
	case <-ctx.Done():
	}
	p.wire.cut()
	var err error
	select {
	case <-released:
	case <-time.After(grace):
		err = errors.New("kafka-go still pauses before another attempt")
	}
	p.inFlight.GiveUp(fmt.Errorf("closed without an outcome: %w", context.Cause(ctx)))
	return err
}

// Stats counts produce requests, each of which has one batch, on their way to the brokers.
func (p *writer) Stats() producer.Stats {
	return producer.Stats{
		Batches:      p.wire.batches.Load(),
		Retries:      p.wire.retries.Load(),
		Connections:  p.wire.connections.Load(),
		Queued:       p.inFlight.Count(),
		RetriesKnown: true,
	}
}

// stateOf says what the end of a batch proves. A refusal proves that a record is not in the log only if it was the answer
// to the only attempt. The list is short on purpose; everything else is unknown.
func stateOf(err error, attempts int) producer.State {
	if err == nil {
		return producer.Acked
	}
	for _, refusal := range []error{
		kafka.MessageSizeTooLarge, kafka.InvalidTimestamp, kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed,
	} {
		if attempts == 1 && errors.Is(err, refusal) {
			return producer.Failed
		}
	}
	return producer.Unknown
}
