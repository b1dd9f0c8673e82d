package sarama147

import (
	"context"
	"sync"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// pending holds the records that have no outcome yet, by the message that Sarama has for each. The zero value is empty and
// open.
type pending struct {
	sending sync.WaitGroup // Sends between add and sent; only added to while open

	mu      sync.Mutex
	records map[*sarama.ProducerMessage]*producer.Record
	open    int64 // records without an outcome, and those whose outcome is being handed over
	closed  bool
	idle    chan struct{} // closed when open reaches zero; nil while nobody waits
}

// add takes a record in and says whether it could: not after close. Whoever adds must leave by sent.
func (p *pending) add(m *sarama.ProducerMessage, record *producer.Record) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if p.records == nil {
		p.records = make(map[*sarama.ProducerMessage]*producer.Record)
	}
	p.sending.Add(1)
	p.records[m] = record
	p.open++
	return true
}

// sent says that Send has left.
func (p *pending) sent() { p.sending.Done() }

// take claims the one outcome of a message's record. It is nil when that was claimed before, and for a message that was
// never added. Whoever claims one must call done when the outcome is delivered.
func (p *pending) take(m *sarama.ProducerMessage) *producer.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	record := p.records[m]
	delete(p.records, m)
	return record
}

// takeAll claims what is left.
func (p *pending) takeAll() map[*sarama.ProducerMessage]*producer.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := p.records
	p.records = nil
	return rest
}

// done counts a claimed record out.
func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	if p.open == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

func (p *pending) count() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// wait returns when nothing is pending, or with what ended ctx.
func (p *pending) wait(ctx context.Context) error {
	p.mu.Lock()
	if p.open == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close lets nothing in any more and says whether it was the first to do so.
func (p *pending) close() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.closed
	p.closed = true
	return first
}
