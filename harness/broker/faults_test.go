package broker_test

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/broker"
)

func TestCrash(t *testing.T) {
	cluster := start(t, 2, readings(2, 1))
	client := connect(t, cluster)
	require.NoError(t, produce(deadline(t), client, 0, "before"))
	before := cluster.Refused(0)
	require.Zero(t, before)

	require.NoError(t, cluster.Crash(0))
	hit := cluster.Refused(0)
	assert.Positive(t, hit, "the client's open connections are hit")

	conn, err := net.Dial("tcp", cluster.Nodes()[0].Advertised)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, conn.Close())
	}
	require.ErrorIs(t, err, syscall.ECONNRESET, "the port stays the broker's: nobody refuses there")
	assert.Greater(t, cluster.Refused(0), hit, "a refused connection is hit")
	require.ErrorContains(t, cluster.Probe(deadline(t), 0), "probe broker 1: ")

	require.NoError(t, cluster.Probe(deadline(t), 1))
	require.NoError(t, produce(deadline(t), client, 1, "to the other broker"))
	assert.Zero(t, cluster.Refused(1))

	// The oracle sees what the client does not: the broker still leads, and the log is whole.
	observer := kadm.NewClient(connect(t, cluster, kgo.Dialer(cluster.Dial)))
	metadata, err := observer.Metadata(deadline(t), "readings")
	require.NoError(t, err)
	assert.Equal(t, int32(0), metadata.Topics["readings"].Partitions[0].Leader)
	assert.Equal(t, []int64{1, 1}, ends(t, cluster))

	require.NoError(t, cluster.Restore(0))
	require.NoError(t, cluster.Probe(deadline(t), 0))
	require.NoError(t, produce(deadline(t), client, 0, "after"))
	assert.Equal(t, []int64{2, 1}, ends(t, cluster))
	after := cluster.Refused(0)
	require.NoError(t, cluster.Probe(deadline(t), 0))
	assert.Equal(t, after, cluster.Refused(0), "a healthy broker refuses nobody")
}

func TestCrashesOverlap(t *testing.T) {
	cluster := start(t, 1)
	require.NoError(t, cluster.Crash(0))
	require.NoError(t, cluster.Crash(0))
	require.NoError(t, cluster.Restore(0))
	require.Error(t, cluster.Probe(deadline(t), 0))
	require.NoError(t, cluster.Restore(0))
	require.NoError(t, cluster.Probe(deadline(t), 0))
	require.EqualError(t, cluster.Restore(0), "restore broker 1: it has not crashed")
}

func TestCrashOfNoBroker(t *testing.T) {
	cluster := start(t, 1)
	require.EqualError(t, cluster.Crash(1), "crash broker 2: there are 1")
	require.EqualError(t, cluster.Restore(-1), "restore broker 0: there are 1")
	assert.Zero(t, cluster.Refused(1))
}

func TestAnswerProduce(t *testing.T) {
	tests := []struct {
		name   string
		want   *kerr.Error
		stored int64
	}{
		{"NOT_ENOUGH_REPLICAS", kerr.NotEnoughReplicas, 0},
		{"NOT_LEADER_OR_FOLLOWER", kerr.NotLeaderForPartition, 0},
		{"REQUEST_TIMED_OUT", kerr.RequestTimedOut, 1}, // the ambiguous ones: the record is in the log
		{"NOT_ENOUGH_REPLICAS_AFTER_APPEND", kerr.NotEnoughReplicasAfterAppend, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cluster := start(t, 1, readings(1, 1))
			answering, err := cluster.Answer(broker.ErrorAnswer{API: "Produce", Error: test.name, Nodes: []int{0}})
			require.NoError(t, err)
			client := connect(t, cluster, kgo.RecordRetries(0), kgo.DisableIdempotentWrite())
			err = produce(deadline(t), client, 0, "x")
			if test.stored == 0 {
				require.ErrorIs(t, err, test.want)
			} else {
				require.Error(t, err) // franz-go says only that it has given up on what it may have sent
			}
			assert.Equal(t, int64(1), answering.Hits())
			assert.Equal(t, []int64{test.stored}, ends(t, cluster))

			answering.Remove()
			answering.Remove()
			require.NoError(t, produce(deadline(t), client, 0, "x"))
			assert.Equal(t, int64(1), answering.Hits())
		})
	}
}

func TestAnswerOnOneBroker(t *testing.T) {
	cluster := start(t, 2, readings(2, 1))
	answering, err := cluster.Answer(broker.ErrorAnswer{API: "Produce", Error: "KAFKA_STORAGE_ERROR", Nodes: []int{1}})
	require.NoError(t, err)
	defer answering.Remove()
	client := connect(t, cluster, kgo.RecordRetries(0), kgo.DisableIdempotentWrite())
	require.NoError(t, produce(deadline(t), client, 0, "x"))
	require.ErrorIs(t, produce(deadline(t), client, 1, "x"), kerr.KafkaStorageError)
	assert.Equal(t, int64(1), answering.Hits())
}

func TestAnswerInitProducerID(t *testing.T) {
	cluster := start(t, 1, readings(1, 1))
	answering, err := cluster.Answer(broker.ErrorAnswer{API: "InitProducerId", Error: "CLUSTER_AUTHORIZATION_FAILED", Nodes: []int{0}})
	require.NoError(t, err)
	defer answering.Remove()
	client := connect(t, cluster)
	require.ErrorIs(t, produce(deadline(t), client, 0, "x"), kerr.ClusterAuthorizationFailed)
	assert.Positive(t, answering.Hits())
	assert.Equal(t, []int64{0}, ends(t, cluster))
}

