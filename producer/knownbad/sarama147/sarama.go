// Package sarama147 puts Sarama v1.47.0 under test, a client that is known to acknowledge records which are not in the log.
//
// It takes a producer.Config and gives a producer.Producer, as producer/sarama does for the version in use, and shares
// nothing with it: the two are built against different versions of one module, and a mistake in one must not be in both.
//
//	Send ──▶ pending ──▶ Input ──▶ Sarama v1.47.0 ──▶ brokers
//	            │                        │
//	outcome ◀─ settle ◀──── Successes, Errors
//
// It adds nothing to what that version does by itself, and leaves out what only the version in use is judged by: it
// counts no batches and no connections, and of what a broker refuses it never says more than unknown. What differs in
// v1.47.0 and matters here:
//
//   - It has no partitioner for murmur2, and the one for failover is not Sarama's own: both are refused by New.
//   - Idempotence asks for one open request here too, but a second is written while the first waits for its answer, and a
//     partition may have a batch in both.
//   - After a lost connection it makes new batches of the records in old ones. A batch is numbered from its first record as
//     if none were missing, and under the epoch of the moment, though every record that is given up starts another. So the
//     broker takes records for duplicates that it does not have: they are acknowledged, and lost.
//   - It may return a message of its own through Errors. What is not pending is left alone.
package sarama147

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// Name is the client's name in reports.
const Name = "sarama"

// Version is the version of Sarama in this program, v1.47.0 unless somebody has changed the replacement in go.mod, or
// "unknown" where nothing tells.
func Version() string { return producer.ModuleVersion("github.com/IBM/sarama") }

// grace is how long Close waits after the end of its ctx for Sarama to let go.
const grace = time.Second

type asyncProducer struct {
	outcome func(producer.Outcome)
	pending pending
	retries atomic.Int64
	hurry   atomic.Bool // the end has come: no more pauses

	client      sarama.Client
	closeClient func()
	async       sarama.AsyncProducer
	closing     chan struct{} // closed when Close is called
	drained     chan struct{} // closed when Sarama has closed both of its channels
}

// New connects Sarama's asynchronous producer. It is a producer.New.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	p := &asyncProducer{outcome: outcome, closing: make(chan struct{}), drained: make(chan struct{})}
	settings, err := p.settings(config)
	if err != nil {
		return nil, fmt.Errorf("configure sarama: %w", err)
	}
	p.client, err = sarama.NewClient(config.Bootstrap, settings) // does not connect: Metadata.Full is off
	if err != nil {
		return nil, fmt.Errorf("configure sarama: %w", err)
	}
	p.closeClient = sync.OnceFunc(func() { _ = p.client.Close() })
	if err := p.connect(ctx); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(config.Bootstrap, ", "), err)
	}
	p.retries.Store(0) // what was tried before the first record was none of it
	go p.drain()
	return p, nil
}

// connect waits for the first answer of the cluster. Sarama knows no context: at the end of ctx its attempts lose their
// pauses and its client, and end by themselves.
func (p *asyncProducer) connect(ctx context.Context) error {
	attempt := make(chan error, 1)
	go func() { attempt <- p.start() }()
	select {
	case err := <-attempt:
		if err != nil {
			p.closeClient()
		}
		return err
	case <-ctx.Done():
	}
	p.hurry.Store(true)
	go func() {
		p.closeClient()
		if <-attempt == nil {
			p.async.AsyncClose()
			p.drain()
		}
	}()
	return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
}

func (p *asyncProducer) start() error {
	if err := p.client.RefreshMetadata(); err != nil {
		return err
	}
	var err error
	p.async, err = sarama.NewAsyncProducerFromClient(p.client) // asks for the identity of an idempotent producer
	return err
}

func (p *asyncProducer) Send(ctx context.Context, record *producer.Record) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	}
	m := message(record)
	if !p.pending.add(m, record) {
		return producer.ErrClosed
	}
	defer p.pending.sent()
	select {
	case p.async.Input() <- m:
		return nil
	case <-ctx.Done():
		p.withdraw(m)
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	case <-p.closing:
		p.withdraw(m)
		return producer.ErrClosed
	}
}

// withdraw takes back a message that Sarama did not get.
func (p *asyncProducer) withdraw(m *sarama.ProducerMessage) {
	p.pending.take(m)
	p.pending.done()
}

