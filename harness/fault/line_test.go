package fault

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// arrivals is a writer that notes what arrives and when.
type arrivals struct {
	start time.Time
	mutex sync.Mutex
	seen  []string
}

func (a *arrivals) Write(p []byte) (int, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.seen = append(a.seen, fmt.Sprintf("%s %s", time.Since(a.start), p))
	return len(p), nil
}

func (a *arrivals) take() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	seen := a.seen
	a.seen = nil
	return seen
}

// onLine runs a test with a line that delivers to a, in a bubble of synctest.
func onLine(t *testing.T, test func(l *line, a *arrivals)) {
	synctest.Test(t, func(*testing.T) {
		a := &arrivals{start: time.Now()}
		l := newLine(a)
		var releasing sync.WaitGroup
		releasing.Go(l.release)
		test(l, a)
		l.close()
		l.close()
		releasing.Wait()
	})
}

func TestLinePassesOnAtOnce(t *testing.T) {
	onLine(t, func(l *line, a *arrivals) {
		l.send([]byte("a"), 0)
		l.send(nil, time.Hour) // nothing is not held back
		l.send([]byte("b"), 0)
		assert.Equal(t, []string{"0s a", "0s b"}, a.take())
		l.drain()
	})
}

func TestLineDelaysWithoutAddingUp(t *testing.T) {
	onLine(t, func(l *line, a *arrivals) {
		for _, piece := range []string{"a", "b", "c"} {
			l.send([]byte(piece), 200*time.Millisecond)
			<-time.After(10 * time.Millisecond)
		}
		l.drain()
		synctest.Wait()
		assert.Equal(t, []string{"200ms a", "210ms b", "220ms c"}, a.take())
	})
}

func TestLineKeepsOrder(t *testing.T) {
	onLine(t, func(l *line, a *arrivals) {
		l.send([]byte("a"), 300*time.Millisecond)
		l.send([]byte("b"), 100*time.Millisecond)
		l.send([]byte("c"), 0) // nothing overtakes
		<-time.After(time.Second)
		l.send([]byte("d"), 0)
		assert.Equal(t, []string{"300ms a", "300ms b", "300ms c", "1s d"}, a.take())
	})
}

func TestLineKeepsNoReference(t *testing.T) {
	onLine(t, func(l *line, a *arrivals) {
		piece := []byte("before")
		l.send(piece, time.Second)
		copy(piece, "after!")
		l.drain()
		assert.Equal(t, []string{"1s before"}, a.take())
	})
}

func TestLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var total arrivedBytes
		l := newLine(&total)
		var working sync.WaitGroup
		working.Go(l.release)
		piece := bytes.Repeat([]byte("x"), maxHeld/2)
		start := time.Now()
		for range 3 {
			l.send(piece, time.Second)
		}
		assert.Equal(t, time.Second, time.Since(start), "the third waits until the first has left")
		l.drain()
		assert.Equal(t, arrivedBytes(3*len(piece)), total)

		l.send(piece, time.Second)
		l.send(piece, time.Second)
		working.Go(func() { l.send(piece, time.Second) }) // waits for room, which never comes
		synctest.Wait()
		l.close()
		l.drain()
		working.Wait()
		assert.Equal(t, arrivedBytes(3*len(piece)), total, "what is held back is dropped")
	})
}

type arrivedBytes int

func (a *arrivedBytes) Write(p []byte) (int, error) {
	*a += arrivedBytes(len(p))
	return len(p), nil
}
