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

// watchInterrupts watches for SIGINT, SIGTERM and, unless somebody made the process deaf to it as nohup does, SIGHUP.
// After the second, a third ends the process as if nobody watched: the way out when healing itself hangs.
//
// A terminal that is closed sends SIGHUP, often twice, and nobody reads what is written from then on. So SIGHUP is never
// the second, and a write to a pipe without a reader is an error like any other, and not the end of the process.
func watchInterrupts(say func(string)) interrupts {
	ctx, cancel := context.WithCancel(context.Background())
	abort := make(chan struct{})
	ended := make(chan struct{})
	caught, unread := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(caught, syscall.SIGHUP)
	}
	signal.Notify(unread, syscall.SIGPIPE)
	go func() {
		defer signal.Stop(caught)
		times := 0
		for times < 2 {
			select {
			case sign := <-caught:
				if sign == syscall.SIGHUP && times > 0 {
					continue
				}
			case <-ended:
				return
			}
			if times++; times == 1 {
				say("interrupted: ending the run, healing what is hurt, and judging what was sent; once more to leave at once")
				cancel()
			} else {
				say("interrupted again: healing what is hurt, and leaving")
				close(abort)
			}
		}
	}()
	return interrupts{ctx: ctx, abort: abort, stop: func() {
		close(ended)
		cancel()
		signal.Stop(unread)
	}}
}

// interrupted says whether there was a signal.
func (i interrupts) interrupted() bool { return i.ctx.Err() != nil }
