package fault

import (
	"slices"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// Kind names what a fault does.
type Kind string

// The kinds of fault.
const (
	Latency Kind = "latency"  // the link: responses come later
	Cut     Kind = "cut"      // the link: connections are closed and refused
	LoseAck Kind = "lose_ack" // the link: a produce request is delivered, its response is not, and the connection breaks
	Error   Kind = "error"    // embedded: the broker answers with an error code
	Crash   Kind = "crash"    // embedded: connections are reset and refused, the log survives
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
	Link         bool          // it needs the link between clients and brokers
	MovesLeaders bool          // it can make partitions change their leader
	Parameters   []Parameter   // the fields it takes beside name, at, for, do and target; it refuses every other
	Proof        string        // what its hits are: connections closed or refused, …
	Healed       string        // how its healing is proven

	severs bool // no connection to its targets survives it, or begins
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

// Kinds is the table of kinds, in the order in which they are shown. A new kind is a row here and a case of newEffect.
func Kinds() []Row {
	return []Row{
		{
			Kind: Latency,
			Doc: "The link holds every response of the targets back before the client gets it. Requests are not delayed, order " +
				"is kept and throughput is not limited: many responses can be on their way at once. Latencies that overlap add up.",
			Brokers: []broker.Kind{broker.Embedded},
			Link:    true,
			Parameters: []Parameter{
				{"latency", Required, "how much later every response arrives"},
				{"jitter", Optional, "up to this much more or less, drawn for each response; a response that overtakes waits for the one before it"},
			},
			Proof:  "responses delayed",
			Healed: "a request through the link is answered faster than the latency",
		},
		{
			Kind: Cut,
			Doc: "The link closes every connection to the targets and resets new ones at once. The link keeps its port, so that " +
				"a client sees a reset where a closed port would have refused it.",
			Brokers: []broker.Kind{broker.Embedded},
			Link:    true,
			Proof:   "connections closed or refused",
			Healed:  "a new connection through the link is answered",
			severs:  true,
		},
		{
			Kind: LoseAck,
			Doc: "The link delivers a Produce request of which the response never arrives: the record is in the log, and the " +
				"client cannot know. TCP loses a response only together with its connection, which therefore breaks. With " +
				"acks=0 there are no responses to lose.",
			Brokers: []broker.Kind{broker.Embedded},
			Link:    true,
			Parameters: []Parameter{
				{"rate", AnyOf, "how many responses are lost, over all targets together: 3/s, 30/min, or a share such as 1%; without it, every one"},
				{"count", AnyOf, "at most so many"},
			},
			Proof:  "produce responses swallowed",
			Healed: "a new connection through the link is answered",
		},
		{
			Kind: Error,
			Doc: "The targets answer requests with an error of the protocol and do not act on them, except with " +
				"REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND: a record that is answered so is in the log.",
			Brokers: []broker.Kind{broker.Embedded},
			Parameters: []Parameter{
				{"error", Required, "the protocol's name of the error, such as NOT_LEADER_OR_FOLLOWER"},
				{"api", Required, "the protocol's name of the request: Produce or InitProducerId"},
				{"rate", Optional, "how many requests are answered so, over all targets together: 3/s, 30/min, or a share such as 1%; without it, every one"},
				{"count", Optional, "at most so many"},
			},
			Proof:  "requests answered with the error",
			Healed: "the brokers have dropped the rule, and answer",
		},
		{
			Kind: Crash,
			Doc: "The targets reset every connection and new ones at once, keep their log and come back with it. They stay the " +
				"leaders of their partitions, and keep their ports: a client sees a reset where a closed port would have refused it.",
			Brokers: []broker.Kind{broker.Embedded},
			Proof:   "connections reset or refused",
			Healed:  "a new connection is answered",
			severs:  true,
		},
	}
}

// Row finds the kind in the table; false: there is no such kind.
func (k Kind) Row() (Row, bool) {
	table := Kinds()
	i := slices.IndexFunc(table, func(row Row) bool { return row.Kind == k })
	if i < 0 {
		return Row{}, false
	}
	return table[i], true
}

// NeedsLink says whether any of the faults needs the link between clients and brokers.
func NeedsLink(specs []Spec) bool {
	return slices.ContainsFunc(specs, func(spec Spec) bool {
		row, _ := spec.Do.Row()
		return row.Link
	})
}

// MovesLeaders says whether any of the faults can make a partition change its leader.
func MovesLeaders(specs []Spec) bool {
	return slices.ContainsFunc(specs, func(spec Spec) bool {
		row, _ := spec.Do.Row()
		return row.MovesLeaders
	})
}
