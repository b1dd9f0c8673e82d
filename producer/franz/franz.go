// Package franz puts franz-go's producer (kgo) under test. It is the only package that produces with franz-go; the
// harness itself only reads with it.
//
// It takes a producer.Config and gives a producer.Producer. It knows nothing of devices, scenarios, faults or verdicts, and
// it adds nothing to what franz-go does by itself: no retry, no buffer, no limit.
//
//	Send ──▶ in flight ──▶ Produce ──▶ franz-go ──▶ brokers
//	             │                        │
//	outcome ◀─ settle ◀────────────── promise
//
// Where franz-go is not as its callers may expect:
//
//   - The context given to Produce does not only end the wait for room: it cancels the record later on too, with every
//     other record of its partition. message.go is a context that lets go of a record once it is accepted.
//   - A promise does not say whether the record ever left the client: outcome.go decides between failed and unknown.
//   - Idempotent, it has five requests in flight on a connection, whatever is asked, and never gives up on a batch that it
//     is not sure of, whatever retry.max says. config.go refuses what cannot be followed.
//   - With acks=none it counts offsets from zero in every batch.
package franz

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

// Name is the client's name in reports.
const Name = "franz"

// Version is the version of franz-go that this program was built with, such as v1.22.2, or "unknown" where nothing
// tells.
func Version() string { return producer.ModuleVersion("github.com/twmb/franz-go") }

// grace is how long Close waits after the end of its ctx for franz-go to let go, which takes milliseconds.
const grace = time.Second

type asyncProducer struct {
	client   *kgo.Client
	inFlight *inflight.Set
	trouble  trouble
	largest  int // bytes of a record that certainly does not fit into a batch
	unacked  bool
}

// Kind is franz-go, to be put under test.
func Kind() producer.Kind {
	return producer.Kind{Name: Name, Version: Version(), New: New}
}

// New connects franz-go's producer. It is a producer.New.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	p := &asyncProducer{inFlight: inflight.New(outcome), unacked: config.Acks == producer.AcksNone}
	options, err := p.options(config)
	if err == nil {
		p.client, err = kgo.NewClient(options...) // does not connect
	}
	if err != nil {
		return nil, fmt.Errorf("configure franz-go: %w", err)
	}
	if err := p.connect(ctx, config); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(config.Bootstrap, ", "), err)
	}
	p.trouble.forget()
	return p, nil
}

// connect waits for the first answer of the cluster and, for an idempotent producer, for its identity. While franz-go
// greets a broker that does not answer, it does not look at ctx, and has to be cut off by closing it.
func (p *asyncProducer) connect(ctx context.Context, config producer.Config) error {
	attempt := make(chan error, 1)
	go func() { attempt <- p.start(ctx, config) }()
	var err error
	select {
	case err = <-attempt:
	case <-ctx.Done():
		select {
		case err = <-attempt:
		case <-time.After(grace):
			err = errors.New("no answer in time")
		}
	}
	if err == nil {
		return nil
	}
	go p.client.Close()
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

func (p *asyncProducer) start(ctx context.Context, config producer.Config) error {
	for {
		err := p.client.Ping(ctx)
		if err == nil && config.Idempotent {
			_, _, err = p.client.ProducerID(ctx)
		}
		if err == nil {
			return nil
		}
		select {
		case <-time.After(config.Retry.Backoff):
		case <-ctx.Done():
			return err
		}
	}
}

func (p *asyncProducer) Send(ctx context.Context, record *producer.Record) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send record: %w", context.Cause(ctx))
	}
	m := newMessage(ctx, p.inFlight.Closing(), record)
	if !p.inFlight.Enter(&m.entry) {
		return producer.ErrClosed
	}
	defer p.inFlight.Left()
	p.client.Produce(m, &m.record, p.settle)
	return m.handedOver()
}

// settle is the promise of every record.
func (p *asyncProducer) settle(r *kgo.Record, err error) {
	m := r.Context.(*message)
	if back := (*givenBack)(nil); errors.As(err, &back) && back.message == m {
		p.inFlight.Refused(&m.entry)
		m.giveBack(back.cause)
		return
	}
	m.accept()
	o := producer.Outcome{State: producer.Acked, Partition: r.Partition, Offset: r.Offset, Err: err}
	switch {
	case err != nil:
		o.State, o.Offset = p.trouble.state(err, m.size() > p.largest), producer.OffsetUnset
	case p.unacked || r.Offset < 0:
		o.Offset = producer.OffsetUnset
	}
	p.inFlight.Settle(&m.entry, o)
}

func (p *asyncProducer) Flush(ctx context.Context) error { return p.inFlight.Flush(ctx) }

// Close drains before it closes: franz-go fails at once what it still has when it is closed, although it may be in the log.
func (p *asyncProducer) Close(ctx context.Context) error {
	if !p.inFlight.Close() {
		return nil
	}
	_ = p.inFlight.Flush(ctx) // what is left is given up below
	released := make(chan struct{})
	go func() {
		p.client.Close() // fails what it still has
		close(released)
	}()
	var err error
	select {
	case <-released:
		waiting, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		_ = p.inFlight.Flush(waiting) // promises follow from a goroutine of their own
	case <-time.After(grace):
		err = errors.New("franz-go is still closing")
	}
	p.inFlight.GiveUp(fmt.Errorf("closed without an outcome: %w", context.Cause(ctx)))
	return err
}

// Stats counts the batches that franz-go reports as stored, since it reports no others, and as retries the requests it lost
// and the pauses it made before further attempts. There are attempts that it makes after new metadata only, without telling
// anybody, so that nobody knows them all.
func (p *asyncProducer) Stats() producer.Stats {
	return producer.Stats{
		Batches:     p.trouble.batches.Load(),
		Retries:     p.trouble.retries.Load(),
		Connections: p.trouble.connections.Load(),
		Queued:      p.inFlight.Count(),
	}
}
