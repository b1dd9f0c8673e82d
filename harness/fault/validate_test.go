package fault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
)

func world() fault.World {
	return fault.World{
		Broker: broker.Embedded, Brokers: 3, End: time.Minute,
		Topics: []broker.Topic{
			{Name: "device-data", Partitions: 24, ReplicationFactor: 3, MinInsyncReplicas: 2},
			{Name: "alerts", Partitions: 6, ReplicationFactor: 3, MinInsyncReplicas: 2},
		},
	}
}

// valid is a good fault of each kind, in the world of brokers that can do it.
func valid(kind fault.Kind) (fault.Spec, fault.World) {
	spec, world := fault.Spec{Name: "trouble", At: time.Second, For: time.Second, Do: kind}, world()
	row, _ := kind.Row()
	if len(row.Brokers) > 0 {
		world.Broker = row.Brokers[0]
	}
	spec.Target = fault.Target{Broker: 3}
	if !slices.Contains(row.Targets, fault.OneBroker) {
		spec.Target = fault.Target{Topic: "alerts", Partition: 5, Whole: kind == fault.AddPartitions}
		spec.Target.Partition *= map[bool]int32{false: 1}[spec.Target.Whole]
	}
	switch kind {
	case fault.Latency:
		spec.Latency, spec.Jitter = new(200*time.Millisecond), new(50*time.Millisecond)
	case fault.LoseAck:
		spec.Rate = &fault.Rate{PerSecond: 1}
	case fault.Error:
		spec.API, spec.Error = "Produce", "NOT_LEADER_OR_FOLLOWER"
	case fault.AddPartitions:
		spec.To = new(7)
	}
	return spec, world
}

func TestValidateAcceptsEveryKind(t *testing.T) {
	targets := []fault.Target{
		{Broker: 1}, {All: true}, {Controller: true}, {Leader: true, Topic: "alerts", Partition: 5}, {Topic: "alerts", Partition: 5},
		{Topic: "alerts", Whole: true},
	}
	for _, row := range fault.Kinds() {
		spec, world := valid(row.Kind)
		for _, world.Broker = range row.Brokers {
			for _, spec.Target = range targets {
				problems := fault.Validate(spec, world)
				switch form := spec.Target.Form(); {
				case !slices.Contains(row.Targets, form):
					assert.Equal(t, fmt.Sprintf("%s cannot hit %q", row.Kind, spec.Target), problems[0].Problem)
				case form == fault.OneController && world.Broker == broker.Embedded:
					assert.Equal(t, "embedded brokers have no controller of their own", problems[0].Problem)
				default:
					assert.Empty(t, problems, "%s on %s", row.Kind, spec.Target)
				}
			}
		}
	}
	loss, _ := valid(fault.LoseAck)
	loss.Rate, loss.Count = nil, new(3)
	assert.Empty(t, fault.Validate(loss, world()), "a count is as good as a rate")
	late, _ := valid(fault.Cut)
	late.At = time.Hour
	ignorant := world()
	ignorant.End = 0
	assert.Empty(t, fault.Validate(late, ignorant), "nothing is late when the end is not known")
}

