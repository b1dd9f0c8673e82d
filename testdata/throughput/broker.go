package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/broker"
)

// startBroker makes the children's broker. Embedded, each has one of its own. In Docker one stays for all of them, since
// a cold JVM halves the first seconds, and each makes topics of its own in it.
func (b *bench) startBroker(ctx context.Context, kind string) (end func() error, err error) {
	if kind == string(broker.Embedded) {
		b.sets = []string{"broker.brokers=1"}
		return func() error { return nil }, nil
	}
	scenario, err := harness.Load(scenarioFile, harness.Overrides{
		Set: []string{"broker.kind=docker", "broker.brokers=1", "broker.heap=1GiB"}, Env: os.LookupEnv,
	})
	if err != nil {
		return nil, err
	}
	spec := scenario.Broker
	spec.Run = fmt.Sprintf("throughput%d", os.Getpid())
	spec.NoBridge = true // as a run does by itself where no fault needs the bridge
	cluster, err := broker.Start(ctx, spec, []broker.Topic{scenario.Topic}, nil)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Bootstrap()...))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	metadata, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return nil, err
	}
	b.sets = []string{
		"broker.kind=external", "broker.bootstrap=[" + strings.Join(cluster.Bootstrap(), ",") + "]",
		"broker.cluster_id=" + metadata.Cluster,
		"broker.caps.rate=1000000/s", "broker.caps.bytes=1000GiB", "broker.caps.duration=1h",
	}
	return func() error { return cluster.Close(context.Background()) }, nil
}
