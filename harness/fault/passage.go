package fault

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

const (
	chunkSize   = 64 << 10        // read at once
	dialTimeout = 3 * time.Second // for a broker to accept a connection
)

// ending is how a connection ends: graceful, so that its peer sees the end of the stream, or abrupt, by a reset.
type ending bool

const (
	graceful ending = false
	abrupt   ending = true
)

func closeConn(conn *net.TCPConn, how ending) {
	if how == abrupt {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
}

// passage is one client's connection through a link.
type passage struct {
	link   *link
	client *net.TCPConn
	asked  inFlight
	line   *line // responses on their way to the client

	mutex  sync.Mutex
	server *net.TCPConn // nil: not dialled yet
	ended  bool
}

func newPassage(l *link, client *net.TCPConn) *passage {
	return &passage{link: l, client: client, line: newLine(client)}
}

// run passes bytes on in both directions until either side ends.
func (p *passage) run(ctx context.Context) {
	server, err := p.dial(ctx)
	if err != nil {
		p.end(abrupt) // what a client behind a link can see of a broker that refuses
		return
	}
	var passing sync.WaitGroup
	passing.Go(func() { p.end(p.requests(server)) })
	passing.Go(p.line.release)
	p.end(p.responses(server))
	passing.Wait()
}

func (p *passage) dial(ctx context.Context) (*net.TCPConn, error) {
	direct := p.link.direct.Load()
	if direct == nil {
		return nil, errors.New("the broker's address is not known yet")
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", *direct)
	if err != nil {
		return nil, err
	}
	server := conn.(*net.TCPConn)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.ended {
		closeConn(server, graceful)
		return nil, net.ErrClosed
	}
	p.server = server
	return server, nil
}

// end closes both sides, and says whether it was the first to do so: only that one decides what the client sees.
func (p *passage) end(how ending) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.ended {
		return false
	}
	p.ended = true
	p.line.close()
	closeConn(p.client, how)
	if p.server != nil {
		closeConn(p.server, how)
	}
	return true
}

// requests passes on what the client sends, noting what it asks for, until either side ends.
func (p *passage) requests(server *net.TCPConn) ending {
	chunk := p.link.chunks.Get().(*[chunkSize]byte)
	defer p.link.chunks.Put(chunk)
	frames := broker.Frames{Head: broker.RequestHead}
	understood := true
	for {
		n, err := p.client.Read(chunk[:])
		for rest := chunk[:n]; understood && len(rest) > 0; {
			_, end, head, strange := frames.Next(rest)
			if head != nil {
				p.asked.ask(int16(binary.BigEndian.Uint16(head)), binary.BigEndian.Uint32(head[4:]))
			}
			understood = strange == nil
			rest = rest[end:]
		}
		if _, failed := server.Write(chunk[:n]); failed != nil {
			return abrupt
		}
		if err != nil {
			return endingOf(err)
		}
	}
}

// responses passes on what the broker answers, until either side ends.
func (p *passage) responses(server *net.TCPConn) ending {
	chunk := p.link.chunks.Get().(*[chunkSize]byte)
	defer p.link.chunks.Put(chunk)
	answers := answers{passage: p, frames: broker.Frames{Head: broker.ResponseHead}}
	for {
		n, err := server.Read(chunk[:])
		if swallowed := answers.pass(chunk[:n]); swallowed {
			p.line.drain()
			return abrupt
		}
		if err != nil {
			p.line.drain()
			return endingOf(err)
		}
	}
}

// endingOf is how to end one side of a passage when the other side ended with err.
func endingOf(err error) ending {
	if errors.Is(err, io.EOF) {
		return graceful
	}
	return abrupt
}
