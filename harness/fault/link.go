package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Links stand between clients and brokers: an in-process TCP proxy per broker. Brokers advertise the addresses of the
// links, which therefore listen before the brokers start and learn later where those are.
//
//	client ──requests──▶ link ──requests──▶ broker
//	client ◀─responses── link ◀─responses── broker
//	          delay, loss and cut live here
//
// A link without a fault passes bytes on as they come. A nil *Links is a run without links: it has no addresses, and
// connecting and closing it does nothing.
type Links struct {
	links    []*link
	seed     uint64
	seeded   atomic.Uint64 // sources of randomness handed out so far
	cancel   context.CancelFunc
	serving  sync.WaitGroup
	closed   sync.Once
	closeErr error
}

// Listen opens a link for each of n brokers, on loopback. All randomness of the links comes from the seed.
func Listen(n int, seed uint64) (*Links, error) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Links{seed: seed, cancel: cancel}
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for a link: %w", err), l.Close())
		}
		opened := newLink(listener.(*net.TCPListener))
		l.links = append(l.links, opened)
		l.serving.Go(func() { opened.serve(ctx, &l.serving) })
	}
	return l, nil
}

// Addrs are the addresses to be advertised, one per broker in order.
func (l *Links) Addrs() []net.Addr {
	if l == nil {
		return nil
	}
	addrs := make([]net.Addr, len(l.links))
	for i, link := range l.links {
		addrs[i] = link.listener.Addr()
	}
	return addrs
}

// Connect says where the brokers are, in order. Until then a link resets its clients.
func (l *Links) Connect(direct []string) {
	if l == nil {
		return
	}
	for i, address := range direct {
		l.links[i].direct.Store(&address)
	}
}

// Close ends the links and every connection through them. It may be called again.
func (l *Links) Close() error {
	if l == nil {
		return nil
	}
	l.closed.Do(func() {
		l.cancel()
		var errs []error
		for _, link := range l.links {
			errs = append(errs, link.close())
		}
		l.serving.Wait()
		l.closeErr = errors.Join(errs...)
	})
	return l.closeErr
}

// random is a source of randomness of its own for each that asks.
func (l *Links) random() *rand.Rand { return rand.New(rand.NewPCG(l.seed, l.seeded.Add(1))) }

// linkFaults are the faults in effect on a link. The value is never changed, only replaced.
type linkFaults struct {
	delays []*delay
	losses []*loss
	cuts   []*cut
}

// delay holds responses back.
type delay struct {
	latency, jitter time.Duration
	hits            atomic.Int64 // responses delayed
	held            atomic.Int64 // the same, with what greets a new connection

	mutex  sync.Mutex
	random *rand.Rand
}

// draw is how long the next response is held back.
func (d *delay) draw() time.Duration {
	d.held.Add(1)
	if d.jitter == 0 {
		return d.latency
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.latency - d.jitter + time.Duration(d.random.Int64N(2*int64(d.jitter)+1))
}

// loss swallows produce responses.
type loss struct {
	strike func() bool
	hits   atomic.Int64 // responses swallowed
}

// cut closes and refuses connections.
type cut struct {
	hits atomic.Int64 // connections closed or refused
}

// link is the proxy of one broker.
type link struct {
	listener *net.TCPListener
	direct   atomic.Pointer[string]
	faults   atomic.Pointer[linkFaults]
	chunks   sync.Pool // *[chunkSize]byte

	mutex  sync.Mutex // guards open and closed, and changes of faults
	open   map[*passage]struct{}
	closed bool
}

func newLink(listener *net.TCPListener) *link {
	l := &link{listener: listener, open: map[*passage]struct{}{}}
	l.chunks.New = func() any { return new([chunkSize]byte) }
	l.faults.Store(&linkFaults{})
	return l
}

// change replaces the faults in effect.
func (l *link) change(edit func(*linkFaults)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	old := l.faults.Load()
	next := &linkFaults{delays: slices.Clone(old.delays), losses: slices.Clone(old.losses), cuts: slices.Clone(old.cuts)}
	edit(next)
	l.faults.Store(next)
}

// sever puts a cut into effect: what is open is closed, and what comes is refused until the cut is taken back.
func (l *link) sever(c *cut) {
	l.change(func(f *linkFaults) { f.cuts = append(f.cuts, c) })
	l.mutex.Lock()
	hit := l.passages()
	l.mutex.Unlock()
	for _, p := range hit {
		if p.end(graceful) {
			c.hits.Add(1)
		}
	}
}

// passages are the open connections. The mutex is held.
func (l *link) passages() []*passage {
	open := make([]*passage, 0, len(l.open))
	for p := range l.open {
		open = append(open, p)
	}
	return open
}

// longest is how long the faults in effect can hold a response back.
func (l *link) longest() time.Duration {
	var sum time.Duration
	for _, d := range l.faults.Load().delays {
		sum += d.latency + d.jitter
	}
	return sum
}

// serve accepts until the link is closed.
func (l *link) serve(ctx context.Context, serving *sync.WaitGroup) {
	const pause = 10 * time.Millisecond // until the system may have file descriptors again
	for {
		conn, err := l.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
				continue
			}
		}
		if p := l.admit(conn); p != nil {
			serving.Go(func() {
				p.run(ctx)
				l.forget(p)
			})
		}
	}
}

// admit lets a client through, or resets it and returns nil where the link is cut. The listener stays open all the
// while: its port might be somebody else's when the cut is healed, and what a closed port refuses cannot be counted.
func (l *link) admit(client *net.TCPConn) *passage {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	cuts := l.faults.Load().cuts
	for _, c := range cuts {
		c.hits.Add(1)
	}
	if len(cuts) > 0 || l.closed {
		closeConn(client, abrupt)
		return nil
	}
	p := newPassage(l, client)
	l.open[p] = struct{}{}
	return p
}

func (l *link) forget(p *passage) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.open, p)
}

func (l *link) close() error {
	l.mutex.Lock()
	l.closed = true
	open := l.passages()
	l.mutex.Unlock()
	err := l.listener.Close()
	for _, p := range open {
		p.end(graceful)
	}
	return err
}
