package harness

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
)

// unplayed is a run of the plain scenario of which nothing has begun.
func unplayed(t *testing.T, options Options, set ...string) *run {
	scenario, err := Parse("plain.yaml", []byte(plainScenario), Overrides{Set: set})
	require.NoError(t, err)
	return newRun(scenario, producer.Kind{Name: "sarama"}, options)
}

// TestOffsetsSeenAgainCountOnce gives a reader offsets that it has passed, as a client does that was sent back by a log
// that had lost its end.
func TestOffsetsSeenAgainCountOnce(t *testing.T) {
	var seen []int64
	r := unplayed(t, Options{tamper: func(record *kgo.Record) []*kgo.Record {
		seen = append(seen, record.Offset)
		return nil
	}})
	rd := &reader{run: r, positions: map[string][]int64{}}
	fetch := func(offsets ...int64) {
		fetched := kgo.FetchTopicPartition{Topic: "device-data", FetchPartition: kgo.FetchPartition{Partition: 2}}
		for _, offset := range offsets {
			fetched.Records = append(fetched.Records, &kgo.Record{Topic: "device-data", Partition: 2, Offset: offset})
		}
		rd.see(fetched, 0)
	}
	fetch(0, 1, 2, 3, 4)
	fetch(2, 3)
	assert.EqualValues(t, 5, rd.position("device-data", 2), "it does not go back")
	fetch(3, 4, 5, 7)
	fetch()
	assert.Equal(t, []int64{0, 1, 2, 3, 4, 5, 7}, seen)
	assert.EqualValues(t, 8, rd.position("device-data", 2))
	assert.Zero(t, rd.position("device-data", 0))
}

// TestLogThatLostItsEnd: what was read of it may be gone, and without a second scan nobody can tell.
func TestLogThatLostItsEnd(t *testing.T) {
	ends := kadm.ListedOffsets{"device-data": {2: {Topic: "device-data", Partition: 2, Offset: 5}}}
	reading := func(next int64) *reader {
		return &reader{run: unplayed(t, Options{}), positions: map[string][]int64{"device-data": {0, 0, next}}}
	}
	require.NoError(t, reading(5).lostEnd(ends))
	require.EqualError(t, reading(10).lostEnd(ends),
		"a log has lost its end (device-data/2 ends at offset 5, and had been read up to 10); oracle.rescan: true tells what was in it")

	// One that has grown again since.
	rd := reading(5)
	rd.run.scenario.Broker.Kind = broker.Docker
	rd.failed("device-data", 2, context.DeadlineExceeded)
	require.NoError(t, rd.lostEnd(ends), "a fetch that failed otherwise is tried again")
	rd.failed("device-data", 2, &kgo.ErrDataLoss{Topic: "device-data", Partition: 2, ConsumedTo: 7, ResetTo: 3})
	rd.failed("device-data", 2, context.DeadlineExceeded)
	require.ErrorContains(t, rd.lostEnd(ends), "a log has lost its end (fetch device-data/2: ")
}

// TestDrainWaitsForAHealthyCluster answers for a while that a partition cannot be written to: until then the producer is
// neither flushed nor closed, for it could not get its records acknowledged.
func TestDrainWaitsForAHealthyCluster(t *testing.T) {
	const answers = 3
	for name, hurt := range map[string]func(*kmsg.MetadataResponseTopicPartition){
		"without a leader": func(p *kmsg.MetadataResponseTopicPartition) {
			p.Leader, p.ErrorCode = -1, kerr.LeaderNotAvailable.Code
		},
		"under min ISR": func(p *kmsg.MetadataResponseTopicPartition) { p.ISR = p.ISR[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			r := unplayed(t, Options{}, "broker.brokers=3")
			require.Equal(t, 2, r.scenario.Topic.MinInsyncReplicas)
			cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(int32(r.scenario.Topic.Partitions), "device-data"))
			require.NoError(t, err)
			defer cluster.Close()
			var ill atomic.Int64
			cluster.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
				if ill.Load() == answers {
					return nil, nil, false
				}
				cluster.KeepControl()
				ill.Add(1)
				return metadata(t, cluster, request.(*kmsg.MetadataRequest), int32(r.scenario.Topic.Partitions), hurt), nil, true
			})
			client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.MetadataMinAge(metadataAge))
			require.NoError(t, err)
			defer client.Close()
			r.cluster = new(broker.Cluster)
			r.reader = &reader{run: r, client: client, admin: kadm.NewClient(client)}
			flushed := int64(-1)
			r.guest.producer = &rude{
				Producer: idle{},
				flush: func() error {
					flushed = ill.Load()
					return nil
				},
			}
			r.drain(t.Context())
			assert.Empty(t, r.broken)
			assert.EqualValues(t, answers, flushed, "flushed before the cluster was well")
		})
	}
}

// idle is a producer that has nothing to do.
type idle struct{ producer.Producer }

func (idle) Close(context.Context) error { return nil }

// metadata is an answer of three brokers of which partition 1 is hurt.
func metadata(
	t *testing.T, cluster *kfake.Cluster, request *kmsg.MetadataRequest, partitions int32, hurt func(*kmsg.MetadataResponseTopicPartition),
) kmsg.Response {
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	for id, address := range cluster.ListenAddrs() {
		broker := kmsg.NewMetadataResponseBroker()
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		number, err := strconv.ParseInt(port, 10, 32)
		require.NoError(t, err)
		broker.NodeID, broker.Host, broker.Port = int32(id), host, int32(number)
		response.Brokers = append(response.Brokers, broker)
	}
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic = kmsg.StringPtr("device-data")
	for number := range partitions {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader = number, number%3
		partition.Replicas, partition.ISR = []int32{0, 1, 2}, []int32{0, 1, 2}
		if number == 1 {
			hurt(&partition)
		}
		topic.Partitions = append(topic.Partitions, partition)
	}
	response.Topics = append(response.Topics, topic)
	return response
}
