package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// parsed is the minimal scenario with more behind it.
func parsed(t *testing.T, more string, set ...string) *Resolved {
	t.Helper()
	r, err := Parse("x.yaml", []byte(minimal+more), Overrides{Set: append([]string{"load.stages.hold.for=5m"}, set...)})
	require.NoError(t, err)
	return r
}

func faultOf(fields string) string { return "faults: [{name: trouble, at: 1s, " + fields + "}]\n" }

// TestWhatFaultsChangeOfTheSetting: what the pipeline promises depends on what is done to it.
func TestWhatFaultsChangeOfTheSetting(t *testing.T) {
	const docker, unclean = "broker: {kind: docker}\n", "broker: {kind: docker, config: {unclean.leader.election.enable: true}}\n"
	kill, cut := faultOf("for: 1s, do: kill, target: broker 1"), faultOf("for: 1s, do: cut, target: all")
	for name, test := range map[string]struct {
		more                            string
		moves, breaks, unclean, rescans bool
		truncating                      []string
	}{
		"nothing":             {more: docker},
		"the link":            {more: docker + cut},
		"kill":                {more: docker + kill, moves: true, rescans: true, truncating: []string{"trouble"}},
		"everybody killed":    {more: docker + faultOf("for: 1s, do: kill, target: all, allow_loss: true"), moves: true, breaks: true, rescans: true, truncating: []string{"trouble"}},
		"growth":              {more: docker + faultOf("do: add_partitions, target: device-data, to: 30")},
		"unclean elections":   {more: unclean, unclean: true},
		"clean elections":     {more: "broker: {kind: docker, config: {unclean.leader.election.enable: \"false\"}}\n"},
		"written by Java":     {more: "broker: {kind: docker, config: {unclean.leader.election.enable: TRUE}}\n", unclean: true},
		"embedded election":   {more: faultOf("do: elect_leader, target: all"), moves: true},
		"embedded and asked":  {more: "oracle: {rescan: true}\n", rescans: true},
		"docker and asked":    {more: docker + "oracle: {rescan: true}\n", rescans: true},
		"under min ISR":       {more: docker + faultOf("for: 1s, do: shrink_isr, target: device-data/0"), moves: true, rescans: true, truncating: []string{"trouble"}},
		"a controlled change": {more: docker + faultOf("for: 1s, do: move_leader, target: device-data, to: 1"), moves: true, rescans: true, truncating: []string{"trouble"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := parsed(t, test.more)
			setting := r.Setting()
			assert.Equal(t, test.moves, setting.MovesLeaders, "moves leaders")
			assert.Equal(t, test.breaks, setting.BreaksQuorum, "breaks quorum")
			assert.Equal(t, test.unclean, setting.UncleanElection, "unclean election")
			assert.Equal(t, test.rescans, setting.Rescan, "rescan")
			assert.Equal(t, test.rescans, r.rescans())
			assert.Equal(t, test.truncating, r.truncating())
		})
	}
}

func TestPartitionsInTheEnd(t *testing.T) {
	r := parsed(t, `broker: {kind: docker}
topic: {partitions: 4}
alerts: {topic: alarms, partitions: 2}
faults:
  - {name: more, at: 1s, do: add_partitions, target: device-data, to: 6}
  - {name: still-more, at: 2s, do: add_partitions, target: device-data, to: 9}
  - {name: alarming, at: 3s, do: add_partitions, target: alarms, to: 3}
  - {name: unmoved, at: 4s, do: move_leader, target: alarms, to: 3}
`)
	assert.Equal(t, 9, r.mostPartitions())
	assert.Equal(t, 3, r.finalPartitions(r.alertsTopic()))
	assert.Equal(t, 4, parsed(t, "topic: {partitions: 4}\n").mostPartitions())
}

// TestWorldOfFaults: how many brokers an external cluster has nobody knows before it is asked.
func TestWorldOfFaults(t *testing.T) {
	r := parsed(t, "broker: {kind: docker, brokers: 1}\n")
	assert.Equal(t, fault.World{Broker: broker.Docker, Brokers: 1, Topics: []broker.Topic{r.Topic}, End: r.Load.length()}, r.world())
	r, err := Load(external, Overrides{})
	require.NoError(t, err)
	assert.Equal(t, fault.World{
		Broker: broker.External, Brokers: maxBrokers, Topics: []broker.Topic{r.Topic, r.alertsTopic()}, End: r.Load.length(),
	}, r.world())
}

// TestBrokerHasOnlyWhatItsKindHas: defaults of other kinds are no part of a scenario, whoever chose the kind.
func TestBrokerHasOnlyWhatItsKindHas(t *testing.T) {
	assert.Equal(t, broker.Spec{Kind: broker.Embedded, Brokers: 3}, parsed(t, "").Broker)
	assert.Equal(t, broker.Spec{Kind: broker.Docker, Brokers: 3, Image: "apache/kafka:4.3.1", Heap: 512 << 20}, parsed(t, "", "broker.kind=docker").Broker)
	r := parsed(t, "", "broker.kind=docker", "broker.brokers=5", "broker.config.log.segment.bytes=1048576", "broker.config.compression.type=lz4")
	assert.Equal(t, 5, r.Broker.Brokers)
	assert.Equal(t, map[string]string{"log.segment.bytes": "1048576", "compression.type": "lz4"}, r.Broker.Config, "the names of settings have dots")
	assert.Equal(t, broker.Spec{
		Kind: broker.External, Bootstrap: []string{"kafka-1:9092"}, ClusterID: "abc", Prefix: "fleetproof-",
		Caps: &broker.Caps{Rate: r.Load.Stages[0].Rate, Bytes: 1 << 30, Duration: r.Load.length()},
	}, parsed(t, "broker: {kind: external, bootstrap: [\"kafka-1:9092\"], cluster_id: abc, caps: {rate: 100/s, bytes: 1GiB, duration: 5m}}\n").Broker)
}

func TestExternalBrokersWantTheFlag(t *testing.T) {
	r, err := Load(external, Overrides{})
	require.NoError(t, err)
	require.NoError(t, r.AllowExternal(true))
	require.EqualError(t, r.AllowExternal(false), external+":6:9: broker.kind: the run would write to cluster MkU3OEVBNTcwNTJENDM2Qg at "+
		"kafka-1.example.com:9092, kafka-2.example.com:9092, and nobody said that it may (say --allow-external if it may; plan shows what it would do)")
	assert.NoError(t, parsed(t, "").AllowExternal(false))
}

// TestCapsCountWhatIsPublished: twice what is delivered where every reading may be an alert too.
func TestCapsCountWhatIsPublished(t *testing.T) {
	plain := parsed(t, "delivery: {missing: 50%, duplicate: 20%}\n")
	assert.InDelta(t, 0.6, plain.delivered(), 1e-9)
	assert.InDelta(t, 60, plain.busiest(), 1e-9)
	alerting := parsed(t, "alerts: {}\n")
	assert.InDelta(t, 1, alerting.delivered(), 1e-9)
	assert.InDelta(t, 200, alerting.busiest(), 1e-9)
}
