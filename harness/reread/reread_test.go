package reread

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestReadsEverythingOnce(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "device-data"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	writer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(writer.Close)
	const each = 500
	for i := range 3 * each { // none in the last partition
		require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{
			Topic: "device-data", Partition: int32(i % 3), Key: fmt.Append(nil, i), Value: fmt.Append(nil, i, "!"),
			Headers: []kgo.RecordHeader{{Key: "id", Value: fmt.Append(nil, i)}},
		}).FirstErr())
	}
	var dialer net.Dialer
	r, err := Open(Source{Brokers: cluster.ListenAddrs(), Dial: dialer.DialContext, ClientID: "again", Stall: 20 * time.Second})
	require.NoError(t, err)
	seen := 0
	for partition, end := range []int64{each, each, each - 1, 0} {
		next := int64(0)
		require.NoError(t, r.Read(t.Context(), "device-data", int32(partition), end, func(got Record) {
			i := int(next)*3 + partition
			assert.Equal(t, Record{
				Topic: "device-data", Partition: int32(partition), Offset: next, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i, "!"),
				Headers: []Header{{Key: "id", Value: fmt.Append(nil, i)}},
			}, got)
			next++
			seen++
		}))
		assert.Equal(t, end, next)
	}
	assert.Equal(t, 3*each-1, seen)

	r.stall = 2 * time.Second
	require.EqualError(t, r.Read(t.Context(), "device-data", 0, each+1, func(Record) {}),
		"read device-data/0: nothing for 2s, at offset 500 of 501")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Read(ended, "device-data", 3, 1, func(Record) {}), context.Canceled)
	require.ErrorContains(t, r.Read(t.Context(), "nowhere", 0, 1, func(Record) {}), "read nowhere/0: ")
	require.NoError(t, r.Close())

	cluster.Close()
	_, err = Open(Source{Brokers: []string{"127.0.0.1:1"}, Dial: dialer.DialContext})
	require.ErrorContains(t, err, "connect the second reader: ")
}
