package broker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// BenchmarkDockerPath is what it costs that a container's port is published: the same records go by turns to a broker
// behind Docker's proxy and to one that listens on the host's network, as a single broker does where no fault needs a
// network of its own. It reports the records a second through each, and the median of the ratios of the turns.
func BenchmarkDockerPath(b *testing.B) {
	const records, size, partitions = 100_000, 200, 24
	topic := broker.Topic{Name: "readings", Partitions: partitions, ReplicationFactor: 1, MinInsyncReplicas: 1}
	values := make([][]byte, 1000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = make([]byte, size)
		for j := range values[i] {
			values[i][j] = "0123456789abcdef"[random.IntN(16)]
		}
	}
	dockertest.Need(b)
	paths := []string{"bridge", "host"}
	clients := map[string]*kgo.Client{}
	for _, path := range paths {
		spec := broker.DockerSpec(1)
		spec.NoBridge = path == "host"
		cluster := startAnother(b, spec, topic)
		client, err := kgo.NewClient(
			kgo.SeedBrokers(cluster.Bootstrap()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic.Name),
		)
		require.NoError(b, err)
		b.Cleanup(client.Close)
		clients[path] = client
	}
	send := func(path string) (rate float64) {
		began := time.Now()
		var failed kgo.FirstErrPromise
		for i := range records {
			record := &kgo.Record{Partition: int32(i % partitions), Value: values[i%len(values)]}
			clients[path].Produce(b.Context(), record, failed.Promise())
		}
		require.NoError(b, failed.Err()) // which waits for all of them
		return records / time.Since(began).Seconds()
	}
	for range 20 { // a young JVM is slow
		for _, path := range paths {
			send(path)
		}
	}
	rates := map[string][]float64{}
	var ratios []float64
	for b.Loop() {
		for _, path := range paths {
			rates[path] = append(rates[path], send(path))
		}
		last := len(ratios)
		ratios = append(ratios, rates["host"][last]/rates["bridge"][last])
	}
	for _, path := range paths {
		b.ReportMetric(median(rates[path]), fmt.Sprintf("%s-records/s", path))
	}
	b.ReportMetric(median(ratios), "host/bridge")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
