// Command control plays the load of a scenario and verifies nothing. It is what fleetproof is measured against:
//
//	control -set load.stages.hold.rate=100000/s throughput.yaml
//
// It takes the scenario's broker, topic, fleets, client settings and stages, by the same code as fleetproof, and sends
// payloads that the scenario's own generator made before the clock started, under the fleet's keys, on the schedule of the
// stages. There is no generator in the loop, no ledger, no histogram of the oracle's, no judge, and no memory that is used
// again: every message is allocated, as in any program's loop around Sarama. Records carry no header, since the header is
// there to verify; -header gives them one of the size of fleetproof's. What was written is read back with franz-go under the
// harness's own settings and thrown away, since the broker's and the reader's work would be there without any verification
// too.
//
// It prints one line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	client "github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// outcome is what is printed. Latencies are in seconds, from when a record was due.
type outcome struct {
	Due         int64      `json:"due"`          // of the stages that are judged
	Achieved    float64    `json:"achieved"`     // share of due that was handed over before the load ended
	Acked       int64      `json:"acked"`        // of all stages, as are the next three
	Failed      int64      `json:"failed"`       //
	Unread      int64      `json:"unread"`       // when the load ended
	Consumed    int64      `json:"consumed"`     //
	Seconds     float64    `json:"seconds"`      // from the first record to the last acknowledgement
	LagP50      float64    `json:"lag_p50"`      // due to handed over
	LagP99      float64    `json:"lag_p99"`      //
	AckP50      float64    `json:"ack_p50"`      // due to acknowledged
	AckP99      float64    `json:"ack_p99"`      //
	AckThirds   [3]float64 `json:"ack_thirds"`   // medians, of the records due in each third of the stages that are judged
	PrepareCPU  float64    `json:"prepare_cpu"`  // seconds that preparing the payloads took before there was load
	LoadCPU     float64    `json:"load_cpu"`     // seconds of all cores while there was load
	RSS         int64      `json:"rss"`          // most bytes resident
	PayloadSize float64    `json:"payload_size"` // mean bytes
}

type options struct {
	file   string
	set    []string
	closed bool // as fast as the client takes them, instead of on the schedule
	header bool
}

func main() {
	var o options
	flag.Func("set", "override a value of the scenario, as in fleetproof; may be repeated", func(text string) error {
		o.set = append(o.set, text)
		return nil
	})
	flag.BoolVar(&o.closed, "closed", false, "closed loop: as fast as the client takes records")
	flag.BoolVar(&o.header, "header", false, "give each record a header of 33 bytes, as fleetproof's mostly has")
	flag.Parse()
	o.file = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := play(ctx, o)
	stop() // not before: a second signal must not keep a broker in Docker from being removed
	if err != nil {
		fmt.Fprintf(os.Stderr, "control: %s\n", err)
		os.Exit(1)
	}
}

// play starts the broker, sends, drains, and prints.
func play(ctx context.Context, o options) (err error) {
	scenario, err := harness.Load(o.file, harness.Overrides{Set: o.set, Env: os.LookupEnv})
	if err != nil {
		return err
	}
	scenario.Broker.Run = fmt.Sprintf("%x", time.Now().UnixNano())
	scenario.Broker.Allowed = scenario.Broker.Kind == broker.External
	topic := scenario.Topic
	topic.Name = scenario.Broker.TopicName(topic.Name)
	starting, cancel := context.WithTimeout(ctx, scenario.Oracle.StartTimeout)
	defer cancel()
	cluster, err := broker.Start(starting, scenario.Broker, []broker.Topic{topic}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close(ctx)) }() // which it does also when ctx has ended
	reader, err := newReader(cluster, topic.Name)
	if err != nil {
		return err
	}
	defer reader.close()

	config := scenario.Producer
	config.Bootstrap = cluster.Bootstrap()
	settings, err := sarama.Settings(config)
	if err != nil {
		return err
	}
	async, err := client.NewAsyncProducer(config.Bootstrap, settings)
	if err != nil {
		return err
	}
	s := newSender(scenario, topic.Name, async, o)
	go reader.read(ctx)
	result, err := s.send(ctx, reader)
	if err != nil {
		return err
	}
	if err := reader.await(ctx, result.Acked, scenario.Oracle.ReadTimeout); err != nil {
		return err
	}
	result.Consumed = reader.consumed.Load()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	result.RSS = usage.Maxrss << 10
	return json.NewEncoder(os.Stdout).Encode(result)
}

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
	options  options
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

