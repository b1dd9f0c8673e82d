package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

// patience is how long a method of the client may take after its context has ended: a torn down client has to let go of
// connections, on a machine that may be busy.
const patience = 5 * time.Second

// closeTurns is how many times its patience a Close may take that still gives outcomes: a client may have to give up on
// millions of records.
const closeTurns = 12

// haste is how long it may still take once the run is to be left at once.
const haste = time.Second

// guest is the client under test, which may break every clause of its contract (package producer) without taking the run
// along: a method that does not return is left behind, a panic becomes an error, an outcome that cannot be is refused.
// What it broke is noted, and makes the run an error. What a client does in a goroutine of its own is beyond reach: a
// panic there ends the process.
type guest struct {
	producer.Kind
	outcome  func(producer.Outcome) bool // takes one in, and is false where it cannot be
	patience time.Duration
	abort    <-chan struct{} // closed: the run is to be left at once

	producer producer.Producer // nil until connected

	gate    sync.RWMutex // held for reading while an outcome is taken in
	closed  bool         // guarded by gate: no outcome is taken in any more
	closing atomic.Bool
	givenUp atomic.Int64 // outcomes taken in since Close was called, without those that cannot be

	mutex    sync.Mutex
	breaches []breach
	stats    producer.Stats // the latest
	silent   bool           // Stats did not return once, and is not called again
}

// breach is how a clause of the contract was broken.
type breach struct {
	clause string // as package producer has it
	first  string // what happened, the first time
	times  int
}

func newGuest(kind producer.Kind, outcome func(producer.Outcome) bool, patience time.Duration, abort <-chan struct{}) *guest {
	return &guest{Kind: kind, outcome: outcome, patience: patience, abort: abort}
}

// errLeft is the cause of a call that was left behind because it did not return.
var errLeft = errors.New("did not return")

// connect calls New. The producer of a New that returns too late is closed.
func (g *guest) connect(ctx context.Context, config producer.Config) error {
	made := make(chan producer.Producer, 1)
	err := g.within(ctx, "New", func() (err error) {
		var connected producer.Producer
		defer func() { made <- connected }()
		connected, err = g.New(ctx, config, g.take)
		return err
	}, still)
	switch {
	case errors.Is(err, errLeft):
		go func() {
			if late := <-made; late != nil {
				_ = late.Close(ctx) // nobody is left to be told
			}
		}()
		return err
	case err != nil:
		return err
	}
	g.producer = <-made
	if g.producer == nil {
		return g.breaks("New returns a producer or an error", "it returned neither")
	}
	return nil
}

// send calls Send in the caller's goroutine, for it is called for every record: who wants to leave a Send that does not
// return leaves the goroutine.
func (g *guest) send(ctx context.Context, record *producer.Record) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = g.panics("Send", cause)
		}
	}()
	return g.producer.Send(ctx, record)
}

// flush waits for outcomes until the end of ctx.
func (g *guest) flush(ctx context.Context) {
	err := g.within(ctx, "Flush", func() error { return g.producer.Flush(ctx) }, still)
	if err != nil && ctx.Err() == nil && !isBreach(err) {
		_ = g.breaks("the only error of Flush is the end of its context", err.Error())
	}
}

// close calls Close. As long as that gives outcomes it is waited for. None is taken in afterwards, whether it has returned
// or not.
func (g *guest) close(ctx context.Context) error {
	g.closing.Store(true)
	err := g.within(ctx, "Close", func() error { return g.producer.Close(ctx) }, g.givenUp.Load)
	g.gate.Lock()
	g.closed = true
	g.gate.Unlock()
	if isBreach(err) {
		return nil // it is noted
	}
	return err
}

