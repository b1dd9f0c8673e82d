// Package broker starts the Kafka under a run and ends it.
//
// It takes a Spec and the topics of the run and gives a Cluster: where the brokers are, a way around whatever stands in
// front of them, and the faults that only this kind of broker can do. It knows nothing of scenarios, of the schedule of
// faults, or of who produces.
//
//	client ──▶ advertised address ──▶ broker     the address of a link, or the broker's own
//	oracle ──▶ Dial ────────────────▶ broker     a door of its own, which no fault ever closes
//
// Today there is one kind, a Kafka in the harness's own process: kfake, one listener wrapper (door) per broker. What
// every kind has is in this file; what only the embedded broker can do (Crash, Answer) is in crash.go and answer.go.
//
// A broker is meant by its place in Nodes wherever a method takes a node; a scenario's broker N is Nodes()[N-1].
package broker

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is a running Kafka cluster. Its methods are safe for concurrent use.
type Cluster struct {
	nodes    []Node
	embedded *embedded
}

// Node is one broker of the cluster.
type Node struct {
	ID         int32  // as in Kafka's metadata
	Direct     string // host:port of the broker itself
	Advertised string // host:port that the broker tells its clients: a link's, or Direct
}

// Start starts a cluster with the given topics, spread evenly over its brokers, and nothing else: no topic is created
// because somebody asks for it. With advertise, which then has one address per broker, clients are sent to those
// addresses instead of the brokers' own.
func Start(ctx context.Context, spec Spec, topics []Topic, advertise []net.Addr) (*Cluster, error) {
	if spec.Kind != Embedded {
		return nil, fmt.Errorf("unknown kind of broker %q, known: %s", spec.Kind, strings.Join(spec.Kind.Known(), ", "))
	}
	if spec.Brokers < 1 {
		return nil, fmt.Errorf("a cluster has at least 1 broker, got %d", spec.Brokers)
	}
	if advertise != nil && len(advertise) != spec.Brokers {
		return nil, fmt.Errorf("%d addresses to advertise for %d brokers", len(advertise), spec.Brokers)
	}
	if err := checkTopics(topics, spec.Brokers); err != nil {
		return nil, err
	}
	embedded, err := startEmbedded(spec.Brokers, advertise)
	if err != nil {
		return nil, err
	}
	c := &Cluster{nodes: embedded.nodes(), embedded: embedded}
	if err := c.createTopics(ctx, topics); err != nil {
		embedded.close()
		return nil, err
	}
	return c, nil
}

// Nodes are the brokers, in order.
func (c *Cluster) Nodes() []Node { return slices.Clone(c.nodes) }

// Bootstrap is where a client finds the cluster: the advertised address of every broker.
func (c *Cluster) Bootstrap() []string {
	addresses := make([]string, len(c.nodes))
	for i, node := range c.nodes {
		addresses[i] = node.Advertised
	}
	return addresses
}

// Dial connects to the broker that has the given direct or advertised address, around links and crashes. It is the
// dialer of whoever observes the cluster (kgo.Dialer).
func (c *Cluster) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	for i, node := range c.nodes {
		if address == node.Advertised || address == node.Direct {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, c.embedded.doors[i].private.Addr().String())
		}
	}
	return nil, fmt.Errorf("dial %s: not a broker of this cluster", address)
}

// Probe asks a broker which requests it understands, the way a client does: a new connection to the advertised address.
// The error is nil when the answer came within ctx.
func (c *Cluster) Probe(ctx context.Context, node int) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.nodes[node].Advertised)
	if err != nil {
		return fmt.Errorf("probe broker %d: %w", node+1, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := ask(ctx, conn, kmsg.NewPtrApiVersionsRequest()); err != nil {
		return fmt.Errorf("probe broker %d: %w", node+1, err)
	}
	return nil
}

// Version says what the brokers are, with the version of their code.
func (c *Cluster) Version() string { return c.embedded.version() }

// Close ends the brokers and every connection to them, and forgets their records. It may be called again.
func (c *Cluster) Close(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.embedded.close()
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close embedded broker: %w", ctx.Err())
	}
}
