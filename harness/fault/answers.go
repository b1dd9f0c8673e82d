package fault

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// The two API keys of Kafka's protocol that mean something to a link.
const (
	apiProduce     = 0
	apiApiVersions = 18
)

// answers applies the faults of a link to the responses on one connection.
type answers struct {
	passage *passage
	frames  broker.Frames
	strange bool          // this is not Kafka's protocol: its bytes are passed on without a look inside
	hold    time.Duration // how long the present response is held back
}

// pass hands a chunk of the broker's answers on, in pieces where its responses are held back differently. When it
// returns true a response was swallowed: nothing of the connection may follow what was handed on.
func (a *answers) pass(chunk []byte) (swallowed bool) {
	faults := a.passage.link.faults.Load()
	if a.strange {
		a.passage.line.send(chunk, faults.hold(true))
		return false
	}
	sent := 0
	for at := 0; at < len(chunk); {
		start, end, head, err := a.frames.Next(chunk[at:])
		if err != nil {
			a.strange = true
			break
		}
		if head == nil {
			break
		}
		start, at = at+start, at+end
		key, known := a.passage.asked.answer(binary.BigEndian.Uint32(head))
		if known && key == apiProduce && faults.swallow() {
			a.passage.line.send(chunk[sent:start], a.hold)
			return true
		}
		// What greets a new connection is held back like the rest, but is no operation that a fault could count as hit.
		hold := faults.hold(!known || key != apiApiVersions)
		if hold != a.hold {
			a.passage.line.send(chunk[sent:start], a.hold)
			sent, a.hold = start, hold
		}
	}
	a.passage.line.send(chunk[sent:], a.hold)
	return false
}

// hold is how long the next response is held back, the sum over all delays.
func (f *linkFaults) hold(counts bool) time.Duration {
	var sum time.Duration
	for _, d := range f.delays {
		sum += d.draw()
		if counts {
			d.hits.Add(1)
		}
	}
	return sum
}

// swallow says whether a produce response is lost, to the first loss that strikes.
func (f *linkFaults) swallow() bool {
	for _, l := range f.losses {
		if l.strike() {
			l.hits.Add(1)
			return true
		}
	}
	return false
}

// inFlight are the requests of one connection that have no response yet, in the order in which they were asked and in
// which Kafka answers. It is safe for concurrent use.
type inFlight struct {
	mutex sync.Mutex
	asked []question
}

type question struct {
	key         int16
	correlation uint32
}

// maxInFlight is more than any client has in flight on one connection. What is older has no response: Produce with
// acks=0, of which nobody else would ever say that it is done.
const maxInFlight = 1024

func (f *inFlight) ask(key int16, correlation uint32) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.asked) == maxInFlight {
		f.asked = slices.Delete(f.asked, 0, 1)
	}
	f.asked = append(f.asked, question{key, correlation})
}

// answer finds which request a response belongs to. What was asked before it has no response, or had it.
func (f *inFlight) answer(correlation uint32) (key int16, known bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	i := slices.IndexFunc(f.asked, func(q question) bool { return q.correlation == correlation })
	if i < 0 {
		return 0, false
	}
	key = f.asked[i].key
	f.asked = slices.Delete(f.asked, 0, i+1)
	return key, true
}
