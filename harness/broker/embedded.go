package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/fleetproof/fleetproof/producer"
)

// segmentBytes is the size at which an embedded broker begins a new segment of a partition's log. Deleted records give
// their memory back by whole segments, so that a partition that is trimmed behind its reader holds about two of them;
// Kafka's 1 GiB, or kfake's 100 MiB, would hold whole runs.
const segmentBytes = 256 << 10

// embedded is a kfake cluster behind its doors.
type embedded struct {
	kfake *kfake.Cluster
	doors []*door
}

// startEmbedded starts so many brokers. It logs nothing.
func startEmbedded(brokers int, advertise []net.Addr) (*embedded, error) {
	e := new(embedded)
	for i := range brokers {
		var advertised net.Addr
		if advertise != nil {
			advertised = advertise[i]
		}
		door, err := openDoor(advertised)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen: %w", err), e.closeDoors())
		}
		e.doors = append(e.doors, door)
	}
	handed := 0
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(brokers),
		kfake.ClusterID("fleetproof"),
		kfake.BrokerConfigs(map[string]string{"log.segment.bytes": strconv.Itoa(segmentBytes)}),
		kfake.ListenFn(func(string, string) (net.Listener, error) { // called once per broker, in order
			handed++
			return e.doors[handed-1], nil
		}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start kfake: %w", err), e.closeDoors())
	}
	e.kfake = cluster
	return e, nil
}

func (e *embedded) nodes() []Node {
	nodes := make([]Node, len(e.doors))
	for i, door := range e.doors {
		nodes[i] = Node{ID: int32(i), Direct: door.public.Addr().String(), Advertised: door.advertised.String()}
	}
	return nodes
}

func (e *embedded) version() string {
	return "kfake " + producer.ModuleVersion("github.com/twmb/franz-go/pkg/kfake")
}

// dial goes through the door that no crash shuts.
func (e *embedded) dial(ctx context.Context, network string, node int) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, e.doors[node].private.Addr().String())
}

// create gives partition p of every topic to the broker p modulo their number: kfake draws leaders by dice, which no seed
// reaches.
func (e *embedded) create(ctx context.Context, c *Cluster, topics []Topic) error {
	controller := len(e.doors) - 1 // kfake's is always the last
	for _, topic := range topics {
		if err := c.createTopic(ctx, controller, topic, nil); err != nil {
			return err
		}
		for partition := range int32(topic.Partitions) {
			if err := e.kfake.MoveTopicPartition(topic.Name, partition, partition%int32(len(e.doors))); err != nil {
				return fmt.Errorf("place %s/%d: %w", topic.Name, partition, err)
			}
		}
	}
	return nil
}

// close ends kfake, which closes the doors and with them every connection.
func (e *embedded) close(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		e.kfake.Close()
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close embedded broker: %w", ctx.Err())
	}
}

func (e *embedded) closeDoors() error {
	var errs []error
	for _, door := range e.doors {
		errs = append(errs, door.Close())
	}
	return errors.Join(errs...)
}
