package fault

import (
	"context"

	"github.com/fleetproof/fleetproof/harness/broker"
)

type errorEffect struct {
	targets
	api, err  string
	strike    func() bool       // nil: always
	answering *broker.Answering // nil: not in effect yet
}

func (e *errorEffect) inject(context.Context) (err error) {
	e.answering, err = e.field.Cluster.Answer(broker.ErrorAnswer{
		API: e.api, Error: e.err, Nodes: e.nodes, Strike: e.strike,
	})
	return err
}

func (e *errorEffect) hits() int64 {
	if e.answering == nil {
		return 0
	}
	return e.answering.Hits()
}

func (e *errorEffect) undo(context.Context) error {
	if e.answering != nil {
		e.answering.Remove()
	}
	return nil
}

type crashEffect struct {
	targets
	crashed []int   // of nodes, those that are down now
	before  []int64 // what earlier crashes had hit, in the order of nodes
}

func (e *crashEffect) inject(context.Context) error {
	for _, node := range e.nodes {
		e.before = append(e.before, e.field.Cluster.Refused(node))
		if err := e.field.Cluster.Crash(node); err != nil {
			return err
		}
		e.crashed = append(e.crashed, node)
	}
	return nil
}

func (e *crashEffect) hits() (sum int64) {
	for i, before := range e.before {
		sum += e.field.Cluster.Refused(e.nodes[i]) - before
	}
	return sum
}

func (e *crashEffect) undo(context.Context) error {
	for len(e.crashed) > 0 {
		if err := e.field.Cluster.Restore(e.crashed[0]); err != nil {
			return err
		}
		e.crashed = e.crashed[1:]
	}
	return nil
}
