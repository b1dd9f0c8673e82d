package fault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// dockerWorld has so many brokers, and two topics, of which the first has so many replicas and needs some of them in sync.
func dockerWorld(brokers, replicas, needed int) fault.World {
	return fault.World{
		Broker: broker.Docker, Brokers: brokers, End: 10 * time.Minute,
		Topics: []broker.Topic{
			{Name: "device-data", Partitions: 24, ReplicationFactor: replicas, MinInsyncReplicas: needed},
			{Name: "alerts", Partitions: 6, ReplicationFactor: replicas, MinInsyncReplicas: 1},
		},
	}
}

// from is a fault with a place in time, in seconds.
func from(name string, at, length int, do fault.Kind, target fault.Target) fault.Spec {
	return fault.Spec{Name: name, At: time.Duration(at) * time.Second, For: time.Duration(length) * time.Second, Do: do, Target: target}
}

func allowing(spec fault.Spec) fault.Spec {
	spec.AllowLoss = true
	return spec
}

func TestQuorumGuard(t *testing.T) {
	b1, b2, b3 := fault.Target{Broker: 1}, fault.Target{Broker: 2}, fault.Target{Broker: 3}
	leader, controller, all := fault.Target{Leader: true, Topic: "device-data"}, fault.Target{Controller: true}, fault.Target{All: true}
	part := fault.Target{Topic: "device-data", Partition: 3}
	loss := func(place int, problem string) []fault.Conflict {
		remedy := "begin when the others are healed, about 10s after their end, or say allow_loss: true"
		if strings.Contains(problem, "(a)") {
			remedy = "hit fewer brokers, or say allow_loss: true"
		}
		return []fault.Conflict{{Fault: place, Problem: fault.Problem{Field: "allow_loss", Problem: problem, Remedy: remedy}}}
	}
	const two = "2 of 3 brokers may be down at once (a, b): device-data keeps 1 of 3 replicas and needs 2"
	tests := []struct {
		name   string
		world  fault.World
		specs  []fault.Spec
		want   []fault.Conflict
		breaks bool // also when want is nothing, because it is allowed
	}{
		{"no faults", dockerWorld(3, 3, 2), nil, nil, false},
		{"one broker", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, b1)}, nil, false},
		{"one after the other", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 25, 5, fault.Pause, b2)}, nil, false},
		{"while the other heals", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 24, 5, fault.Pause, b2)}, loss(1, two), true},
		{"overlapping", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 20, fault.Stop, b1), from("b", 20, 2, fault.Isolate, b2)}, loss(1, two), true},
		{"in whatever order they are listed", dockerWorld(3, 3, 2), []fault.Spec{from("b", 20, 2, fault.Isolate, b2), from("a", 10, 20, fault.Stop, b1)}, loss(0, two), true},
		{"allowed", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 20, fault.Stop, b1), allowing(from("b", 20, 2, fault.Isolate, b2))}, nil, true},
		{"allowed to the wrong one", dockerWorld(3, 3, 2), []fault.Spec{allowing(from("a", 10, 20, fault.Stop, b1)), from("b", 20, 2, fault.Isolate, b2)}, loss(1, two), true},
		{"the same broker while it heals", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 16, 5, fault.Pause, b1)}, nil, false},
		{"some leader and a broker", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, leader), from("b", 12, 5, fault.Pause, b1)}, loss(1, two), true},
		{"some leader and some controller", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Kill, leader), from("b", 12, 5, fault.Pause, controller)}, loss(1, two), true},
		{"all", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 5, fault.Pause, all)},
			loss(0, "3 of 3 brokers may be down at once (a): device-data keeps 0 of 3 replicas and needs 2"), true},
		{"all in turn", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 0, fault.RollingRestart, all)}, nil, false},
		{"all in turn, and another", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 0, fault.RollingRestart, all), from("b", 45, 5, fault.Kill, leader)}, loss(1, two), true},
		{"all in turn, and another later", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 0, fault.RollingRestart, all), from("b", 50, 5, fault.Kill, leader)}, nil, false},
		{"a restart takes its time", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 0, fault.Restart, b1), from("b", 29, 5, fault.Kill, b2)}, loss(1, two), true},
		{"after a restart", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 0, fault.Restart, b1), from("b", 30, 5, fault.Kill, b2)}, nil, false},
		{"what takes nobody down", dockerWorld(3, 3, 2), []fault.Spec{
			from("a", 10, 50, fault.Kill, b1), from("cut", 12, 5, fault.Cut, b2), from("slow", 12, 5, fault.Latency, b3),
			from("elect", 12, 5, fault.ElectLeader, all), from("move", 12, 0, fault.MoveLeader, part), from("lossy", 12, 5, fault.LoseAck, all),
		}, nil, false},
		{"a topic that needs one", dockerWorld(3, 3, 1), []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 12, 5, fault.Kill, b2)},
			loss(1, "2 of 3 brokers may be down at once (a, b): the cluster keeps 1 of 3 controllers and needs 2"), true},
		{"five brokers", dockerWorld(5, 3, 1), []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 12, 5, fault.Kill, b2)}, nil, false},
		{"five brokers, three down", dockerWorld(5, 5, 2), []fault.Spec{
			from("a", 10, 5, fault.Kill, b1), from("b", 11, 5, fault.Kill, b2), from("c", 12, 5, fault.Kill, leader),
		}, loss(2, "3 of 5 brokers may be down at once (a, b, c): the cluster keeps 2 of 5 controllers and needs 3"), true},
		{"one broker in all", dockerWorld(1, 1, 1), []fault.Spec{from("a", 10, 0, fault.Restart, b1)},
			loss(0, "1 of 1 brokers may be down at once (a): device-data keeps 0 of 1 replicas and needs 1"), true},
		{"the other topic", fault.World{Broker: broker.Docker, Brokers: 3, Topics: []broker.Topic{
			{Name: "device-data", ReplicationFactor: 3, MinInsyncReplicas: 2}, {Name: "alerts", ReplicationFactor: 1, MinInsyncReplicas: 1},
		}}, []fault.Spec{from("a", 10, 0, fault.Restart, b1)},
			loss(0, "1 of 3 brokers may be down at once (a): alerts keeps 0 of 1 replicas and needs 1"), true},
		{"a partition short of replicas on purpose", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 15, fault.ShrinkISR, part)}, nil, false},
		{"and another fault", dockerWorld(3, 3, 2), []fault.Spec{from("a", 10, 15, fault.ShrinkISR, part), from("b", 20, 5, fault.Pause, b1)},
			loss(1, "3 of 3 brokers may be down at once (a, b): device-data keeps 0 of 3 replicas and needs 2"), true},
		{"embedded", fault.World{Broker: broker.Embedded, Brokers: 3, Topics: dockerWorld(3, 3, 2).Topics}, []fault.Spec{
			from("a", 10, 5, fault.Crash, all), from("b", 10, 5, fault.ShrinkISR, part), from("c", 10, 5, fault.ShrinkISR, part),
		}, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Empty(t, cmp.Diff(test.want, fault.Conflicts(test.specs, test.world)))
			assert.Equal(t, test.breaks, fault.BreaksQuorum(test.specs, test.world))
		})
	}
}

