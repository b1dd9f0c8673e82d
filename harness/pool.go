package harness

import (
	"sync"

	"github.com/fleetproof/fleetproof/producer"
)

const (
	poolChunk = 128 // records whose memory is allocated at once
	poolValue = 256 // bytes of payload each has room for from the beginning; a longer one gets room of its own, and keeps it

	// poolRest is how many other records must be given back before a record is used again. It is what a client needs that
	// breaks its contract by giving a record a second outcome right after the first: the record still says which it is.
	poolRest = 256

	// poolMost bounds what is kept after an outage, when everything that waited comes back at once.
	poolMost = 1 << 14
)

// pool hands out records with room for their payload and their header, and takes them back when they have had their
// outcome. At full speed a record would otherwise be half a kilobyte of garbage, and, what costs more, of memory that no
// cache has seen; so the same few thousand go round.
//
//	take ◀── ready ◀── rested ◀── resting ◀── give
//
// One goroutine takes, any may give.
type pool struct {
	ready []*producer.Record // to be taken

	mutex   sync.Mutex
	rested  []*producer.Record // at least poolRest others were given back after these
	resting []*producer.Record
}

// take returns a record whose value and whose header's value are empty, with room to append to.
func (p *pool) take() *producer.Record {
	if len(p.ready) == 0 {
		p.turn()
	}
	last := len(p.ready) - 1
	record := p.ready[last]
	p.ready = p.ready[:last]
	return record
}

// turn makes records ready: those that have rested, or new ones.
func (p *pool) turn() {
	p.mutex.Lock()
	if len(p.resting) >= poolRest {
		p.ready, p.rested, p.resting = p.rested, p.resting, p.ready
	}
	p.mutex.Unlock()
	if len(p.ready) > 0 {
		return
	}
	records := make([]producer.Record, poolChunk)
	headers := make([]producer.Header, poolChunk)
	bytes := make([]byte, poolChunk*(poolValue+identityRoom))
	for i := range records {
		value, header := bytes[:0:poolValue], bytes[poolValue:poolValue:poolValue+identityRoom]
		bytes = bytes[poolValue+identityRoom:]
		headers[i] = producer.Header{Key: identityHeader, Value: header}
		records[i] = producer.Record{Value: value, Headers: headers[i : i+1 : i+1]}
		p.ready = append(p.ready, &records[i])
	}
}

// give takes a record back. Nobody may use it, nor what is in it, from then on. One whose headers a client has changed,
// which it may not, is left to the garbage collector.
func (p *pool) give(record *producer.Record) {
	if len(record.Headers) != 1 {
		return
	}
	record.Value = record.Value[:0]
	record.Headers[0].Value = record.Headers[0].Value[:0]
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.resting) < poolMost {
		p.resting = append(p.resting, record)
	}
}
