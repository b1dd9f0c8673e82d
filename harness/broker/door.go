package broker

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// door is the listener of one embedded broker. It is two listeners in one: the public door, to which clients and links
// connect and which a crash shuts, and the private door, through which the harness observes the broker whatever happens
// to its clients.
//
//	clients ──▶ public ──┐
//	                     ├──▶ Accept ──▶ kfake
//	Dial ─────▶ private ─┘
//
// A crashed broker keeps its port, accepts and resets at once. A port that is really closed may be taken by somebody
// else before the broker is back (loopback clients that dial an ephemeral port long enough even connect to themselves),
// and what it refused could not be counted.
type door struct {
	public, private net.Listener
	advertised      net.Addr
	accepted        chan net.Conn
	closing         chan struct{}
	accepting       sync.WaitGroup
	hold            atomic.Pointer[func()] // what a client's produce request waits for; nil: nothing

	mutex   sync.Mutex
	open    map[*guarded]struct{}
	crashes int   // faults that shut the public door now
	hits    int64 // connections of clients that crashes reset or refused
	closed  bool
}

func openDoor(advertised net.Addr) (*door, error) {
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	private, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, public.Close())
	}
	if advertised == nil {
		advertised = public.Addr()
	}
	d := &door{
		public: public, private: private, advertised: advertised,
		accepted: make(chan net.Conn), closing: make(chan struct{}), open: map[*guarded]struct{}{},
	}
	d.accepting.Go(func() { d.accept(public, true) })
	d.accepting.Go(func() { d.accept(private, false) })
	return d, nil
}

// Accept hands kfake the next connection of either door.
func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.accepted:
		return conn, nil
	case <-d.closing:
		return nil, net.ErrClosed
	}
}

// Addr is what kfake advertises.
func (d *door) Addr() net.Addr { return d.advertised }

// Close shuts both doors and ends every connection.
func (d *door) Close() error {
	d.mutex.Lock()
	if d.closed {
		d.mutex.Unlock()
		return nil
	}
	d.closed = true
	conns := d.conns(func(*guarded) bool { return true })
	d.mutex.Unlock()
	close(d.closing)
	err := errors.Join(d.public.Close(), d.private.Close())
	for _, conn := range conns {
		_ = conn.Close()
	}
	d.accepting.Wait()
	return err
}

// conns are the open connections that fit. The mutex is held.
func (d *door) conns(fits func(*guarded) bool) []*guarded {
	var conns []*guarded
	for conn := range d.open {
		if fits(conn) {
			conns = append(conns, conn)
		}
	}
	return conns
}

func (d *door) accept(listener net.Listener, public bool) {
	const pause = 10 * time.Millisecond // until the system may have file descriptors again
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-d.closing:
				return
			case <-time.After(pause):
				continue
			}
		}
		if admitted := d.admit(conn.(*net.TCPConn), public); admitted != nil {
			select {
			case d.accepted <- admitted:
			case <-d.closing:
			}
		}
	}
}

// admit lets a connection in, or resets it and returns nil where the door is shut.
func (d *door) admit(conn *net.TCPConn, public bool) *guarded {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	refused := public && d.crashes > 0
	if refused {
		d.hits++
	}
	if refused || d.closed {
		reset(conn)
		return nil
	}
	g := &guarded{TCPConn: conn, door: d, public: public, frames: Frames{Head: RequestHead}}
	d.open[g] = struct{}{}
	return g
}

// crash resets what clients have open and refuses more until restore was called as often as crash.
func (d *door) crash() {
	d.mutex.Lock()
	d.crashes++
	hit := d.conns(func(conn *guarded) bool { return conn.public })
	d.hits += int64(len(hit))
	d.mutex.Unlock()
	for _, conn := range hit {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
}

func (d *door) restore() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.crashes == 0 {
		return errors.New("it has not crashed")
	}
	d.crashes--
	return nil
}

func (d *door) refused() int64 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.hits
}

func (d *door) forget(conn *guarded) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.open, conn)
}

// reset ends a connection so that its peer sees an error instead of an end.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