func TestConflicts(t *testing.T) {
	b1, all := fault.Target{Broker: 1}, fault.Target{All: true}
	grow := func(name string, at int, topic string, to int) fault.Spec {
		spec := from(name, at, 0, fault.AddPartitions, fault.Target{Topic: topic, Whole: true})
		spec.To = &to
		return spec
	}
	twice := func(place int, problem string) fault.Conflict {
		return fault.Conflict{Fault: place, Problem: fault.Problem{Field: "target", Problem: problem, Remedy: "begin after it, or hit another broker"}}
	}
	tests := []struct {
		name  string
		specs []fault.Spec
		want  []fault.Conflict
	}{
		{"the same broker twice", []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 14, 5, fault.Pause, b1)},
			[]fault.Conflict{twice(1, "broker 1 is hurt by fault a at the same time")}},
		{"whatever is allowed", []fault.Spec{allowing(from("a", 10, 5, fault.Kill, b1)), allowing(from("b", 14, 5, fault.Pause, all))},
			[]fault.Conflict{twice(1, "broker 1 is hurt by fault a at the same time")}},
		{"at the same moment", []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 10, 0, fault.Restart, b1)},
			[]fault.Conflict{twice(1, "broker 1 is hurt by fault a at the same time")}},
		{"in turn", []fault.Spec{from("a", 10, 0, fault.RollingRestart, all), allowing(from("b", 39, 5, fault.Pause, b1))},
			[]fault.Conflict{twice(1, "broker 1 is hurt by fault a at the same time")}},
		{"after one another", []fault.Spec{from("a", 10, 5, fault.Kill, b1), from("b", 15, 5, fault.Pause, b1)}, nil},
		{"growing", []fault.Spec{grow("b", 20, "device-data", 48), grow("a", 10, "device-data", 36), grow("c", 30, "alerts", 12)}, nil},
		{"shrinking", []fault.Spec{grow("b", 20, "device-data", 36), grow("a", 10, "device-data", 36)},
			[]fault.Conflict{{Fault: 0, Problem: fault.Problem{Field: "to", Problem: "device-data has 36 partitions by then, got 36", Remedy: "more than the topic has"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Empty(t, cmp.Diff(test.want, fault.Conflicts(test.specs, dockerWorld(3, 3, 2))))
		})
	}
}