func newSender(scenario *harness.Resolved, topic string, async client.AsyncProducer, o options) *sender {
	s := &sender{
		scenario: scenario, topic: topic, options: o, async: async, drained: make(chan struct{}),
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
	if o.header {
		s.headers = []client.RecordHeader{{Key: []byte("fleetproof"), Value: bytes.Repeat([]byte("0123456789"), 4)[:33]}}
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
	if s.options.closed {
		total = 1 << 62
	}
	var handedJudged int64
	firstJudged := int64(s.pace.Records(s.judged))
	for s.sent < total && ctx.Err() == nil {
		now := time.Since(s.epoch)
		if now >= end {
			break
		}
		upto := total
		if !s.options.closed {
			upto = min(int64(s.pace.Records(now)), total)
		}
		if s.sent >= upto {
			time.Sleep(time.Millisecond)
			continue
		}
		for ; s.sent < upto; s.sent++ {
			due := time.Since(s.epoch)
			if due >= end {
				break
			}
			if !s.options.closed {
				due = s.pace.When(float64(s.sent))
			}
			s.hand(due)
			if s.sent >= firstJudged {
				handedJudged++
				s.lag.record(time.Since(s.epoch) - due)
			}
		}
	}
	result.Due = total - firstJudged
	if s.options.closed {
		result.Due = handedJudged
	}
	result.Achieved = float64(handedJudged) / float64(result.Due)
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

// times counts durations: to the microsecond up to 65 ms, to the millisecond up to 65 s. Only one goroutine records.
type times struct {
	fine, coarse [1 << 16]int64
	count        int64
}

func (t *times) record(d time.Duration) {
	t.count++
	if us := d.Microseconds(); us < int64(len(t.fine)) {
		t.fine[max(us, 0)]++
		return
	}
	t.coarse[min(d.Milliseconds(), int64(len(t.coarse))-1)]++
}

// merge adds the durations that another counted.
func (t *times) merge(other *times) {
	t.count += other.count
	for i := range t.fine {
		t.fine[i] += other.fine[i]
		t.coarse[i] += other.coarse[i]
	}
}

func (t *times) quantile(q float64) float64 {
	left := int64(q * float64(t.count))
	for us, n := range t.fine {
		if left -= n; left < 0 {
			return float64(us) / 1e6
		}
	}
	for ms, n := range t.coarse {
		if left -= n; left < 0 {
			return float64(ms) / 1e3
		}
	}
	return 0
}

// reader reads everything back as the harness does, and trims the log behind it.
type reader struct {
	client   *kgo.Client
	admin    *kadm.Client
	topic    string
	consumed atomic.Int64
}

// newReader has the options of the harness's own reader (harness/readback.go) but for those that only matter under faults.
func newReader(cluster *broker.Cluster, topic string) (*reader, error) {
	var direct []string
	for _, node := range cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(direct...),
		kgo.Dialer(cluster.Dial),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.FetchMaxBytes(16 << 20),
		kgo.FetchMaxPartitionBytes(2 << 20),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Second),
		kgo.KeepControlRecords(),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}
	made, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &reader{client: made, admin: kadm.NewClient(made), topic: topic}, nil
}

// read reads until ctx ends or the client is closed. Once a second it deletes what was read.
func (r *reader) read(ctx context.Context) {
	next := map[int32]int64{}
	trimmed := time.Now()
	for {
		fetches := r.client.PollRecords(ctx, 10_000)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
			if n := len(fetched.Records); n > 0 {
				next[fetched.Partition] = fetched.Records[n-1].Offset + 1
				r.consumed.Add(int64(n))
			}
		})
		if time.Since(trimmed) < time.Second {
			continue
		}
		trimmed = time.Now()
		read := kadm.Offsets{}
		for partition, offset := range next {
			read.AddOffset(r.topic, partition, offset, -1)
		}
		go func() { _, _ = r.admin.DeleteRecords(ctx, read) }()
	}
}

// await waits until so many records were read as were acknowledged, at most that long without any progress. Records that
// failed are not waited for: none may be in the log, and one that is only lets the wait end earlier.
func (r *reader) await(ctx context.Context, acked int64, limit time.Duration) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	var last int64
	progressed := time.Now()
	for {
		consumed := r.consumed.Load()
		if consumed >= acked {
			return nil
		}
		if consumed != last {
			last, progressed = consumed, time.Now()
		}
		if time.Since(progressed) > limit {
			return fmt.Errorf("%d of %d acknowledged records were read back, and none more for %s (oracle.read_timeout)",
				consumed, acked, limit)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
}

func (r *reader) close() { r.client.Close() }
