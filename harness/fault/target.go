package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// Target is what a fault hits: brokers, or partitions of the run's topics. Which of them a kind can hit, says the table of
// kinds. The zero value is no target.
type Target struct {
	Broker     int    // counted from 1; 0: none by its number
	Controller bool   // the active controller as it is when the fault begins
	Leader     bool   // the leader of Topic/Partition as it is when the fault begins
	Topic      string // of a partition, or all of it when Whole
	Partition  int32
	Whole      bool
	All        bool // every broker, or every partition of every topic
}

// Form is how a target is written.
type Form string

// The forms of target.
const (
	OneBroker     Form = "broker N"
	OneLeader     Form = "leader of TOPIC/PARTITION"
	OneController Form = "controller"
	OnePartition  Form = "TOPIC/PARTITION"
	OneTopic      Form = "TOPIC"
	Everything    Form = "all"
)

// Form is the form that the target has; empty: it is no target.
func (t Target) Form() Form {
	switch {
	case t.All:
		return Everything
	case t.Controller:
		return OneController
	case t.Leader:
		return OneLeader
	case t.Broker > 0:
		return OneBroker
	case t.Whole:
		return OneTopic
	case t.Topic != "":
		return OnePartition
	default:
		return ""
	}
}

// String writes the target as a scenario does.
func (t Target) String() string {
	switch t.Form() {
	case OneLeader:
		return fmt.Sprintf("leader of %s/%d", t.Topic, t.Partition)
	case OneBroker:
		return fmt.Sprintf("broker %d", t.Broker)
	case OneTopic:
		return t.Topic
	case OnePartition:
		return fmt.Sprintf("%s/%d", t.Topic, t.Partition)
	case "":
		return "nothing"
	default:
		return string(t.Form())
	}
}

// UnmarshalText reads a target in any of the forms. A topic called all or controller has no form of its own.
func (t *Target) UnmarshalText(text []byte) error {
	parsed := parseTarget(string(text))
	if parsed == (Target{}) || parsed.String() != string(text) { // there is one spelling of each target
		return fmt.Errorf(`want "broker 2", "leader of device-data/0", "controller", "device-data/0", "device-data" or "all", got %q`, text)
	}
	*t = parsed
	return nil
}

func parseTarget(text string) Target {
	switch text {
	case string(Everything):
		return Target{All: true}
	case string(OneController):
		return Target{Controller: true}
	}
	if digits, found := strings.CutPrefix(text, "broker "); found {
		n, err := strconv.Atoi(digits)
		if err == nil && n >= 1 {
			return Target{Broker: n}
		}
	}
	place, leader := strings.CutPrefix(text, "leader of ")
	topic, digits, partition := strings.Cut(place, "/")
	if !broker.LegalTopicName(topic) {
		return Target{}
	}
	if !partition && !leader {
		return Target{Topic: topic, Whole: true}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 {
		return Target{}
	}
	return Target{Leader: leader, Topic: topic, Partition: int32(n)}
}

// validate finds the target among what the kind can hit and what there will be. An empty Problem says that it is there.
func (t Target) validate(row Row, world World) Problem {
	problem := func(remedy, problem string, arguments ...any) Problem {
		return Problem{Field: "target", Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy}
	}
	switch form := t.Form(); {
	case form == "":
		return problem("it takes "+join(row.Targets), "is missing")
	case !slices.Contains(row.Targets, form):
		return problem("it takes "+join(row.Targets), "%s cannot hit %q", row.Kind, t)
	case form == OneController && world.Broker != broker.Docker:
		return problem("brokers that have: docker", "%s brokers have no controller of their own", world.Broker)
	case t.Broker > world.Brokers:
		return problem(fmt.Sprintf("between 1 and %d", world.Brokers), "no broker %d, there are %d", t.Broker, world.Brokers)
	case t.Topic == "":
		return Problem{}
	}
	topic, found := world.topic(t.Topic)
	if !found {
		return unknown("target", "topic", t.Topic, world.topicNames())
	}
	if int(t.Partition) >= topic.Partitions {
		return problem(fmt.Sprintf("between 0 and %d", topic.Partitions-1), "%s has no partition %d, it has %d", topic.Name, t.Partition, topic.Partitions)
	}
	return Problem{}
}
