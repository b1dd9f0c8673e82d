package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// World is what a fault can be held against before anything starts.
type World struct {
	Broker  broker.Kind
	Brokers int
	Topics  []broker.Topic
	End     time.Duration // of the load; 0: not known
}

// Problem is one mistake in a fault.
type Problem struct {
	Field   string // as in YAML: do, target, latency, …
	Problem string // what is wrong with it, and what was found
	Remedy  string // what to do about it

	Got   string   // where a word is not one of a closed set: the word,
	Known []string // and the set, for whoever wants to offer the nearest
}

// Validate finds what is wrong with a fault in the given world: all of it, in the order of the fields. Names are not
// looked at; how they are written is the language's business. A fault that has no problem can be played.
func Validate(spec Spec, world World) []Problem {
	row, found := spec.Do.Row()
	if !found {
		return []Problem{unknown("do", "kind of fault", string(spec.Do), Kind("").Known())}
	}
	var problems []Problem
	add := func(field, remedy, problem string, arguments ...any) {
		problems = append(problems, Problem{Field: field, Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy})
	}
	switch {
	case spec.At < 0:
		add("at", "faults begin with the load or later", "must be at least 0s, got %s", spec.At)
	case world.End > 0 && spec.At >= world.End:
		add("at", "begin before that", "is after the end of the load, %s, got %s", world.End, spec.At)
	}
	if spec.For <= 0 {
		add("for", "say how long the fault lasts", "must be above 0s, got %s", spec.For)
	}
	if !slices.Contains(row.Brokers, world.Broker) {
		add("do", "brokers that can: "+join(row.Brokers), "%s brokers cannot do %s", world.Broker, spec.Do)
	}
	if problem := spec.Target.validate(world); problem.Problem != "" {
		problems = append(problems, problem)
	}
	problems = append(problems, row.validateParameters(spec)...)
	return append(problems, validateValues(spec)...)
}

func unknown(field, what, got string, known []string) Problem {
	return Problem{
		Field: field, Problem: fmt.Sprintf("unknown %s %q", what, got),
		Remedy: "known: " + strings.Join(known, ", "), Got: got, Known: known,
	}
}

func join(kinds []broker.Kind) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	return strings.Join(words, ", ")
}

// validate finds the target among the brokers and topics that there will be. An empty Problem says that it is there.
func (t Target) validate(world World) Problem {
	switch {
	case t == Target{}:
		return Problem{Field: "target", Problem: "is missing", Remedy: `say "broker 1", "leader of TOPIC/PARTITION" or "all"`}
	case t.Broker > world.Brokers:
		return Problem{
			Field: "target", Problem: fmt.Sprintf("no broker %d, there are %d", t.Broker, world.Brokers),
			Remedy: fmt.Sprintf("between 1 and %d", world.Brokers),
		}
	case !t.Leader:
		return Problem{}
	}
	names := make([]string, len(world.Topics))
	for i, topic := range world.Topics {
		if names[i] = topic.Name; topic.Name != t.Topic {
			continue
		}
		if int(t.Partition) < topic.Partitions {
			return Problem{}
		}
		return Problem{
			Field: "target", Problem: fmt.Sprintf("%s has no partition %d, it has %d", topic.Name, t.Partition, topic.Partitions),
			Remedy: fmt.Sprintf("between 0 and %d", topic.Partitions-1),
		}
	}
	return unknown("target", "topic", t.Topic, names)
}

// validateParameters holds which parameters the fault has against which its kind takes.
func (row Row) validateParameters(spec Spec) []Problem {
	var problems []Problem
	var anyOf, takes []string
	has := false // one of anyOf
	for _, parameter := range row.Parameters {
		given := spec.gives(parameter.Name)
		takes = append(takes, parameter.Name)
		switch parameter.Need {
		case Required:
			if !given {
				problems = append(problems, Problem{
					Field: parameter.Name, Problem: fmt.Sprintf("is missing: %s needs it", row.Kind), Remedy: "say " + parameter.Doc,
				})
			}
		case AnyOf:
			anyOf = append(anyOf, parameter.Name)
			has = has || given
		case Optional:
		}
	}
	if len(anyOf) > 0 && !has {
		problems = append(problems, Problem{
			Field: anyOf[0], Problem: fmt.Sprintf("is missing: %s needs %s", row.Kind, strings.Join(anyOf, " or ")),
			Remedy: "say how much of it there is",
		})
	}
	for _, name := range []string{"latency", "jitter", "rate", "count", "error", "api"} {
		if !spec.gives(name) || slices.Contains(takes, name) {
			continue
		}
		remedy := "it takes no parameters"
		if len(takes) > 0 {
			remedy = "it takes " + strings.Join(takes, ", ")
		}
		problems = append(problems, Problem{Field: name, Problem: fmt.Sprintf("does not apply to %s", row.Kind), Remedy: remedy})
	}
	return problems
}

// gives says whether the spec has the parameter of this name.
func (s Spec) gives(parameter string) bool {
	switch parameter {
	case "latency":
		return s.Latency != nil
	case "jitter":
		return s.Jitter != nil
	case "rate":
		return s.Rate != nil
	case "count":
		return s.Count != nil
	case "error":
		return s.Error != ""
	default:
		return s.API != ""
	}
}

// validateValues looks at the parameters that the fault has, one by one.
func validateValues(spec Spec) []Problem {
	var problems []Problem
	if spec.Latency != nil && *spec.Latency <= 0 {
		problems = append(problems, Problem{
			Field: "latency", Problem: fmt.Sprintf("must be above 0s, got %s", *spec.Latency), Remedy: "such as 200ms",
		})
	}
	if spec.Jitter != nil && (*spec.Jitter < 0 || spec.Latency != nil && *spec.Jitter > *spec.Latency) {
		problems = append(problems, Problem{
			Field: "jitter", Problem: fmt.Sprintf("must be between 0s and the latency, got %s", *spec.Jitter),
			Remedy: "nothing arrives before it was sent",
		})
	}
	if spec.Count != nil && *spec.Count < 1 {
		problems = append(problems, Problem{
			Field: "count", Problem: fmt.Sprintf("must be at least 1, got %d", *spec.Count), Remedy: "leave it out for no bound",
		})
	}
	if spec.Error != "" && !slices.Contains(broker.ErrorNames(), spec.Error) {
		problem := unknown("error", "error of the protocol", spec.Error, broker.ErrorNames())
		problem.Remedy = "the names are those of Kafka's protocol, such as NOT_LEADER_OR_FOLLOWER" // more than a line can hold
		problems = append(problems, problem)
	}
	if spec.API != "" && !slices.Contains(broker.APINames(), spec.API) {
		problems = append(problems, unknown("api", "request, or one that no producer sends,", spec.API, broker.APINames()))
	}
	return problems
}
