package fault

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// maxHeld is how many bytes a line holds back before it stops taking more. With 200 ms of latency that is 160 MB/s of
// responses on one connection.
const maxHeld = 32 << 20

// line is a delay line: what is sent leaves a while later, in order, however much is on its way. Nothing waits for what
// was sent before it to arrive, so that a delay costs no throughput. One goroutine sends, another releases.
type line struct {
	to io.Writer

	mutex  sync.Mutex
	held   []held
	bytes  int
	change chan struct{} // closed, and replaced, when held or bytes changed
	closed chan struct{}
	once   sync.Once
}

type held struct {
	bytes []byte
	due   time.Time
}

func newLine(to io.Writer) *line {
	return &line{to: to, change: make(chan struct{}), closed: make(chan struct{})}
}

// send lets a piece leave after hold, or now where nothing is held back. It keeps no reference to the piece. It waits
// while the line is full. Errors of writing are left to whoever reads from the other side of the connection.
func (l *line) send(piece []byte, hold time.Duration) {
	if len(piece) == 0 {
		return
	}
	due := time.Now().Add(hold)
	l.mutex.Lock()
	for len(l.held) > 0 && l.bytes+len(piece) > maxHeld {
		if !l.await() {
			l.mutex.Unlock()
			return
		}
	}
	if hold <= 0 && len(l.held) == 0 {
		l.mutex.Unlock()
		_, _ = l.to.Write(piece)
		return
	}
	l.held = append(l.held, held{bytes.Clone(piece), due})
	l.bytes += len(piece)
	l.signal()
	l.mutex.Unlock()
}

// release writes what is due, until the line is closed.
func (l *line) release() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.mutex.Lock()
		for len(l.held) == 0 {
			if !l.await() {
				l.mutex.Unlock()
				return
			}
		}
		next := l.held[0]
		l.mutex.Unlock()

		timer.Reset(time.Until(next.due))
		select {
		case <-timer.C:
		case <-l.closed:
			return
		}
		_, _ = l.to.Write(next.bytes)

		l.mutex.Lock()
		l.held[0] = held{}
		l.held = l.held[1:]
		l.bytes -= len(next.bytes)
		l.signal()
		l.mutex.Unlock()
	}
}

// drain waits until nothing is held back any more, or until the line is closed.
func (l *line) drain() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for len(l.held) > 0 {
		if !l.await() {
			return
		}
	}
}

// close drops what is held back.
func (l *line) close() { l.once.Do(func() { close(l.closed) }) }

// await gives the mutex away until something changes. False says that the line was closed.
func (l *line) await() bool {
	change := l.change
	l.mutex.Unlock()
	defer l.mutex.Lock()
	select {
	case <-change:
		return true
	case <-l.closed:
		return false
	}
}

func (l *line) signal() {
	close(l.change)
	l.change = make(chan struct{})
}