// count asks for Stats, and returns the latest known where the client does not answer.
func (g *guest) count() producer.Stats {
	g.mutex.Lock()
	latest, silent := g.stats, g.silent
	g.mutex.Unlock()
	if silent {
		return latest
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it has no deadline of its own, because it does not block
	counted := make(chan producer.Stats, 1)
	err := g.within(ctx, "Stats", func() error {
		counted <- g.producer.Stats()
		return nil
	}, still)
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if err != nil {
		g.silent = true
		return g.stats
	}
	g.stats = <-counted
	return g.stats
}

// take takes an outcome in, from any goroutine of the client.
func (g *guest) take(o producer.Outcome) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	switch {
	case g.closed:
		_ = g.breaks("no outcome is given after Close", fmt.Sprintf("a record was said to be %s", o.State))
	case o.Record == nil:
		_ = g.breaks("an outcome has the record that was given to Send", fmt.Sprintf("one that said %s had none", o.State))
	default:
		if g.outcome(o) && g.closing.Load() {
			g.givenUp.Add(1)
		}
	}
}

// within makes a call beside the end of its context. A call that has not returned a while after that is left behind, with
// its goroutine: nothing can end a goroutine from outside. One that shows progress gets the while again, closeTurns times in
// all.
func (g *guest) within(ctx context.Context, method string, call func() error, progress func() int64) error {
	began := time.Now()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				done <- g.panics(method, cause)
			}
		}()
		done <- call()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ended := time.Now()
	for turn := 1; ; turn++ {
		before := progress()
		waiting, enough := g.overtime()
		select {
		case err := <-done:
			enough()
			return err
		case <-waiting.Done():
			enough()
		}
		select {
		case err := <-done: // at the same moment
			return err
		default:
		}
		if hurried := errors.Is(waiting.Err(), context.Canceled); hurried || progress() == before || turn == closeTurns {
			return g.left(method, time.Since(ended), time.Since(began))
		}
	}
}

// still is the progress of a call that shows none.
func still() int64 { return 0 }

// overtime is what a call gets whose context has ended. It is cut short, and canceled, where the run is to be left at once.
func (g *guest) overtime() (context.Context, context.CancelFunc) {
	waiting, enough := context.WithTimeout(context.Background(), g.patience)
	go func() {
		select {
		case <-g.abort:
			time.AfterFunc(haste, enough)
		case <-waiting.Done():
		}
	}()
	return waiting, enough
}

// left notes a method that has not returned by the end of its overtime, so long after the end of its context and after the
// call.
func (g *guest) left(method string, end, call time.Duration) error {
	return fmt.Errorf("%w: %w", g.breaks(method+" returns at the end of its context or soon after",
		fmt.Sprintf("it had not, %s after that and %s after the call, and was left behind",
			end.Round(time.Millisecond), call.Round(time.Millisecond))), errLeft)
}

func (g *guest) panics(method string, cause any) error {
	return g.breaks("no method panics", fmt.Sprintf("%s did: %v", method, cause))
}

// brokenError is a broken contract.
type brokenError struct{ text string }

func (e brokenError) Error() string { return e.text }

func isBreach(err error) bool { return errors.As(err, new(brokenError)) }

// breaks notes that a clause of the contract was broken, and returns it as an error.
func (g *guest) breaks(clause, how string) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	i := slices.IndexFunc(g.breaches, func(b breach) bool { return b.clause == clause })
	if i < 0 {
		i = len(g.breaches)
		g.breaches = append(g.breaches, breach{clause: clause, first: how})
	}
	g.breaches[i].times++
	return brokenError{g.said(breach{clause: clause, first: how, times: 1})}
}

// said is a breach in words.
func (g *guest) said(b breach) string {
	text := fmt.Sprintf("client %s broke its contract: %s; %s", g.Name, b.clause, b.first)
	if b.times > 1 {
		text += fmt.Sprintf(" (the first of %d times)", b.times)
	}
	return text
}

// broke is every clause that was broken so far, in the order of the first times.
func (g *guest) broke() []string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	texts := make([]string, len(g.breaches))
	for i, b := range g.breaches {
		texts[i] = g.said(b)
	}
	return texts
}