// TestAnswerStrikesRequests sends requests of three partitions each: a strike decides about a request, not about each of
// its partitions.
func TestAnswerStrikesRequests(t *testing.T) {
	cluster := start(t, 1, readings(3, 1))
	asked := 0
	answering, err := cluster.Answer(broker.ErrorAnswer{
		API: "Produce", Error: "NOT_ENOUGH_REPLICAS", Nodes: []int{0},
		Strike: func() bool { asked++; return asked%2 == 0 },
	})
	require.NoError(t, err)
	defer answering.Remove()
	client := connect(t, cluster, kgo.RecordRetries(0), kgo.DisableIdempotentWrite(),
		kgo.ProducerLinger(time.Minute)) // Flush decides when a request leaves
	for i := range 6 {
		var results []error
		for partition := range int32(3) {
			record := &kgo.Record{Topic: "readings", Partition: partition, Value: []byte("x")}
			client.Produce(deadline(t), record, func(_ *kgo.Record, err error) { results = append(results, err) })
		}
		require.NoError(t, client.Flush(deadline(t)))
		require.Len(t, results, 3)
		for _, err := range results {
			if i%2 == 1 {
				require.ErrorIs(t, err, kerr.NotEnoughReplicas)
			} else {
				require.NoError(t, err)
			}
		}
	}
	assert.Equal(t, int64(3), answering.Hits())
	assert.Equal(t, []int64{3, 3, 3}, ends(t, cluster))
}

func TestAnswerRefuses(t *testing.T) {
	cluster := start(t, 1)
	tests := []struct {
		answer broker.ErrorAnswer
		want   string
	}{
		{broker.ErrorAnswer{API: "Fetch", Error: "NOT_CONTROLLER", Nodes: []int{0}},
			`answer with an error: unknown request "Fetch", known: InitProducerId, Produce`},
		{broker.ErrorAnswer{API: "Produce", Error: "NOT_LEADER", Nodes: []int{0}}, `answer with an error: unknown error "NOT_LEADER"`},
		{broker.ErrorAnswer{API: "Produce", Error: "NOT_CONTROLLER"}, "answer with an error: no broker is named"},
		{broker.ErrorAnswer{API: "Produce", Error: "NOT_CONTROLLER", Nodes: []int{1}}, "answer with an error: no broker 2, there are 1"},
	}
	for _, test := range tests {
		_, err := cluster.Answer(test.answer)
		require.EqualError(t, err, test.want)
	}
}

// TestEveryNameCanBeAnswered holds the lists of names against what Answer takes.
func TestEveryNameCanBeAnswered(t *testing.T) {
	cluster := start(t, 1)
	for _, api := range broker.APINames() {
		for _, name := range broker.ErrorNames() {
			answering, err := cluster.Answer(broker.ErrorAnswer{API: api, Error: name, Nodes: []int{0}})
			require.NoError(t, err)
			answering.Remove()
		}
	}
}

// TestStrangersDoNoHarm sends what makes kfake panic or allocate without bounds.
func TestStrangersDoNoHarm(t *testing.T) {
	frame := func(key, version int16, body string) string {
		raw := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
		raw = binary.BigEndian.AppendUint16(raw, uint16(key))
		raw = binary.BigEndian.AppendUint16(raw, uint16(version))
		return string(binary.BigEndian.AppendUint32(raw, 1)) + body
	}
	cluster := start(t, 1)
	for name, bytes := range map[string]string{
		"unknown key":      frame(999, 0, "0123456789"),
		"negative key":     frame(-1, 0, "0123456789"),
		"unknown version":  frame(0, 99, "\xff\xff0123456789"),
		"garbage":          frame(3, 9, "\x00\x01x\x00\xff\xff\xff\xff\xff"),
		"4 GiB":            "\xff\xff\xff\xff",
		"2 GiB":            "\x7f\xff\xff\xff",
		"empty frame":      "\x00\x00\x00\x00",
		"another protocol": "GET / HTTP/1.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", cluster.Bootstrap()[0])
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, bytes)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			_, err = conn.Read(make([]byte, 1))
			require.Error(t, err)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the broker ends the connection by itself")
			require.NoError(t, cluster.Probe(deadline(t), 0))
		})
	}
}

// TestTrimmedRecordsFreeTheirMemory writes many times what may stay in memory, always deleting what a reader is done
// with but the latest records, so that no partition is ever empty.
func TestTrimmedRecordsFreeTheirMemory(t *testing.T) {
	const (
		partitions = 4
		batch      = 64 << 10
		total      = 96 << 20
		bound      = 32 << 20
	)
	cluster := start(t, 1, readings(partitions, 1))
	client := connect(t, cluster, kgo.ProducerBatchCompression(kgo.NoCompression()))
	admin := kadm.NewClient(client)
	value := strings.Repeat("x", batch)
	live := func() uint64 {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	before := live()
	for written := range total / (partitions * batch) {
		for partition := range int32(partitions) {
			require.NoError(t, produce(deadline(t), client, partition, value))
		}
		if written%16 != 15 {
			continue
		}
		read := kadm.Offsets{}
		for partition := range int32(partitions) {
			read.AddOffset("readings", partition, int64(written), -1)
		}
		deleted, err := admin.DeleteRecords(deadline(t), read)
		require.NoError(t, err)
		require.NoError(t, deleted.Error())
		if after := live(); after > before {
			require.Less(t, after-before, uint64(bound), "after %d MiB", (written+1)*partitions*batch>>20)
		}
	}
}