// message is the record as Sarama wants it. Sarama writes the offset only when it knows it: a zero would be taken for the
// first offset of the partition where it leaves it alone, with acks=none and on DUPLICATE_SEQUENCE_NUMBER.
func message(record *producer.Record) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{
		Topic: record.Topic, Key: sarama.ByteEncoder(record.Key), Value: sarama.ByteEncoder(record.Value),
		Timestamp: record.Timestamp, Partition: -1, Offset: producer.OffsetUnset,
	}
	for _, header := range record.Headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	return m
}

// drain reads what Sarama returns until it has closed both channels, side by side: it stands still when one is full.
func (p *asyncProducer) drain() {
	var channels sync.WaitGroup
	channels.Go(func() {
		for m := range p.async.Successes() {
			p.settle(m, nil)
		}
	})
	channels.Go(func() {
		for e := range p.async.Errors() {
			p.settle(e.Msg, e.Err)
		}
	})
	channels.Wait()
	close(p.drained)
}

// settle hands a record's outcome over, unless it has one: Close may have given up on it.
func (p *asyncProducer) settle(m *sarama.ProducerMessage, err error) {
	record := p.pending.take(m)
	if record == nil {
		return
	}
	o := producer.Outcome{Record: record, State: producer.Acked, Partition: m.Partition, Offset: m.Offset}
	if err != nil {
		o.State, o.Offset, o.Err = state(err), producer.OffsetUnset, err
	}
	p.outcome(o)
	p.pending.done()
}

// state says what an error proves. Only what Sarama finds wrong before the first attempt is certainly not in the log: it
// is too large, or has no partition. Whether there was an attempt before any other error is more than Sarama tells.
func state(err error) producer.State {
	var configuration sarama.ConfigurationError
	if errors.As(err, &configuration) || errors.Is(err, sarama.ErrInvalidPartition) {
		return producer.Failed
	}
	return producer.Unknown
}

func (p *asyncProducer) Flush(ctx context.Context) error {
	if err := p.pending.wait(ctx); err != nil {
		return fmt.Errorf("flush: %d records without an outcome: %w", p.pending.count(), err)
	}
	return nil
}

// Close drains before it closes: as soon as Sarama is told to close, it fails what waits for another attempt.
//
// After lost connections v1.47.0 may stand still for good, with records that it never returns. That is what a run is to
// find out, and no trouble of the run: the records are given up, and only a connection that stays open is an error.
func (p *asyncProducer) Close(ctx context.Context) error {
	if !p.pending.close() {
		return nil
	}
	close(p.closing)
	p.pending.sending.Wait() // or Sarama would close its input under a Send, which panics
	_ = p.pending.wait(ctx)
	p.async.AsyncClose()
	select {
	case <-p.drained:
	case <-ctx.Done():
	}
	// A closed client finds no broker any more, so that Sarama returns what it still has, if it returns anything.
	p.hurry.Store(true)
	disconnected := make(chan struct{})
	go func() {
		p.closeClient()
		close(disconnected)
	}()
	err := p.letGo(disconnected)
	p.giveUp(fmt.Errorf("closed without an outcome: %w", context.Cause(ctx)))
	return err
}

// letGo waits until Sarama has returned everything and closed its connections, but no longer than grace.
func (p *asyncProducer) letGo(disconnected <-chan struct{}) error {
	drained, late := p.drained, time.After(grace)
	for drained != nil || disconnected != nil {
		select {
		case <-drained:
			drained = nil
		case <-disconnected:
			disconnected = nil
		case <-late:
			if disconnected != nil {
				return errors.New("sarama still waits for a broker that does not answer")
			}
			return nil
		}
	}
	return nil
}

// giveUp settles what Sarama has not returned. Sarama may still hold these records, so nothing is read from its messages.
func (p *asyncProducer) giveUp(reason error) {
	for _, record := range p.pending.takeAll() {
		p.outcome(producer.Outcome{
			Record: record, State: producer.Unknown, Partition: -1, Offset: producer.OffsetUnset, Err: reason,
		})
		p.pending.done()
	}
	// Outcomes that drain is handing over at this moment take only as long as the callback.
	_ = p.pending.wait(context.Background())
}

// Stats counts attempts by the pauses that Sarama makes before them, and what has no outcome. Batches and connections of
// this version are not counted.
func (p *asyncProducer) Stats() producer.Stats {
	return producer.Stats{Retries: p.retries.Load(), RetriesKnown: true, Queued: p.pending.count()}
}
