package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// externalTimeout bounds what is asked of an external cluster before and after a run.
const externalTimeout = 30 * time.Second

// external is somebody's running cluster. The run owns its topics there and nothing else.
type external struct {
	spec       Spec
	brokers    []Node
	controller int      // the broker that creates and deletes topics
	release    string   // of Kafka, by what the brokers understand
	owned      []string // topics that the run created, or may have
}

// TopicName is what a topic of the scenario is called in the cluster: on an external one its name carries the run, so that
// it cannot be anybody else's.
func (s Spec) TopicName(name string) string {
	if s.Kind != External {
		return name
	}
	return s.own() + name
}

// own is how the names of the topics begin that this run may create and delete in an external cluster.
func (s Spec) own() string { return s.Prefix + s.Run + "-" }

// Exceeded says which of the caps a plan breaks, in the order of the fields: its highest rate in records per second, its
// payload in bytes and its length.
func (c Caps) Exceeded(rate, own, bytes float64, length time.Duration) []string {
	var broken []string
	if limit := c.Rate.Of(own); rate > limit {
		broken = append(broken, fmt.Sprintf("%.0f records/s at most, and the cap is %.0f/s", rate, limit))
	}
	if bytes > float64(c.Bytes) {
		broken = append(broken, fmt.Sprintf("about %.0f bytes of payload, and the cap is %v", bytes, c.Bytes))
	}
	if length > c.Duration {
		broken = append(broken, fmt.Sprintf("%v long, and the cap is %v", length, c.Duration))
	}
	return broken
}

func (s Spec) checkExternal(advertise []net.Addr) error {
	switch {
	case !s.Allowed:
		return errors.New("an external broker is somebody's cluster: say --allow-external if the run may write to it")
	case len(s.Bootstrap) == 0:
		return errors.New("an external broker needs the addresses of some brokers: give bootstrap: [host:port]")
	case s.ClusterID == "":
		return errors.New("an external broker needs the identity that its cluster must have: give cluster_id, as kafka-cluster.sh cluster-id shows it")
	case s.Run == "" || s.Prefix == "":
		return errors.New("an external broker needs the identity of the run and a prefix for its topics")
	case s.Caps == nil:
		return errors.New("an external broker needs limits: give caps: {rate, bytes, duration}")
	case advertise != nil:
		return errors.New("an external broker advertises its own addresses: no link can stand before it")
	}
	return nil
}

// connectExternal finds the cluster behind the bootstrap addresses and refuses any but the expected one. It has asked
// for nothing but metadata then, without topics.
func connectExternal(ctx context.Context, spec Spec) (*external, error) {
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	e := &external{spec: spec}
	var errs []error
	for _, address := range spec.Bootstrap {
		metadata, err := e.describe(ctx, address)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", address, err))
			continue
		}
		if err := e.recognise(metadata); err != nil {
			return nil, fmt.Errorf("connect to %s: %w", address, err)
		}
		e.brokers, e.controller = brokersOf(metadata)
		return e, nil
	}
	return nil, fmt.Errorf("connect to the external cluster: no bootstrap address answers: %w", errors.Join(errs...))
}

// recognise compares the identity of a cluster, before anything else it says is believed.
func (e *external) recognise(metadata *kmsg.MetadataResponse) error {
	found := "without an identity"
	if metadata.ClusterID != nil {
		found = *metadata.ClusterID
	}
	if found != e.spec.ClusterID {
		return fmt.Errorf("this is cluster %s, not %s: correct bootstrap or cluster_id, nothing was touched", found, e.spec.ClusterID)
	}
	return nil
}

// brokersOf are the brokers in the order of their ids, and which of them creates and deletes topics.
func brokersOf(metadata *kmsg.MetadataResponse) (brokers []Node, controller int) {
	known := slices.SortedFunc(slices.Values(metadata.Brokers), func(a, b kmsg.MetadataResponseBroker) int {
		return cmp.Compare(a.NodeID, b.NodeID)
	})
	for i, broker := range known {
		address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
		brokers = append(brokers, Node{ID: broker.NodeID, Direct: address, Advertised: address})
		if broker.NodeID == metadata.ControllerID {
			controller = i
		}
	}
	return brokers, controller
}

