package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrorAnswer says which requests a broker answers with an error of the protocol.
type ErrorAnswer struct {
	API    string      // the protocol's name of the request: one of APINames
	Error  string      // the protocol's name of the error: one of ErrorNames
	Nodes  []int       // the brokers that answer so
	Strike func() bool // whether to answer the present request so; nil: every one. It must not block or call the cluster
}

// Answering is an ErrorAnswer in effect.
type Answering struct{ handle *kfake.FaultHandle }

// Answer makes brokers answer requests with an error until Remove. The request is rejected before the broker acts on
// it, except with REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND: a record answered so is in the log. Produce
// with acks=0 has no answer, but is rejected all the same.
func (c *Cluster) Answer(answer ErrorAnswer) (*Answering, error) {
	e, found := c.kafka.(*embedded)
	if !found {
		return nil, errors.New("answer with an error: only an embedded broker can")
	}
	key, found := apiKey(answer.API)
	if !found {
		return nil, fmt.Errorf("answer with an error: unknown request %q, known: %s", answer.API, strings.Join(APINames(), ", "))
	}
	code, found := errorNamed(answer.Error)
	if !found {
		return nil, fmt.Errorf("answer with an error: unknown error %q", answer.Error)
	}
	if len(answer.Nodes) == 0 {
		return nil, fmt.Errorf("answer with an error: no broker is named")
	}
	nodes := make([]int32, 0, len(answer.Nodes))
	for _, node := range answer.Nodes {
		if node < 0 || node >= len(c.nodes) {
			return nil, fmt.Errorf("answer with an error: no broker %d, there are %d", node+1, len(c.nodes))
		}
		nodes = append(nodes, c.nodes[node].ID)
	}
	return &Answering{e.kfake.Fault(kfake.Fault{
		Keys:  []kmsg.Key{key},
		Nodes: nodes,
		Err:   code,
		Count: -1,
		When:  oncePerRequest(answer.Strike),
	})}, nil
}

// Hits is how many requests were answered with the error.
func (a *Answering) Hits() int64 { return int64(a.handle.Hits()) }

// Remove ends it. It may be called again.
func (a *Answering) Remove() { a.handle.Remove() }

// oncePerRequest asks strike once for each request. kfake asks for every partition of a request in turn, on one
// goroutine, and a request is to be struck as a whole.
func oncePerRequest(strike func() bool) func(kmsg.Request) bool {
	if strike == nil {
		return nil
	}
	var last kmsg.Request
	var struck bool
	return func(request kmsg.Request) bool {
		if request != last {
			last, struck = request, strike()
		}
		return struck
	}
}

// APINames are the requests that can be answered with an error: those that only a producer sends. Any other would hurt
// the client that reads back, and count it as hit.
func APINames() []string { return []string{"InitProducerId", "Produce"} }

func apiKey(name string) (kmsg.Key, bool) {
	switch name {
	case "InitProducerId":
		return kmsg.InitProducerID, true
	case "Produce":
		return kmsg.Produce, true
	}
	return 0, false
}

// notLeader is what Kafka calls error 6 since version 2.6; franz-go still has its older name.
const notLeader = "NOT_LEADER_OR_FOLLOWER"

// ErrorNames are the protocol's errors by name, sorted.
func ErrorNames() []string {
	names := []string{notLeader}
	eachError(func(code *kerr.Error) { names = append(names, code.Message) })
	slices.Sort(names)
	return names
}

func errorNamed(name string) (found *kerr.Error, ok bool) {
	if name == notLeader {
		return kerr.NotLeaderForPartition, true
	}
	eachError(func(code *kerr.Error) {
		if code.Message == name {
			found = code
		}
	})
	return found, found != nil
}

// eachError walks through the protocol's error codes, which begin at -1 for an unknown error, leave out 0 for none and
// are dense from 1.
func eachError(visit func(*kerr.Error)) {
	visit(kerr.UnknownServerError)
	for code := int16(1); ; code++ {
		known := kerr.TypedErrorForCode(code)
		if known == kerr.UnknownServerError {
			return
		}
		visit(known)
	}
}
