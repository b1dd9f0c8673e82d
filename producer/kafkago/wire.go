package kafkago

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// wire is what the Writer speaks to the brokers through: kafka-go's own transport, with a look at what passes. The Writer
// tells by itself neither how often it tried a batch nor lets anybody stop it.
type wire struct {
	transport *kafka.Transport
	request   time.Duration // what a broker may spend on collecting acknowledgements
	end       context.Context
	cutOff    context.CancelFunc

	batches, retries, connections atomic.Int64

	mu    sync.Mutex
	tried map[partition]int // attempts of the batch that a partition has under way
}

type partition struct {
	topic  string
	number int32
}

func newWire(transport *kafka.Transport, request time.Duration) *wire {
	w := &wire{transport: transport, request: request, tried: map[partition]int{}}
	w.end, w.cutOff = context.WithCancel(context.Background())
	transport.Context = w.end
	var dialer net.Dialer
	transport.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.connections.Add(1)
		return &counted{Conn: conn, closed: sync.OnceFunc(func() { w.connections.Add(-1) })}, nil
	}
	return w
}

// RoundTrip is the transport's. The Writer would let the broker take as long as it waits itself, so that the broker's
// answer would come too late.
func (w *wire) RoundTrip(ctx context.Context, address net.Addr, request kafka.Request) (kafka.Response, error) {
	if batch, ok := request.(*produce.Request); ok {
		batch.Timeout = int32(w.request.Milliseconds())
		w.batches.Add(1)
		if w.attempt(batch) > 1 {
			w.retries.Add(1)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(w.end, cancel)()
	}
	if w.end.Err() != nil {
		return nil, w.end.Err()
	}
	return w.transport.RoundTrip(ctx, address, request)
}

// attempt counts an attempt of the batch in a request, which is its only one.
func (w *wire) attempt(request *produce.Request) int {
	at := partition{request.Topics[0].Topic, request.Topics[0].Partitions[0].Partition}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tried[at]++
	return w.tried[at]
}

// attempts says how often the batch was tried that has just come to its end, and begins anew.
func (w *wire) attempts(topic string, number int32) int {
	at := partition{topic, number}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.tried[at]
	w.tried[at] = 0
	return n
}

// cut ends every request and lets no other pass. It may be called more than once.
func (w *wire) cut() {
	w.cutOff()
	w.transport.CloseIdleConnections()
}

// counted is a connection that counts itself out.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}
