// Package broker starts the Kafka under a run and ends it.
//
// It takes a Spec and the topics of the run and gives a Cluster: where the brokers are, a way around whatever stands in
// front of them, and the faults that only this kind of broker can do. It knows nothing of scenarios, of the schedule of
// faults, or of who produces.
//
//	client ──▶ advertised address ──▶ broker     the address of a link, or the broker's own
//	oracle ──▶ Dial ────────────────▶ broker     past every link
//
// There are three kinds. An embedded broker is a Kafka in the harness's own process: kfake, with a listener wrapper (door)
// that lets the oracle in whatever happens to clients. A docker broker is Apache Kafka in a container of the local Docker
// daemon. An external broker is somebody's running cluster, in which the run owns nothing but its topics.
//
// What every kind has is in this file and in insync.go; what only the embedded broker can do (Crash, Answer) is in
// crash.go and answer.go, what only a docker broker can do (Kill, Pause, Isolate, …) in docker_faults.go.
//
// A broker is meant by its place in Nodes wherever a method takes a node; a scenario's broker N is Nodes()[N-1].
package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is a running Kafka cluster. Its methods are safe for concurrent use.
type Cluster struct {
	kafka  kafka
	nodes  []Node
	topics []string // those of the run
}

// kafka is what every kind of broker has a way of its own to do.
type kafka interface {
	dial(ctx context.Context, network string, node int) (net.Conn, error) // past links and faults
	create(ctx context.Context, c *Cluster, topics []Topic) error
	version() string
	close(ctx context.Context) error
}

// Node is one broker of the cluster.
type Node struct {
	ID         int32  // as in Kafka's metadata
	Direct     string // host:port of the broker itself
	Advertised string // host:port that the broker tells its clients: a link's, or Direct
}

// Start starts a cluster with the given topics, spread evenly over its brokers, and nothing else: no topic is created
// because somebody asks for it. With advertise, which then has one address per broker, clients are sent to those
// addresses instead of the brokers' own. An external cluster is only connected to; its topics must not exist yet.
func Start(ctx context.Context, spec Spec, topics []Topic, advertise []net.Addr) (_ *Cluster, err error) {
	if err := spec.check(advertise); err != nil {
		return nil, err
	}
	c, err := spec.begin(ctx, advertise)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.giveUp(context.WithoutCancel(ctx), spec.Logs))
		}
	}()
	if err := checkTopics(topics, len(c.nodes)); err != nil {
		return nil, err
	}
	if err := c.kafka.create(ctx, c, topics); err != nil {
		return nil, err
	}
	return c, nil
}

// giveUp closes a cluster that did not come up, and keeps the logs that may say why.
func (c *Cluster) giveUp(ctx context.Context, logs string) error {
	var err error
	if logs != "" {
		ctx, cancel := context.WithTimeout(ctx, logsTimeout)
		defer cancel()
		err = c.WriteLogs(ctx, logs)
	}
	return errors.Join(err, c.kafka.close(ctx))
}

// begin starts the brokers, or finds them.
func (s Spec) begin(ctx context.Context, advertise []net.Addr) (*Cluster, error) {
	switch s.Kind {
	case Docker:
		started, err := startDocker(ctx, s, advertise)
		if err != nil {
			return nil, err
		}
		return &Cluster{kafka: started, nodes: started.nodes()}, nil
	case External:
		found, err := connectExternal(ctx, s)
		if err != nil {
			return nil, err
		}
		return &Cluster{kafka: found, nodes: found.nodes()}, nil
	default:
		started, err := startEmbedded(s.Brokers, advertise)
		if err != nil {
			return nil, err
		}
		return &Cluster{kafka: started, nodes: started.nodes()}, nil
	}
}

// check finds what makes a spec meaningless, before anything is started.
func (s Spec) check(advertise []net.Addr) error {
	switch {
	case !slices.Contains(s.Kind.Known(), string(s.Kind)):
		return fmt.Errorf("unknown kind of broker %q, known: %s", s.Kind, strings.Join(s.Kind.Known(), ", "))
	case s.Kind == External:
		return s.checkExternal(advertise)
	case s.Brokers < 1:
		return fmt.Errorf("a cluster has at least 1 broker, got %d", s.Brokers)
	case advertise != nil && len(advertise) != s.Brokers:
		return fmt.Errorf("%d addresses to advertise for %d brokers", len(advertise), s.Brokers)
	case s.Kind == Docker:
		return s.checkDocker()
	}
	return nil
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
			return c.kafka.dial(ctx, network, i)
		}
	}
	if e, found := c.kafka.(*external); found { // which may have got another broker meanwhile
		return e.connect(ctx, network, address)
	}
	return nil, fmt.Errorf("dial %s: not a broker of this cluster", address)
}

// Probe asks a broker which requests it understands, the way a client does: a new connection to the advertised address.
// The error is nil when the answer came within ctx.
func (c *Cluster) Probe(ctx context.Context, node int) error {
	var dialer net.Dialer
	return c.probe(ctx, node, dialer.DialContext)
}

// ProbeDirect asks a broker the same, past links and crashes.
func (c *Cluster) ProbeDirect(ctx context.Context, node int) error { return c.probe(ctx, node, c.Dial) }

func (c *Cluster) probe(ctx context.Context, node int, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	conn, err := dial(ctx, "tcp", c.nodes[node].Advertised)
	if err != nil {
		return fmt.Errorf("probe broker %d: %w", node+1, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := ask(ctx, conn, kmsg.NewPtrApiVersionsRequest()); err != nil {
		return fmt.Errorf("probe broker %d: %w", node+1, err)
	}
	return nil
}

// Version says what the brokers are, with the version of their code as far as it is known.
func (c *Cluster) Version() string { return c.kafka.version() }

// Close ends what Start began: the brokers, every connection to them, and their records; of an external cluster only the
// topics of the run. It may be called again. What must be removed, from Docker or from an external cluster, is removed
// even when ctx has ended, within a deadline of its own.
func (c *Cluster) Close(ctx context.Context) error { return c.kafka.close(ctx) }
