package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	client "github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness"
)

// reading is one prepared record: everything of it but the moment.
type reading struct {
	key, value client.ByteEncoder
}

// message is a record on its way, in one piece of memory.
type message struct {
	client.ProducerMessage
	due time.Duration
}

// sender sends what was prepared, on the schedule.
type sender struct {
	scenario *harness.Resolved
	topic    string
	async    client.AsyncProducer
	pace     generator.Pace
	judged   time.Duration // when the first stage that is judged begins
	prepared []reading
	headers  []client.RecordHeader
	epoch    time.Time

	sent          int64
	acked, failed atomic.Int64
	lag           times
	acks          [3]times // one for each third of what is judged
	drained       chan struct{}
	prepareCPU    float64 // seconds
}

// prepared is how many records are prepared: enough that compression finds no more repetition than in what a generator makes
// on the way.
const prepared = 40_000

func newSender(scenario *harness.Resolved, topic string, async client.AsyncProducer, header bool) *sender {
	s := &sender{
		scenario: scenario, topic: topic, async: async, drained: make(chan struct{}),
		pace: generator.NewPace(scenario.Load.Stages, generator.OwnPace(scenario.Fleets)),
	}
	for _, stage := range scenario.Load.Stages {
		if stage.Judged {
			break
		}
		s.judged += stage.For
	}
	before := seconds()
	s.prepare(scenario.Generator())
	s.prepareCPU = seconds() - before
	if header {
		s.headers = []client.RecordHeader{{Key: []byte("f"), Value: bytes.Repeat([]byte("0123456789"), 4)[:33]}}
	}
	go s.drain()
	return s
}

// prepare makes the records with a fleet of at most as many devices as there are records. The rest of a larger fleet would
// send none of them, and yet its schedule would take memory and time that are no part of the load. However many devices the
// scenario has, there are at most as many keys as records then. That changes nothing for the client: these keys are as long
// as the others, their hashes are spread over the partitions as evenly, and it keeps nothing for any of them.
func (s *sender) prepare(spec generator.Spec) {
	spec.Fleets = shrunk(spec.Fleets, prepared)
	fleet := generator.New(spec)
	due := make([]generator.Due, 0, 512)
	for len(s.prepared) < prepared {
		due = fleet.Next(s.pace.End(), due[:0])
		if len(due) == 0 {
			break
		}
		for _, d := range due {
			value, _ := fleet.Append(nil, d)
			s.prepared = append(s.prepared, reading{client.ByteEncoder(fleet.Key(d.Device)), bytes.Clone(value)})
		}
	}
}

// shrunk are the fleets with about that many devices in all, in the same proportions, where there are more.
func shrunk(fleets []generator.Fleet, most int) []generator.Fleet {
	total := 0
	for _, fleet := range fleets {
		total += fleet.Devices
	}
	if total <= most {
		return fleets
	}
	fleets = slices.Clone(fleets) // the others stay the scenario's
	for i := range fleets {
		fleets[i].Devices = max(1, fleets[i].Devices*most/total)
	}
	return fleets
}

// drain takes in what became of the records, until the client has told it of each.
func (s *sender) drain() {
	defer close(s.drained)
	failed := make(chan struct{})
	go func() {
		defer close(failed)
		for range s.async.Errors() {
			s.failed.Add(1)
		}
	}()
	length := s.pace.End() - s.judged
	for m := range s.async.Successes() {
		due := m.Metadata.(*message).due
		if due >= s.judged {
			third := min(3*(due-s.judged)/length, 2) // what is due at the very end is of the last
			s.acks[third].record(time.Since(s.epoch) - due)
		}
		s.acked.Add(1)
	}
	<-failed
}

// send plays the stages and waits for the last outcome.
func (s *sender) send(ctx context.Context, reader *reader) (outcome, error) {
	var result outcome
	before := seconds()
	s.epoch = time.Now()
	end := s.pace.End()
	total := int64(s.pace.Records(end))
	firstJudged := int64(s.pace.Records(s.judged))
	for s.sent < total && ctx.Err() == nil {
		now := time.Since(s.epoch)
		if now >= end {
			break
		}
		upto := min(int64(s.pace.Records(now)), total)
		if s.sent >= upto {
			time.Sleep(time.Millisecond)
			continue
		}
		for ; s.sent < upto && time.Since(s.epoch) < end; s.sent++ {
			due := s.pace.When(float64(s.sent))
			s.hand(due)
			if s.sent >= firstJudged {
				s.lag.record(time.Since(s.epoch) - due)
			}
		}
	}
	result.Due = total - firstJudged
	result.Achieved = float64(max(0, s.sent-firstJudged)) / float64(result.Due)
	result.Unread = s.sent - reader.consumed.Load()
	result.LoadCPU = seconds() - before
	if err := s.close(ctx); err != nil {
		return result, err
	}
	result.Seconds = time.Since(s.epoch).Seconds()
	result.Acked, result.Failed = s.acked.Load(), s.failed.Load()
	result.LagP50, result.LagP99 = s.lag.quantile(0.5), s.lag.quantile(0.99)
	var ack times
	for i := range s.acks {
		if s.acks[i].count == 0 {
			return result, errors.New("nothing was acknowledged in a third of what is judged")
		}
		result.AckThirds[i] = s.acks[i].quantile(0.5)
		ack.merge(&s.acks[i])
	}
	result.AckP50, result.AckP99 = ack.quantile(0.5), ack.quantile(0.99)
	result.PrepareCPU = s.prepareCPU
	for _, r := range s.prepared {
		result.PayloadSize += float64(len(r.value)) / float64(len(s.prepared))
	}
	return result, nil
}

// close closes the client and waits until it has given every record its outcome, for as long as the scenario allows.
func (s *sender) close(ctx context.Context) error {
	limit := s.scenario.Oracle.DrainTimeout
	late := time.NewTimer(limit)
	defer late.Stop()
	s.async.AsyncClose()
	select {
	case <-s.drained:
		return context.Cause(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-late.C:
		return fmt.Errorf("%d of %d records had no outcome from the client %s after the load (oracle.drain_timeout)",
			s.sent-s.acked.Load()-s.failed.Load(), s.sent, limit)
	}
}

// hand gives the client one record.
func (s *sender) hand(due time.Duration) {
	r := &s.prepared[s.sent%int64(len(s.prepared))]
	m := &message{due: due}
	m.Topic, m.Key, m.Value, m.Headers = s.topic, &r.key, &r.value, s.headers
	m.Timestamp = s.epoch.Add(due)
	m.Metadata = m
	s.async.Input() <- &m.ProducerMessage
}

// seconds is the processor time of this process so far.
func seconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
