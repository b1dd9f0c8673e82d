// Package sarama puts Sarama's asynchronous producer under test. It is the only package that imports Sarama.
//
// It takes a producer.Config and gives a producer.Producer. It knows nothing of devices, scenarios, faults or verdicts, and
// it adds nothing to what Sarama does by itself: no retry, no buffer, no limit.
//
//	Send ──▶ in flight ──▶ Input ──▶ Sarama ──▶ brokers
//	             │                      │
//	outcome ◀─ settle ◀── Successes, Errors
//
// What makes it more than a thin layer is that every record must get exactly one outcome, a true one, also when the
// brokers are gone for good:
//
//   - config.go holds the settings and the traps behind them;
//   - message.go makes a record what Sarama takes, in memory that is used again, and package inflight knows every one
//     that has no outcome yet, so that Close can give up on what Sarama does not return;
//   - outcome.go decides between failed and unknown: an error proves absence only if no earlier attempt can have been
//     stored, which takes a look at whether Sarama has been in trouble before;
//   - metrics.go counts batches and connections where Sarama counts them;
//   - partitioner.go names the partitioners: Sarama's own, and one that avoids partitions without a leader.
package sarama

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// Name is the client's name in reports.
const Name = "sarama"

// Version is the version of Sarama that this program was built with, such as v1.61.1, or "unknown" where nothing
// tells.
func Version() string { return producer.ModuleVersion("github.com/IBM/sarama") }

// grace is how long New and Close wait after the end of their ctx for Sarama to let go. A torn down Sarama needs
// milliseconds, unless a broker hangs: then it holds a lock for as long as its own timeouts allow.
const grace = time.Second

type asyncProducer struct {
	pending  *inflight.Set
	messages messages
	trouble  trouble
	metrics  *registry

	client      sarama.Client
	closeClient func() // closes client once; Sarama panics when that happens twice at the same time
	async       sarama.AsyncProducer
	input       chan<- *sarama.ProducerMessage

	drained chan struct{} // closed when Sarama has closed both of its channels
}

// Kind is Sarama, to be put under test.
func Kind() producer.Kind {
	return producer.Kind{Name: Name, Version: Version(), New: New}
}

// New connects Sarama's asynchronous producer. It is a producer.New.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	p := &asyncProducer{pending: inflight.New(outcome), drained: make(chan struct{})}
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
	p.input = p.async.Input()
	p.trouble.forget()
	go p.drain()
	return p, nil
}

// connect waits for the first answer of the cluster and, for an idempotent producer, for its identity.
//
// Sarama knows no context. Without pauses its attempts are soon over where connections are refused, and then it can say
// why; where nothing answers at all it has to be cut off by closing its client, after the dial that it is in.
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
	p.trouble.hurry.Store(true)
	select {
	case err := <-attempt:
		go p.discard(err)
		if err != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	case <-time.After(grace):
		go func() {
			p.closeClient()
			p.discard(<-attempt)
		}()
	}
	return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
}

// discard releases what start has left behind.
func (p *asyncProducer) discard(err error) {
	if err == nil {
		p.async.AsyncClose()
		p.drain()
	}
	p.closeClient()
}

func (p *asyncProducer) start() error {
	err := p.client.RefreshMetadata()
	// Partitions without a leader and topics that are not ours to see are no reason not to begin; Sarama's own
	// constructor lets them pass too.
	if err != nil && !errors.Is(err, sarama.ErrLeaderNotAvailable) && !errors.Is(err, sarama.ErrReplicaNotAvailable) &&
		!errors.Is(err, sarama.ErrTopicAuthorizationFailed) && !errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
		return err
	}
	p.async, err = sarama.NewAsyncProducerFromClient(p.client)
	return err
}

func (p *asyncProducer) Send(ctx context.Context, record *producer.Record) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	}
	m := p.messages.take()
	m.fill(record)
	if !p.pending.Enter(&m.Entry) {
		return producer.ErrClosed
	}
	defer p.pending.Left()
	select { // with one channel it costs a fraction of what it costs with three, and there is nearly always room
	case p.input <- &m.ProducerMessage:
		return nil
	default:
	}
	select {
	case p.input <- &m.ProducerMessage:
		return nil
	case <-ctx.Done():
		p.refuse(m)
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	case <-p.pending.Closing():
		p.refuse(m)
		return producer.ErrClosed
	}
}

// refuse takes back a record that Sarama never got.
func (p *asyncProducer) refuse(m *message) {
	if p.pending.Refused(&m.Entry) {
		p.messages.give(m)
	}
}

// drain reads what Sarama returns until it has closed both channels. They are read side by side: Sarama writes to them
// from the same goroutines and stands still as soon as one of the two is full.
func (p *asyncProducer) drain() {
	var channels sync.WaitGroup
	channels.Go(func() {
		for m := range p.async.Successes() {
			if p.settle(m, producer.Acked, nil) {
				p.messages.give(m.Metadata.(*message))
			}
		}
	})
	channels.Go(func() {
		for e := range p.async.Errors() {
			p.settle(e.Msg, p.trouble.state(e.Err), e.Err)
		}
	})
	channels.Wait()
	close(p.drained)
}

// settle hands a record's outcome over. It is false where the record had one, mostly since Close has given up on it before.
func (p *asyncProducer) settle(returned *sarama.ProducerMessage, state producer.State, err error) bool {
	m := returned.Metadata.(*message)
	return p.pending.Settle(&m.Entry, producer.Outcome{State: state, Partition: m.Partition, Offset: m.Offset, Err: err})
}

func (p *asyncProducer) Flush(ctx context.Context) error { return p.pending.Flush(ctx) }

// Close drains before it closes: as soon as Sarama is told to close, it fails every batch that waits for another attempt,
// although the batch may be in the log.
func (p *asyncProducer) Close(ctx context.Context) error {
	if !p.pending.Close() { // which waits for every Send, or Sarama would close its input under one, which panics
		return nil
	}
	err := p.pending.Flush(ctx)
	p.async.AsyncClose()
	released := make(chan struct{})
	go func() {
		<-p.drained
		p.closeClient()
		close(released)
	}()
	if err == nil {
		select {
		case <-released:
			return nil
		case <-ctx.Done():
		}
	}
	// A closed client finds no broker and no leader any more, so that Sarama returns record after record.
	p.trouble.hurry.Store(true)
	go p.closeClient()
	err = nil
	select {
	case <-released:
	case <-time.After(grace):
		err = errors.New("sarama still waits for a broker that does not answer")
	}
	p.pending.GiveUp(fmt.Errorf("closed without an outcome: %w", context.Cause(ctx)))
	return err
}

// Stats takes batches and connections from Sarama's metrics, retries from the pauses that Sarama makes before them, one for
// a batch or for what waits for a partition, and counts by itself what has no outcome, what Send is handing over included.
func (p *asyncProducer) Stats() producer.Stats {
	return producer.Stats{
		Batches:     p.metrics.batches(),
		Retries:     p.trouble.retries.Load(),
		Connections: p.metrics.connections.Load(),
		Queued:      p.pending.Count(),

		RetriesKnown: true,
	}
}
