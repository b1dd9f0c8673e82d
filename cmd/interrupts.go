package cmd

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupts turns signals into the two ways of ending a run early.
type interrupts struct {
	ctx   context.Context // done at the first: stop the load, heal, drain, judge
	abort <-chan struct{} // closed at the second: heal and leave
	stop  func()          // ends the watching
}

// watchInterrupts watches for SIGINT and SIGTERM. After the second, a third ends the process as if nobody watched: the
// way out when healing itself hangs.
func watchInterrupts(say func(string)) interrupts {
	ctx, cancel := context.WithCancel(context.Background())
	abort := make(chan struct{})
	ended := make(chan struct{})
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(caught)
		for _, react := range []func(){
			func() {
				say("interrupted: stopping the load, healing, reading back and judging what was sent; once more to leave at once")
				cancel()
			},
			func() {
				say("interrupted again: healing and leaving without a verdict")
				close(abort)
			},
		} {
			select {
			case <-caught:
				react()
			case <-ended:
				return
			}
		}
	}()
	return interrupts{ctx: ctx, abort: abort, stop: func() { close(ended); cancel() }}
}

// interrupted says whether there was a signal.
func (i interrupts) interrupted() bool { return i.ctx.Err() != nil }
