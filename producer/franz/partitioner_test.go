package franz

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

// TestPartitionersAgree holds the pure functions, by which records are judged, against the objects by which franz-go sends.
func TestPartitionersAgree(t *testing.T) {
	keys := [][]byte{
		{}, {0}, {0xff}, {0x80, 0, 0, 0},
		[]byte("climate-0401003027"), []byte("climate-20253y0c"), []byte("climate-004450666"), []byte("climate-5067365912"), // hash to MinInt32
	}
	for i := range 50_000 {
		keys = append(keys, fmt.Appendf(nil, "climate-%04d", i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		key := make([]byte, random.IntN(40))
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		keys = append(keys, key)
	}
	var p asyncProducer
	for _, known := range producer.Partitioner("").Known() {
		t.Run(known, func(t *testing.T) {
			ours := producer.Partitioner(known)
			construct, err := p.partitioner(ours)
			require.NoError(t, err)
			theirs := construct.ForTopic(topic)
			for partitions, keys := range map[int32][][]byte{
				12: keys, 24: keys, 1<<31 - 1: keys, 1: keys[:1000], 2: keys[:1000], 3: keys[:1000], 100: keys[:1000],
			} {
				for _, key := range keys {
					m := newMessage(context.Background(), nil, &producer.Record{Key: key})
					want := theirs.Partition(&m.record, int(partitions))
					if got := ours.Partition(key, partitions); int(got) != want {
						t.Fatalf("%q over %d partitions: got %d, franz-go has %d", key, partitions, got, want)
					}
				}
			}
		})
	}
}

// TestFailoverMoves: a cluster that says of one partition that it has no leader gets its records in the others.
func TestFailoverMoves(t *testing.T) {
	c := start(t, 1)
	const orphan = 2
	c.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return leaderless(c, request.(*kmsg.MetadataRequest), orphan), nil, true
	})
	config := settings(c.ListenAddrs())
	config.Partitioner = producer.PartitionerFailover
	config.Retry = producer.Retry{Max: 1, Backoff: time.Millisecond}
	var y tally
	p := connect(t, config, y.outcome)
	const records = 200
	first := 0
	for config.Partitioner.Partition(record(first).Key, partitions) == orphan {
		first++
	}
	assert.Equal(t, producer.Acked, sendOne(t, p, &y, record(first)).State, "and now franz-go knows the topic")
	for i := range records {
		if i != first {
			send(t, p, record(i))
		}
	}
	require.NoError(t, p.Flush(within(t, 20*time.Second)))
	assert.Equal(t, map[producer.State]int{producer.Acked: records}, y.once(t, records))
	moved := 0
	for i := range records {
		own := config.Partitioner.Partition(record(i).Key, partitions)
		got := y.of(uint64(i)).Partition
		if own == orphan {
			moved++
			assert.NotEqualValues(t, orphan, got)
		} else {
			assert.Equal(t, own, got)
		}
	}
	assert.Positive(t, moved)
}

// leaderless is the metadata of the topic on a cluster of one broker, with one partition that has no leader.
func leaderless(c *cluster, request *kmsg.MetadataRequest, orphan int32) kmsg.Response {
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	host, port, _ := net.SplitHostPort(c.ListenAddrs()[0])
	number, _ := strconv.Atoi(port)
	node := c.LeaderFor(topic, 0)
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = node, host, int32(number)
	response.Brokers = append(response.Brokers, broker)
	response.ControllerID = node
	data := kmsg.NewMetadataResponseTopic()
	data.Topic = kmsg.StringPtr(topic)
	for i := range int32(partitions) {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader, partition.LeaderEpoch = i, node, 0
		partition.Replicas, partition.ISR = []int32{node}, []int32{node}
		if i == orphan {
			partition.Leader, partition.ErrorCode = -1, kerr.LeaderNotAvailable.Code
		}
		data.Partitions = append(data.Partitions, partition)
	}
	response.Topics = append(response.Topics, data)
	return response
}
