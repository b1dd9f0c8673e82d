package fleettest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// The cluster of every clause.
const (
	partitions = 4
	brokers    = 2
)

// scene is where a clause is played: a cluster, a producer connected to it, and all that was sent and came back.
//
//	producer ──▶ links ──▶ gate ──▶ brokers
//	         ◀── (lossy)
type scene struct {
	*client
	topic   string // of this scene alone: a producer that does not end may find another scene at the address of its own
	cluster *broker.Cluster
	links   *fault.Links
	gate    gate
	losing  *fault.Runner // nil: no responses are lost
	lossy   sync.WaitGroup
	heal    context.CancelFunc
}

// open starts a cluster and connects a producer to it.
func (k kit) open(ctx context.Context, config producer.Config) (*scene, error) {
	s, err := k.stage(ctx)
	if err != nil {
		return nil, err
	}
	if s.client, err = k.start(ctx, s.bootstrapped(config), s.topic); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// stage starts a cluster without a producer.
func (k kit) stage(ctx context.Context) (s *scene, err error) {
	s = &scene{topic: "conformance-" + rand.Text(), gate: gate{open: true, opened: make(chan struct{}), acks: map[int16]bool{}}, heal: func() {}}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("set the scene: %w", err)
		}
	}()
	if s.links, err = fault.Listen(brokers, 1); err != nil {
		return s, err
	}
	s.cluster, err = broker.Start(ctx, broker.Spec{Kind: broker.Embedded, Brokers: brokers}, s.topics(), s.links.Addrs())
	if err != nil {
		return s, err
	}
	var direct []string
	for _, node := range s.cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	s.links.Connect(direct)
	return s, errors.Join(s.cluster.Hold(s.gate.pass), s.cluster.Observe(s.gate.observe))
}

func (s *scene) topics() []broker.Topic {
	return []broker.Topic{{Name: s.topic, Partitions: partitions, ReplicationFactor: 1, MinInsyncReplicas: 1}}
}

// bootstrapped are settings that lead to the cluster.
func (s *scene) bootstrapped(config producer.Config) producer.Config {
	config.Bootstrap = s.cluster.Bootstrap()
	return config
}

// close ends everything, a producer that the clause has not closed first. How that closes is not looked at.
func (s *scene) close() {
	s.gate.let()
	s.heal()
	s.lossy.Wait()
	if s.client != nil {
		_ = s.end(short)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.cluster != nil {
		_ = s.cluster.Close(ctx)
	}
	_ = s.links.Close()
}

// crash takes every broker away for good, as far as clients can see.
func (s *scene) crash() error {
	for node := range brokers {
		if err := s.cluster.Crash(node); err != nil {
			return err
		}
	}
	return nil
}

// lose swallows responses to produce requests from now on, together with their connections, as the spec says.
func (s *scene) lose(ctx context.Context, spec fault.Spec) error {
	spec.Name, spec.Do, spec.Target, spec.For = "loss", fault.LoseAck, fault.Target{All: true}, time.Hour
	began := time.Now()
	s.losing = fault.NewRunner([]fault.Spec{spec}, fault.Field{
		World:       fault.World{Broker: broker.Embedded, Brokers: brokers, Topics: s.topics()},
		Cluster:     s.cluster,
		Links:       s.links,
		Clock:       func() time.Duration { return time.Since(began) },
		HealTimeout: patience,
		Seed:        1,
	})
	ctx, s.heal = context.WithCancel(ctx)
	broken := make(chan error, 1)
	s.lossy.Go(func() { broken <- s.losing.Run(ctx) })
	return await(patience, func() (bool, error) {
		select {
		case err := <-broken:
			return false, fmt.Errorf("lose responses: %w", errors.Join(err, errors.New("it is over already")))
		default:
			return s.losing.Lives()[0].InjectedAt != fault.Never, nil
		}
	}, "responses are lost")
}

// lost is how many responses have been swallowed.
func (s *scene) lost() int64 { return s.losing.Lives()[0].Hits }

// await asks until the answer is yes, gently.
func await(limit time.Duration, done func() (bool, error), what string) error {
	const every = 5 * time.Millisecond
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		if yes, err := done(); yes || err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return fmt.Errorf("after %s it is not so that %s", limit, what)
		}
	}
}

// pause gives what should not come the time to come.
func pause(ctx context.Context, length time.Duration) {
	over := time.NewTimer(length)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// gate holds produce requests back, before the broker does anything with them, while it is shut.
type gate struct {
	mu      sync.Mutex
	open    bool
	opened  chan struct{}  // closed, and replaced, when the gate is opened
	arrived int            // requests so far
	acks    map[int16]bool // the acknowledgements that requests have asked for which have passed
}

// pass notes a request and waits until the gate is open.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrived++
	for !g.open {
		opened := g.opened
		g.mu.Unlock()
		<-opened
		g.mu.Lock()
	}
}

// observe notes what a request asks for that has passed.
func (g *gate) observe(request *kmsg.ProduceRequest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acks[request.Acks] = true
}

// shut holds back every request from now on.
func (g *gate) shut() { g.set(false) }

// let lets every request pass.
func (g *gate) let() { g.set(true) }

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
	if open {
		close(g.opened)
		g.opened = make(chan struct{})
	}
}

// held waits until a request has arrived. A producer that sends nothing for so long is none.
func (g *gate) held() error {
	return await(patience, func() (bool, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.arrived > 0, nil
	}, "a produce request has reached a broker")
}

// asked waits until a request has passed, and says which acknowledgements all so far asked for.
func (g *gate) asked() (levels []int16, err error) {
	err = await(patience, func() (bool, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		levels = slices.Sorted(maps.Keys(g.acks))
		return len(levels) > 0, nil
	}, "a broker has acted on a produce request")
	return levels, err
}
