package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// healing is how long the guard reckons that a broker needs, once it may, until it takes part in the cluster again. A
// machine that is busy needs longer; then the next fault begins later than planned: a run does not rely on the reckoning.
const healing = 10 * time.Second

// Conflict is a mistake in how faults come together. It is laid at the door of the one that begins last.
type Conflict struct {
	Fault int // its place among the faults
	Problem
}

// Conflicts finds what is wrong with faults together, of which Validate has found each by itself good, in the order of
// the scenario: more repetitions than can be told apart, brokers that are hurt twice at the same time, partitions that
// would become fewer, and, which is the quorum guard, moments at which fewer replicas may be left than
// min.insync.replicas, or fewer controllers than it takes to decide anything. A fault that says allow_loss may do the
// latter.
//
// Whoever is the leader of a partition or the controller may be any broker. shrink_isr by itself does what it is for: it
// lets nothing be acknowledged that could be lost.
func Conflicts(specs []Spec, world World) []Conflict {
	var conflicts []Conflict
	add := func(fault int, field, problem, remedy string) {
		if slices.ContainsFunc(conflicts, func(c Conflict) bool { return c.Fault == fault && c.Field == field }) {
			return // and so it is each time that the fault is repeated
		}
		conflicts = append(conflicts, Conflict{fault, Problem{Field: field, Problem: problem, Remedy: remedy}})
	}
	if i, many := tooMany(specs, world); many {
		add(i, "repeat", fmt.Sprintf("faults that are repeated may come %d times in all, and with this one they come more often", MaxRepetitions),
			"let it come less often")
		return conflicts
	}
	partitions := map[string]int{}
	var outages []outage // that have begun
	for _, spec := range occurrences(specs, world) {
		if spec.Do == AddPartitions && spec.To != nil {
			if *spec.To <= partitions[spec.Target.Topic] {
				add(spec.fault, "to", fmt.Sprintf("%s has %d partitions by then, got %d", spec.Target.Topic, partitions[spec.Target.Topic], *spec.To), "more than the topic has")
			}
			partitions[spec.Target.Topic] = *spec.To
		}
		now, downs := spec.planned(world)
		if !downs {
			continue
		}
		other, node := hurtBy(outages, now)
		outages = append(outages, now)
		if other != nil {
			add(spec.fault, "target", fmt.Sprintf("broker %d is hurt by fault %s at the same time", node+1, other.name), "begin after it, or hit another broker")
			continue
		}
		together := during(outages, spec.At)
		if loss := lossOf(together, world); loss != "" && !spec.AllowLoss {
			remedy := "hit fewer brokers"
			if len(together) > 1 {
				remedy = fmt.Sprintf("begin when the others are healed, about %s after their end", healing)
			}
			add(spec.fault, "allow_loss", loss, remedy+", or say allow_loss: true")
		}
	}
	slices.SortStableFunc(conflicts, func(a, b Conflict) int { return cmp.Compare(a.Fault, b.Fault) })
	return conflicts
}

// BreaksQuorum says whether the faults may leave a topic fewer replicas than its promise needs, or the cluster fewer
// controllers than it takes: whether one of them says allow_loss, and has to.
func BreaksQuorum(specs []Spec, world World) bool {
	outages := outagesOf(specs, world)
	for i, o := range outages {
		if lossOf(during(outages[:i+1], o.from), world) != "" {
			return true
		}
	}
	return false
}

// outage is the time during which a fault keeps brokers out of the cluster.
type outage struct {
	name    string
	nodes   []int // the brokers that are known to be meant
	others  int   // how many more there are, nobody knows which
	inTurn  bool  // only one of nodes is meant at a time
	shrinks bool  // it shuts down followers of one partition
	from    time.Duration
	undone  time.Duration // when its brokers may come back
	healed  time.Duration // when they are back, by the guard's reckoning
}

// outagesOf are the outages in the order in which they begin.
func outagesOf(specs []Spec, world World) []outage {
	var outages []outage
	for _, spec := range occurrences(specs, world) {
		if o, downs := spec.planned(world); downs {
			outages = append(outages, o)
		}
	}
	return outages
}

// planned is the outage of a fault as far as it is known before anything starts; false: it takes nobody down.
func (s Spec) planned(world World) (o outage, downs bool) {
	row, _ := s.Do.Row()
	if !row.downs || world.Broker != broker.Docker {
		return outage{}, false
	}
	var nodes []int
	switch s.Target.Form() {
	case Everything:
		for node := range world.Brokers {
			nodes = append(nodes, node)
		}
	case OneBroker:
		nodes = []int{s.Target.Broker - 1}
	}
	return s.outage(nodes, world), true
}

// outage is that of a fault which takes down these brokers, or, when there are none, others.
func (s Spec) outage(nodes []int, world World) outage {
	o := outage{name: s.Name, nodes: nodes, from: s.At, undone: s.At + s.For}
	switch topic, _ := world.topic(s.Target.Topic); {
	case s.Do == ShrinkISR && len(nodes) == 0:
		o.others = topic.ReplicationFactor - topic.MinInsyncReplicas + 1
	case len(nodes) == 0:
		o.others = 1
	}
	switch s.Do {
	case ShrinkISR:
		o.shrinks = true
	case Restart: // which takes its time
		o.undone = max(o.undone, s.At+healing)
	case RollingRestart:
		o.inTurn = true
		o.undone = max(o.undone, s.At+time.Duration(max(1, len(nodes)))*healing)
	}
	o.healed = o.undone + healing
	return o
}

// during are the outages that have begun and are not healed at a moment.
func during(outages []outage, at time.Duration) []outage {
	return slices.DeleteFunc(slices.Clone(outages), func(o outage) bool { return o.from > at || o.healed <= at })
}

// hurtBy finds an earlier outage that is not undone when another begins, and a broker that both mean.
func hurtBy(earlier []outage, now outage) (other *outage, node int) {
	for i, o := range earlier {
		for _, node := range now.nodes {
			if o.undone > now.from && slices.Contains(o.nodes, node) {
				return &earlier[i], node
			}
		}
	}
	return nil, 0
}

// lossOf says what outages at the same time leave too little of; empty: nothing.
func lossOf(outages []outage, world World) string {
	if len(outages) == 1 && outages[0].shrinks {
		return ""
	}
	known := map[int]bool{}
	down := 0
	var names []string
	for _, o := range outages {
		names = append(names, o.name)
		down += o.others
		if o.inTurn && len(o.nodes) > 1 {
			down++
			continue
		}
		for _, node := range o.nodes {
			known[node] = true
		}
	}
	down = min(down+len(known), world.Brokers)
	var left string
	for _, topic := range world.Topics {
		if replicas := max(0, topic.ReplicationFactor-down); replicas < topic.MinInsyncReplicas {
			left = fmt.Sprintf("%s keeps %d of %d replicas and needs %d", topic.Name, replicas, topic.ReplicationFactor, topic.MinInsyncReplicas)
			break
		}
	}
	if needed := world.Brokers/2 + 1; left == "" && world.Brokers-down < needed {
		left = fmt.Sprintf("the cluster keeps %d of %d controllers and needs %d", world.Brokers-down, world.Brokers, needed)
	}
	if left == "" {
		return ""
	}
	return fmt.Sprintf("%d of %d brokers may be down at once (%s): %s", down, world.Brokers, strings.Join(names, ", "), left)
}
