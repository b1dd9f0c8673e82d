package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// World is what faults can be held against before anything starts.
type World struct {
	Broker  broker.Kind
	Brokers int
	Topics  []broker.Topic
	End     time.Duration // of the load; 0: not known
}

func (w World) topic(name string) (broker.Topic, bool) {
	i := slices.IndexFunc(w.Topics, func(topic broker.Topic) bool { return topic.Name == name })
	if i < 0 {
		return broker.Topic{}, false
	}
	return w.Topics[i], true
}

func (w World) topicNames() []string {
	names := make([]string, len(w.Topics))
	for i, topic := range w.Topics {
		names[i] = topic.Name
	}
	return names
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
// looked at; how they are written is the language's business. A fault that has no problem can be played by itself; what
// faults do to each other is the business of Conflicts.
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
		add("at", "begin before that", "must be before the end of the load, %s, got %s", world.End, spec.At)
	}
	switch optional := row.takes("for"); {
	case spec.For <= 0 && !optional:
		add("for", "say how long the fault lasts", "must be above 0s, got %s", spec.For)
	case spec.For < 0:
		add("for", "leave it out, or say how long the fault lasts", "must be at least 0s, got %s", spec.For)
	}
	if !slices.Contains(row.Brokers, world.Broker) {
		add("do", "brokers that can: "+join(row.Brokers), "%s brokers cannot do %s", world.Broker, spec.Do)
	}
	if problem := spec.Target.validate(row, world); problem.Problem != "" {
		problems = append(problems, problem)
	} else if problem := spec.validateTopics(world); problem.Problem != "" {
		problems = append(problems, problem)
	}
	problems = append(problems, spec.validateRepeat(row, world)...)
	problems = append(problems, row.validateParameters(spec)...)
	problems = append(problems, validateValues(spec)...)
	if problem := spec.validateTo(world); problem.Problem != "" {
		problems = append(problems, problem)
	}
	return problems
}

func unknown(field, what, got string, known []string) Problem {
	return Problem{
		Field: field, Problem: fmt.Sprintf("unknown %s %q", what, got),
		Remedy: "known: " + strings.Join(known, ", "), Got: got, Known: known,
	}
}

func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}

// validateTopics finds topics in which the fault could do nothing.
func (s Spec) validateTopics(world World) Problem {
	able := func(broker.Topic) bool { return true }
	var problem, remedy string
	switch s.Do {
	case ElectLeader, MoveLeader:
		able = func(topic broker.Topic) bool { return topic.ReplicationFactor > 1 }
		problem, remedy = "%s has one replica of each partition: nobody else can lead", "give it a replication_factor of at least 2"
	case ShrinkISR:
		able = func(topic broker.Topic) bool { return topic.MinInsyncReplicas > 1 }
		problem, remedy = "%s needs no other replica than the leader to be in sync", "give it min_insync_replicas of at least 2"
	}
	for _, topic := range world.Topics {
		if (s.Target.All || topic.Name == s.Target.Topic) && !able(topic) {
			return Problem{Field: "target", Problem: fmt.Sprintf(problem, topic.Name), Remedy: remedy}
		}
	}
	return Problem{}
}

// maxPartitions is more than any topic of a run has, and less than what would exhaust a broker.
const maxPartitions = 10_000

// validateTo holds what to means to the kind against the world.
func (s Spec) validateTo(world World) Problem {
	if s.To == nil {
		return Problem{}
	}
	least, most, remedy := *s.To, *s.To, ""
	switch s.Do {
	case AddPartitions:
		topic, _ := world.topic(s.Target.Topic)
		least, most, remedy = topic.Partitions+1, maxPartitions, "more than the topic has"
	case MoveLeader:
		least, most, remedy = 1, world.Brokers, "the number of a broker"
	}
	if least <= *s.To && *s.To <= most {
		return Problem{}
	}
	return Problem{Field: "to", Problem: fmt.Sprintf("must be between %d and %d, got %d", least, most, *s.To), Remedy: remedy}
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
	for _, name := range []string{"latency", "jitter", "rate", "count", "error", "api", "to", "allow_loss"} {
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
	case "api":
		return s.API != ""
	case "to":
		return s.To != nil
	case "for":
		return s.For != 0
	default:
		return s.AllowLoss
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
