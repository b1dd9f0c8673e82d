package broker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
)

func TestEnvironment(t *testing.T) {
	spec := Spec{Run: "1f", Brokers: 3, Heap: 512 << 20, Config: map[string]string{
		"unclean.leader.election.enable":   "true",
		"group.initial.rebalance.delay.ms": "50",
	}}
	want := map[string]string{
		"CLUSTER_ID":                                     "IK8uReNYZs0fNOUP1er9pw",
		"KAFKA_HEAP_OPTS":                                "-Xms524288k -Xmx524288k",
		"KAFKA_OPTS":                                     "-Dsun.net.inetaddr.ttl=1 -Dsun.net.inetaddr.negative.ttl=0",
		"KAFKA_NODE_ID":                                  "2",
		"KAFKA_PROCESS_ROLES":                            "broker,controller",
		"KAFKA_CONTROLLER_QUORUM_VOTERS":                 "1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093",
		"KAFKA_CONTROLLER_LISTENER_NAMES":                "CONTROLLER",
		"KAFKA_INTER_BROKER_LISTENER_NAME":               "BROKER",
		"KAFKA_LISTENERS":                                "CLIENT://:9092,BROKER://:19092,CONTROLLER://:9093",
		"KAFKA_ADVERTISED_LISTENERS":                     "CLIENT://127.0.0.1:20002,BROKER://kafka-2:19092",
		"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":           "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"KAFKA_LOG_DIRS":                                 "/tmp/kraft-combined-logs",
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                "false",
		"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "50",
		"KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE":           "true",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "3",
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "3",
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            "2",
	}
	assert.Empty(t, cmp.Diff(want, environment(spec, 2, onBridge(3, 2, "127.0.0.1:20002"))))
}

func TestEnvironmentOfOneBroker(t *testing.T) {
	got := environment(Spec{Run: "1f", Brokers: 1, Heap: 128 << 20}, 1, onBridge(1, 1, "127.0.0.1:20001"))
	assert.Equal(t, "1@kafka-1:9093", got["KAFKA_CONTROLLER_QUORUM_VOTERS"])
	assert.Equal(t, "1", got["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"])
	assert.Equal(t, "1", got["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"])
}

func TestEnvironmentOnTheHost(t *testing.T) {
	got := environment(Spec{Run: "1f", Brokers: 1, Heap: 128 << 20}, 1, onHost([]int{20001, 20002, 20003}, "127.0.0.1:20001"))
	assert.Equal(t, "1@127.0.0.1:20003", got["KAFKA_CONTROLLER_QUORUM_VOTERS"])
	assert.Equal(t, "CLIENT://127.0.0.1:20001,BROKER://127.0.0.1:20002,CONTROLLER://127.0.0.1:20003", got["KAFKA_LISTENERS"])
	assert.Equal(t, "CLIENT://127.0.0.1:20001,BROKER://127.0.0.1:20002", got["KAFKA_ADVERTISED_LISTENERS"])
}

func TestVariable(t *testing.T) {
	assert.Equal(t, "KAFKA_A_B__C___D", variable("a.b_c-d"))
}

// The image hands the identity to a command line, on which a hyphen in front would make it an option.
func TestClusterID(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		id := clusterID(string(rune(i)))
		assert.Regexp(t, "^[A-Za-f][A-Za-z0-9_-]{21}$", id)
		seen[id] = true
	}
	assert.Len(t, seen, 1000)
}

func TestCheckConfig(t *testing.T) {
	tests := []struct{ setting, want string }{
		{"unclean.leader.election.enable", ""},
		{"log.segment.bytes", ""},
		{"node.id", "node.id is set by fleetproof"},
		{"advertised.listeners", "advertised.listeners is set by fleetproof"},
		{"log.dirs", "log.dirs is set by fleetproof"},
		{"heap.opts", "heap.opts is no setting of Kafka"},
		{"opts", "opts is no setting of Kafka"},
		{"", " is no setting of Kafka"},
	}
	for _, test := range tests {
		t.Run(test.setting, func(t *testing.T) {
			err := CheckConfig(map[string]string{test.setting: "1", "num.io.threads": "4"})
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestPlace(t *testing.T) {
	nodes := []Node{{ID: 1}, {ID: 2}, {ID: 3}}
	tests := []struct {
		name                    string
		partitions, replication int
		nodes                   []Node
		want                    [][]int32
	}{
		{"one broker", 3, 1, nodes[:1], [][]int32{{1}, {1}, {1}}},
		{"no replicas", 4, 1, nodes, [][]int32{{1}, {2}, {3}, {1}}},
		{"two replicas", 6, 2, nodes, [][]int32{{1, 2}, {2, 3}, {3, 1}, {1, 3}, {2, 1}, {3, 2}}},
		{"three replicas", 4, 3, nodes, [][]int32{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 3, 2}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			topic := Topic{Partitions: test.partitions, ReplicationFactor: test.replication}
			assert.Empty(t, cmp.Diff(test.want, place(topic, test.nodes)))
		})
	}
}