func TestValidateRefuses(t *testing.T) {
	problem := func(field, problem, remedy string) fault.Problem {
		return fault.Problem{Field: field, Problem: problem, Remedy: remedy}
	}
	tests := []struct {
		name   string
		kind   fault.Kind
		change func(*fault.Spec, *fault.World)
		want   []fault.Problem
	}{
		{"kind", "explode", func(*fault.Spec, *fault.World) {}, []fault.Problem{{
			Field: "do", Problem: `unknown kind of fault "explode"`, Remedy: "known: " + strings.Join(fault.Kind("").Known(), ", "),
			Got: "explode", Known: fault.Kind("").Known(),
		}}},
		{"broker kind", fault.Crash, func(_ *fault.Spec, w *fault.World) { w.Broker = "docker" },
			[]fault.Problem{problem("do", "docker brokers cannot do crash", "brokers that can: embedded")}},
		{"before the load", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.At = -1 },
			[]fault.Problem{problem("at", "must be at least 0s, got -1ns", "faults begin with the load or later")}},
		{"after the load", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.At = time.Minute },
			[]fault.Problem{problem("at", "must be before the end of the load, 1m0s, got 1m0s", "begin before that")}},
		{"no time", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.For = 0 },
			[]fault.Problem{problem("for", "must be above 0s, got 0s", "say how long the fault lasts")}},
		{"no target", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.Target = fault.Target{} },
			[]fault.Problem{problem("target", "is missing", "it takes broker N, leader of TOPIC/PARTITION, controller, all")}},
		{"no such broker", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.Target.Broker = 4 },
			[]fault.Problem{problem("target", "no broker 4, there are 3", "between 1 and 3")}},
		{"no such topic", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.Target = fault.Target{Leader: true, Topic: "alarms"} },
			[]fault.Problem{{
				Field: "target", Problem: `unknown topic "alarms"`, Remedy: "known: device-data, alerts",
				Got: "alarms", Known: []string{"device-data", "alerts"},
			}}},
		{"no such partition", fault.Cut,
			func(s *fault.Spec, _ *fault.World) {
				s.Target = fault.Target{Leader: true, Topic: "alerts", Partition: 6}
			},
			[]fault.Problem{problem("target", "alerts has no partition 6, it has 6", "between 0 and 5")}},
		{"required", fault.Error, func(s *fault.Spec, _ *fault.World) { s.Error, s.API = "", "" }, []fault.Problem{
			problem("error", "is missing: error needs it", "say the protocol's name of the error, such as NOT_LEADER_OR_FOLLOWER"),
			problem("api", "is missing: error needs it", "say the protocol's name of the request: Produce or InitProducerId"),
		}},
		{"any of", fault.LoseAck, func(s *fault.Spec, _ *fault.World) { s.Rate = nil },
			[]fault.Problem{problem("rate", "is missing: lose_ack needs rate or count", "say how much of it there is")}},
		{"does not apply", fault.Latency, func(s *fault.Spec, _ *fault.World) { s.Rate, s.Count = &fault.Rate{Share: 1}, new(1) },
			[]fault.Problem{
				problem("rate", "does not apply to latency", "it takes latency, jitter"),
				problem("count", "does not apply to latency", "it takes latency, jitter"),
			}},
		{"takes nothing", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.Latency, s.API = new(time.Second), "Produce" },
			[]fault.Problem{
				problem("latency", "does not apply to cut", "it takes no parameters"),
				problem("api", "does not apply to cut", "it takes no parameters"),
			}},
		{"no latency", fault.Latency, func(s *fault.Spec, _ *fault.World) { s.Latency, s.Jitter = new(time.Duration(0)), nil },
			[]fault.Problem{problem("latency", "must be above 0s, got 0s", "such as 200ms")}},
		{"jitter", fault.Latency, func(s *fault.Spec, _ *fault.World) { s.Jitter = new(201 * time.Millisecond) },
			[]fault.Problem{problem("jitter", "must be between 0s and the latency, got 201ms", "nothing arrives before it was sent")}},
		{"negative jitter", fault.Latency, func(s *fault.Spec, _ *fault.World) { s.Jitter = new(-time.Second) },
			[]fault.Problem{problem("jitter", "must be between 0s and the latency, got -1s", "nothing arrives before it was sent")}},
		{"count", fault.LoseAck, func(s *fault.Spec, _ *fault.World) { s.Count = new(0) },
			[]fault.Problem{problem("count", "must be at least 1, got 0", "leave it out for no bound")}},
		{"error's name", fault.Error, func(s *fault.Spec, _ *fault.World) { s.Error = "NOT_LEADER" }, []fault.Problem{{
			Field: "error", Problem: `unknown error of the protocol "NOT_LEADER"`,
			Remedy: "the names are those of Kafka's protocol, such as NOT_LEADER_OR_FOLLOWER",
			Got:    "NOT_LEADER", Known: broker.ErrorNames(),
		}}},
		{"request's name", fault.Error, func(s *fault.Spec, _ *fault.World) { s.API = "Fetch" }, []fault.Problem{{
			Field: "api", Problem: `unknown request, or one that no producer sends, "Fetch"`, Remedy: "known: InitProducerId, Produce",
			Got: "Fetch", Known: []string{"InitProducerId", "Produce"},
		}}},
		{"time below none", fault.Restart, func(s *fault.Spec, _ *fault.World) { s.For = -time.Second },
			[]fault.Problem{problem("for", "must be at least 0s, got -1s", "leave it out, or say how long the fault lasts")}},
		{"no such target", fault.Kill, func(s *fault.Spec, _ *fault.World) { s.Target = fault.Target{Topic: "al", Whole: true} },
			[]fault.Problem{problem("target", `kill cannot hit "al"`, "it takes broker N, leader of TOPIC/PARTITION, controller, all")}},
		{"no such partition of its own", fault.ElectLeader, func(s *fault.Spec, _ *fault.World) { s.Target.Partition = 6 },
			[]fault.Problem{problem("target", "alerts has no partition 6, it has 6", "between 0 and 5")}},
		{"no controller", fault.Cut, func(s *fault.Spec, _ *fault.World) { s.Target = fault.Target{Controller: true} },
			[]fault.Problem{problem("target", "embedded brokers have no controller of their own", "brokers that have: docker")}},
		{"one replica", fault.MoveLeader, func(_ *fault.Spec, w *fault.World) { w.Topics[1].ReplicationFactor = 1 },
			[]fault.Problem{problem("target", "alerts has one replica of each partition: nobody else can lead", "give it a replication_factor of at least 2")}},
		{"one replica somewhere", fault.ElectLeader,
			func(s *fault.Spec, w *fault.World) {
				s.Target, w.Topics[0].ReplicationFactor = fault.Target{All: true}, 1
			},
			[]fault.Problem{problem("target", "device-data has one replica of each partition: nobody else can lead", "give it a replication_factor of at least 2")}},
		{"one replica elsewhere", fault.ElectLeader, func(_ *fault.Spec, w *fault.World) { w.Topics[0].ReplicationFactor = 1 }, nil},
		{"nothing to shrink", fault.ShrinkISR, func(_ *fault.Spec, w *fault.World) { w.Topics[1].MinInsyncReplicas = 1 },
			[]fault.Problem{problem("target", "alerts needs no other replica than the leader to be in sync", "give it min_insync_replicas of at least 2")}},
		{"as many partitions", fault.AddPartitions, func(s *fault.Spec, _ *fault.World) { s.To = new(6) },
			[]fault.Problem{problem("to", "must be between 7 and 10000, got 6", "more than the topic has")}},
		{"too many partitions", fault.AddPartitions, func(s *fault.Spec, _ *fault.World) { s.To = new(10_001) },
			[]fault.Problem{problem("to", "must be between 7 and 10000, got 10001", "more than the topic has")}},
		{"how many partitions", fault.AddPartitions, func(s *fault.Spec, _ *fault.World) { s.To = nil },
			[]fault.Problem{problem("to", "is missing: add_partitions needs it", "say how many partitions the topic has then")}},
		{"to no broker", fault.MoveLeader, func(s *fault.Spec, _ *fault.World) { s.To = new(4) },
			[]fault.Problem{problem("to", "must be between 1 and 3, got 4", "the number of a broker")}},
		{"to nobody", fault.ElectLeader, func(s *fault.Spec, _ *fault.World) { s.To, s.AllowLoss = new(1), true },
			[]fault.Problem{
				problem("to", "does not apply to elect_leader", "it takes for"),
				problem("allow_loss", "does not apply to elect_leader", "it takes for"),
			}},
		{"all at once", fault.Latency,
			func(s *fault.Spec, w *fault.World) { *s, w.Broker = fault.Spec{Do: fault.Latency, At: -1}, "external" },
			[]fault.Problem{
				problem("at", "must be at least 0s, got -1ns", "faults begin with the load or later"),
				problem("for", "must be above 0s, got 0s", "say how long the fault lasts"),
				problem("do", "external brokers cannot do latency", "brokers that can: embedded, docker"),
				problem("target", "is missing", "it takes broker N, leader of TOPIC/PARTITION, controller, all"),
				problem("latency", "is missing: latency needs it", "say how much later every response arrives"),
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec, world := valid(test.kind)
			test.change(&spec, &world)
			assert.Empty(t, cmp.Diff(test.want, fault.Validate(spec, world)))
		})
	}
}