// describe asks the broker at an address for the cluster and no topic.
func (e *external) describe(ctx context.Context, address string) (*kmsg.MetadataResponse, error) {
	conn, err := e.connect(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 7
	request.Topics = []kmsg.MetadataRequestTopic{} // nil would be all
	response, err := ask(ctx, conn, request)
	if err != nil {
		return nil, err
	}
	return response.(*kmsg.MetadataResponse), nil
}

func (e *external) nodes() []Node { return slices.Clone(e.brokers) }

func (e *external) dial(ctx context.Context, network string, node int) (net.Conn, error) {
	return e.connect(ctx, network, e.brokers[node].Direct)
}

// connect opens every connection of the harness to the cluster: the place for TLS and SASL.
func (e *external) connect(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

// create creates the topics, after making sure that none of them exists.
func (e *external) create(ctx context.Context, c *Cluster, topics []Topic) error {
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	for _, topic := range topics {
		if !strings.HasPrefix(topic.Name, e.spec.own()) {
			return fmt.Errorf("create topic %s: the run owns nothing in an external cluster but %s…", topic.Name, e.spec.own())
		}
	}
	if err := e.refuseExisting(ctx, c, topics); err != nil {
		return err
	}
	release, err := c.release(ctx, e.controller)
	if err != nil {
		return err
	}
	e.release = release
	for _, topic := range topics {
		e.owned = append(e.owned, topic.Name) // also when the answer is lost
		if err := c.createTopic(ctx, e.controller, topic, nil); err != nil {
			return err
		}
	}
	return c.AwaitInSync(ctx)
}

// refuseExisting finds topics that the run did not create. Whether one exists must be certain.
func (e *external) refuseExisting(ctx context.Context, c *Cluster, topics []Topic) error {
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 7
	request.Topics = []kmsg.MetadataRequestTopic{}
	for _, wanted := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(wanted.Name)
		request.Topics = append(request.Topics, topic)
	}
	response, err := c.ask(ctx, e.controller, request)
	if err != nil {
		return fmt.Errorf("look for existing topics: %w", err)
	}
	for _, topic := range response.(*kmsg.MetadataResponse).Topics {
		switch err := kerr.ErrorForCode(topic.ErrorCode); {
		case err == nil:
			return fmt.Errorf("topic %s exists already: a run uses no topic that it did not create", *topic.Topic)
		case !errors.Is(err, kerr.UnknownTopicOrPartition):
			return fmt.Errorf("find out whether topic %s exists: %w", *topic.Topic, err)
		}
	}
	return nil
}

func (e *external) version() string {
	return fmt.Sprintf("external cluster %s (speaks the protocol of Kafka %s)", e.spec.ClusterID, e.release)
}

// close deletes the topics of the run, in the cluster that it knows and no other.
func (e *external) close(ctx context.Context) error {
	if len(e.owned) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), externalTimeout)
	defer cancel()
	err := e.delete(ctx)
	if err != nil {
		return fmt.Errorf("delete the topics of the run: %w: delete %s by hand", err, strings.Join(e.owned, ", "))
	}
	e.owned = nil
	return nil
}

func (e *external) delete(ctx context.Context) error {
	metadata, err := e.describe(ctx, e.brokers[e.controller].Direct)
	if err != nil {
		return err
	}
	if err := e.recognise(metadata); err != nil { // a name may lead elsewhere by now
		return err
	}
	brokers, controller := brokersOf(metadata)
	conn, err := e.connect(ctx, "tcp", brokers[controller].Direct)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.Version = 3
	request.TimeoutMillis = int32(createTimeout.Milliseconds())
	request.TopicNames = e.owned
	response, err := ask(ctx, conn, request)
	if err != nil {
		return err
	}
	for _, deleted := range response.(*kmsg.DeleteTopicsResponse).Topics {
		if err := kerr.ErrorForCode(deleted.ErrorCode); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("%s: %w", *deleted.Topic, err)
		}
	}
	return nil
}
