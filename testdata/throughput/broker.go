package main

import (
	"context"
	"errors"
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
func (b *bench) startBroker(ctx context.Context) (end func() error, err error) {
	if b.broker == string(broker.Embedded) {
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
	starting, cancel := context.WithTimeout(ctx, scenario.Oracle.StartTimeout)
	defer cancel()
	cluster, err := broker.Start(starting, spec, []broker.Topic{scenario.Topic}, nil)
	if err != nil {
		return nil, err
	}
	end = func() error { return cluster.Close(ctx) } // which it does also when ctx has ended
	identity, err := identify(starting, cluster)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask for the identity of the cluster: %w", err), end())
	}
	b.sets = []string{
		"broker.kind=external", "broker.bootstrap=[" + strings.Join(cluster.Bootstrap(), ",") + "]",
		"broker.cluster_id=" + identity,
		"broker.caps.rate=1000000/s", "broker.caps.bytes=1000GiB", "broker.caps.duration=1h",
	}
	return end, nil
}

// identify asks a cluster for its identity, which whoever writes to an external one has to know.
func identify(ctx context.Context, cluster *broker.Cluster) (string, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Bootstrap()...))
	if err != nil {
		return "", err
	}
	defer client.Close()
	metadata, err := kadm.NewClient(client).BrokerMetadata(ctx)
	return metadata.Cluster, err
}
