package harness

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/fleetproof/fleetproof/assertions"
)

const (
	sampleEvery = time.Second
	mostSamples = 3600 // half a megabyte of evidence
	beat        = 10 * time.Millisecond
)

// sampling is how often the process is sampled in a load of some length: once a second, or so many seconds that it is not
// more than mostSamples times.
func sampling(length time.Duration) time.Duration {
	const most = mostSamples * sampleEvery
	return max(1, (length+most-1)/most) * sampleEvery
}

// watch observes the harness itself: what its process uses, and when the machine did not let it run.
type watch struct {
	samples []assertions.Sample
	stalls  []assertions.Stall
	longest time.Duration // pause between two heartbeats, beyond what is meant to be between them
}

// sample watches until ctx ends.
func (w *watch) sample(ctx context.Context, r *run) {
	sampler := newSampler()
	heart, due := time.NewTicker(beat), time.NewTicker(sampling(r.scenario.Load.length()))
	defer heart.Stop()
	defer due.Stop()
	last := r.clock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-heart.C:
			now := r.clock()
			w.beat(last, now, r.scenario.Oracle.StallLimit)
			last = now
		case <-due.C:
			sample := sampler.sample(r.clock())
			w.samples = append(w.samples, sample)
			r.options.Metrics.Process(sample.CPU, sample.RSS, sample.Goroutines)
		}
	}
}

// sampleClient shows what the client counts, until ctx ends. It does so apart from the heartbeats, which a client that
// blocks must not hold up.
func sampleClient(ctx context.Context, r *run) {
	second := time.NewTicker(sampleEvery)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			stats := r.guest.count()
			r.options.Metrics.Stats(stats.Batches, stats.Retries, stats.Connections, stats.Queued)
		}
	}
}

// beat takes two heartbeats that follow each other. What lies between them beyond the limit, the machine did not run us.
//
// A stall begins at any time between two beats, so that the shortest that is always seen is one beat longer than the
// limit.
func (w *watch) beat(last, now, limit time.Duration) {
	w.longest = max(w.longest, now-last-beat)
	if now-last > beat+limit {
		w.stalls = append(w.stalls, assertions.Stall{Span: assertions.Span{From: last + beat, To: now}})
	}
}

// sampler reads what the process uses, as far as the system tells.
type sampler struct {
	self *process.Process // nil: it tells nothing
	used *float64         // processor time of the process in seconds, at the sample before
	at   time.Duration
	heap []metrics.Sample

	machine cpu.TimesStat // of all processors together, at the sample before
}

func newSampler() *sampler {
	s := &sampler{heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
	if self, err := process.NewProcess(int32(os.Getpid())); err == nil {
		s.self = self
		s.used = s.seconds()
	}
	s.machine, _ = machineTimes()
	return s
}

func (s *sampler) seconds() *float64 {
	times, err := s.self.Times()
	if err != nil {
		return nil
	}
	return new(times.User + times.System)
}

func (s *sampler) sample(at time.Duration) assertions.Sample {
	metrics.Read(s.heap)
	sample := assertions.Sample{
		At:         at,
		Heap:       int64(s.heap[0].Value.Uint64()),
		Goroutines: int64(runtime.NumGoroutine()),
	}
	if s.self == nil {
		return sample
	}
	if memory, err := s.self.MemoryInfo(); err == nil {
		sample.RSS = new(int64(memory.RSS))
	}
	if files, err := s.self.NumFDs(); err == nil {
		sample.OpenFiles = new(int64(files))
	}
	used, own := s.seconds(), 0.
	if used != nil && s.used != nil && at > s.at {
		sample.CPU = new((*used - *s.used) / (at - s.at).Seconds())
		processors := min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) // more threads than processors get no more done
		own = *sample.CPU / float64(processors)
	}
	s.used, s.at = used, at
	if now, known := machineTimes(); known {
		sample.Busy = busyShare(s.machine, now, own)
		s.machine = now
	}
	return sample
}

// machineTimes are the seconds that all processors together have spent in each state, where the system tells them.
func machineTimes() (times cpu.TimesStat, known bool) {
	all, err := cpu.Times(false)
	if err != nil || len(all) != 1 {
		return cpu.TimesStat{}, false
	}
	return all[0], true
}

// busyShare is the share of the processor time between two looks that was in use: of the whole machine, what its host took
// from it included, or of the processors this process may use (it may be confined to few of them, or to a part of their
// time), whichever is more. It is nil where no time was counted.
func busyShare(before, now cpu.TimesStat, own float64) *float64 {
	working := func(t cpu.TimesStat) float64 { return t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal }
	worked := working(now) - working(before)
	all := worked + now.Idle + now.Iowait - before.Idle - before.Iowait
	if all <= 0 {
		return nil
	}
	share := min(1, max(worked/all, own, 0))
	return &share
}
