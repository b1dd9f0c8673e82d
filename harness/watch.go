package harness

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/fleetproof/fleetproof/assertions"
)

const (
	sampleEvery = time.Second
	beat        = 10 * time.Millisecond
)

// watch observes the harness itself: what its process uses, and when the machine did not let it run.
type watch struct {
	samples []assertions.Sample
	stalls  []assertions.Stall
}

// sample watches until ctx ends.
func (w *watch) sample(ctx context.Context, r *run) {
	sampler := newSampler()
	heart, second := time.NewTicker(beat), time.NewTicker(sampleEvery)
	defer heart.Stop()
	defer second.Stop()
	last := r.clock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-heart.C:
			now := r.clock()
			w.beat(last, now, r.scenario.Oracle.StallLimit)
			last = now
		case <-second.C:
			sample := sampler.sample(r.clock())
			w.samples = append(w.samples, sample)
			r.options.Metrics.Process(sample.CPU, sample.RSS, sample.Goroutines)
			stats := r.producer.Stats()
			r.options.Metrics.Stats(stats.Batches, stats.Retries, stats.Connections, stats.Queued)
		}
	}
}

// beat takes two heartbeats that follow each other. What lies between them beyond the limit, the machine did not run us.
func (w *watch) beat(last, now, limit time.Duration) {
	if now-last > beat+limit {
		w.stalls = append(w.stalls, assertions.Stall{Span: assertions.Span{From: last + beat, To: now}})
	}
}

// sampler reads what the process uses. What the system does not tell stays zero.
type sampler struct {
	self *process.Process
	cpu  float64 // seconds of all cores, at the sample before
	at   time.Duration
	heap []metrics.Sample
}

func newSampler() *sampler {
	s := &sampler{heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
	if self, err := process.NewProcess(int32(os.Getpid())); err == nil {
		s.self = self
		s.cpu = s.seconds()
	}
	return s
}

func (s *sampler) seconds() float64 {
	times, err := s.self.Times()
	if err != nil {
		return 0
	}
	return times.User + times.System
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
		sample.RSS = int64(memory.RSS)
	}
	if files, err := s.self.NumFDs(); err == nil {
		sample.OpenFiles = int64(files)
	}
	if cpu := s.seconds(); at > s.at {
		sample.CPU = (cpu - s.cpu) / (at - s.at).Seconds()
		s.cpu, s.at = cpu, at
	}
	return sample
}
