package harness

import (
	"context"
	"time"
)

const progressEvery = 200 * time.Millisecond

// Progress is a run as it stands at one moment, for whoever watches it.
type Progress struct {
	Step           string        // starting broker, connecting producer, load, sending the rest, healing, draining, reading back, scanning again, judging
	Elapsed, Total time.Duration // of the load
	Stage          string        // empty outside the load
	Target         float64       // records per second the schedule asks for now
	Achieved       float64       // records per second handed over since the progress before
	Due            int64
	Sent           int64
	Acked          int64
	Failed         int64
	Unknown        int64
	Consumed       int64
	Lag            time.Duration // of the latest record: due to handed over
	Fault          string        // in effect now, empty for none
}

// step says what the run is doing.
func (r *run) step(name string) { r.doing.Store(&name) }

// report tells the options' watcher how the run goes, until the returned function is called.
func (r *run) report(ctx context.Context) (stop func()) {
	if r.options.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		var last Progress
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				last = r.progress(last)
				r.options.Progress(last)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// progress is the present, with the rate since the last one.
func (r *run) progress(last Progress) Progress {
	counts := r.readings.Counts()
	pace := r.generator.Pace()
	p := Progress{
		Step:  *r.doing.Load(),
		Total: pace.End(),
		Due:   counts.Due, Sent: counts.Sent, Acked: counts.Acked,
		Failed: counts.Failed, Unknown: counts.Unknown, Consumed: counts.Consumed,
		Lag: time.Duration(r.lag.Load()),
	}
	if p.Step == "starting broker" || p.Step == "connecting producer" {
		return p // the clock has not been started
	}
	p.Elapsed = r.clock()
	p.Fault = r.faults.Current()
	if since := p.Elapsed - last.Elapsed; since > 0 {
		p.Achieved = float64(p.Sent-last.Sent) / since.Seconds()
	}
	if p.Step == "load" && p.Elapsed >= p.Total {
		p.Step = "sending the rest" // of what is due: nothing more becomes due, and there is no rate to be kept
	}
	if p.Step != "load" {
		return p
	}
	p.Target = pace.Rate(p.Elapsed)
	from := time.Duration(0)
	for _, stage := range r.scenario.Load.Stages {
		if from += stage.For; p.Elapsed < from {
			p.Stage = stage.Name
			break
		}
	}
	return p
}
