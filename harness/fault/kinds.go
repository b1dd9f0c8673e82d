package fault

import (
	"slices"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// Kind names what a fault does.
type Kind string

// The kinds of fault.
const (
	Latency        Kind = "latency"         // the link: responses come later
	Cut            Kind = "cut"             // the link: connections are closed and refused
	LoseAck        Kind = "lose_ack"        // the link: a produce request is delivered, its response is not, and the connection breaks
	Error          Kind = "error"           // embedded: the broker answers with an error code
	Crash          Kind = "crash"           // embedded: connections are reset and refused, the log survives
	Kill           Kind = "kill"            // docker: the broker dies at once
	Stop           Kind = "stop"            // docker: the broker hands over and ends
	Restart        Kind = "restart"         // docker: the broker hands over, ends and begins again
	RollingRestart Kind = "rolling_restart" // docker: one broker after the other
	Pause          Kind = "pause"           // docker: the broker freezes
	Isolate        Kind = "isolate"         // docker: nobody reaches the broker
	ElectLeader    Kind = "elect_leader"    // partitions get another leader
	MoveLeader     Kind = "move_leader"     // partitions get a certain leader
	AddPartitions  Kind = "add_partitions"  // a topic gets more partitions
	ShrinkISR      Kind = "shrink_isr"      // a partition has fewer in-sync replicas than a write needs
)

// Known lists the kinds.
func (Kind) Known() []string {
	table := Kinds()
	names := make([]string, len(table))
	for i, row := range table {
		names[i] = string(row.Kind)
	}
	return names
}

// Row is what there is to know about a kind of fault.
type Row struct {
	Kind         Kind
	Doc          string        // what it does and how it is done, in sentences
	Brokers      []broker.Kind // which kinds of broker can do it
	Targets      []Form        // what it can hit
	Link         bool          // it needs the link between clients and brokers
	MovesLeaders bool          // it can make partitions change their leader
	Parameters   []Parameter   // the fields it takes beside name, at, do, target, repeat and for, which is here where it may be left out; it refuses every other
	Proof        string        // what its hits are: connections closed or refused, …
	Healed       string        // how its healing is proven

	once   bool // what it does is there to stay: it cannot be repeated
	severs bool // clients get no answer from its targets
	downs  bool // its targets take no part in the cluster
	inTurn bool // its targets are hit one after the other, each with a deadline of its own
	joins  bool // it is healed when brokers take part in the cluster again, which others that do not may prevent
}

// Parameter is a field of a fault that its kind takes.
type Parameter struct {
	Name string // as in YAML
	Need Need
	Doc  string
}

// Need says whether a fault can do without a parameter.
type Need string

// The needs.
const (
	Required Need = "required"
	Optional Need = "optional"
	AnyOf    Need = "any of" // at least one of those with this need
)

// Row finds the kind in the table; false: there is no such kind.
func (k Kind) Row() (Row, bool) {
	table := Kinds()
	i := slices.IndexFunc(table, func(row Row) bool { return row.Kind == k })
	if i < 0 {
		return Row{}, false
	}
	return table[i], true
}

// Repeats says whether the kind can be repeated: whether its healing takes back what it did.
func (row Row) Repeats() bool { return !row.once }

// takes says whether the kind takes a parameter.
func (row Row) takes(name string) bool {
	return slices.ContainsFunc(row.Parameters, func(parameter Parameter) bool { return parameter.Name == name })
}

// NeedsLink says whether any of the faults needs the link between clients and brokers.
func NeedsLink(specs []Spec) bool {
	return some(specs, func(row Row) bool { return row.Link })
}

// MovesLeaders says whether any of the faults can make a partition change its leader.
func MovesLeaders(specs []Spec) bool {
	return some(specs, func(row Row) bool { return row.MovesLeaders })
}

// GrowsPartitions says whether any of the faults gives a topic more partitions, which clients have to find out.
func GrowsPartitions(specs []Spec) bool {
	return some(specs, func(row Row) bool { return row.Kind == AddPartitions })
}

// Isolates says whether any of the faults cuts a broker off from its network.
func Isolates(specs []Spec) bool {
	return some(specs, func(row Row) bool { return row.Kind == Isolate })
}

func some(specs []Spec, is func(Row) bool) bool {
	return slices.ContainsFunc(specs, func(spec Spec) bool {
		row, _ := spec.Do.Row()
		return is(row)
	})
}
