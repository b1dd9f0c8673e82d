package harness

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/harness/telemetry"
	"github.com/fleetproof/fleetproof/producer"
)

// Options say who is under test and who wants to watch. They never change what is proven.
type Options struct {
	Producers []producer.Kind    // the clients at hand, of which producer.kind names the one that is put under test
	Versions  map[string]string  // of the program that runs this, for the report; that of the client is added to it
	Progress  func(Progress)     // called a few times a second from one goroutine; nil: nobody watches
	Metrics   *telemetry.Metrics // nil: none
	Out       string             // folder that receives evidence.json, and the brokers' logs of a run that does not pass; empty: neither is written
	External  bool               // somebody said that an external cluster may be used
	Abort     <-chan struct{}    // closed: heal what is broken and leave without a verdict

	tamper   func(*kgo.Record) []*kgo.Record // plants bugs between the log and the ledger, in tests
	patience time.Duration                   // with a client that does not return; 0: as usual
}

// ErrAborted is returned when the run was told to leave at once. Every fault was healed and everything started was
// ended; nothing was judged.
var ErrAborted = errors.New("aborted before the verdict")

// Run plays a scenario and judges it. When ctx ends early the load stops, faults are healed, what was sent is read back
// and judged all the same. The error is non-nil only when the run itself could not be carried out; a missed objective is
// a result. A scenario with a client that is not at hand gives Mistakes, and starts nothing; nor does a ctx that has ended.
func Run(ctx context.Context, scenario *Resolved, options Options) (result *assertions.Result, err error) {
	client, err := scenario.Client(options.Producers)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // what fails for want of time would be called by the name of what it was wanted for
		return nil, fmt.Errorf("nothing was started: %w", context.Cause(ctx))
	}
	r := newRun(scenario, client, options)
	defer func() {
		if result == nil || result.Verdict != assertions.Pass {
			err = errors.Join(err, r.keepLogs())
		}
		err = scenario.maskedError(errors.Join(err, r.cleanUp()))
	}()
	watching := r.report(ctx)
	defer watching()

	settle, cancel := untilAborted(ctx, options.Abort)
	defer cancel()
	if err := r.start(ctx); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted before anything was sent: %w", err)
		}
		return nil, err
	}
	r.begin(settle)
	observed := r.observe(settle)
	r.play(ctx, settle)
	r.drain(settle)
	observed()
	r.reader.finish(settle)
	if settle.Err() != nil {
		return nil, ErrAborted
	}
	evidence := r.evidence(ctx)
	scenario.maskEvidence(evidence)
	r.step("judging")
	result, err = assertions.Judge(evidence, evidence.Expectations)
	if failed := writeEvidence(options.Out, evidence); failed != nil { // a full disk takes the evidence, not the verdict
		err = errors.Join(err, fmt.Errorf("write evidence: %w", failed))
	}
	return result, err
}

// run is a scenario being played. Its parts are set once, before the load starts, and are safe for the goroutines that
// share them: load, faults, samples, outcomes and reading back.
type run struct {
	scenario *Resolved
	options  Options
	id       uint64
	started  time.Time
	epoch    time.Time // the start of the first stage: zero of every duration in the evidence

	generator  *generator.Generator
	partitions int // of the readings' topic in the end
	slabs      slabs
	read       [readAtOnce]readBack // belongs to who reads back, as does warm
	warm       uint64               // keeps the compiler from leaving out what only warms the cache
	links      *fault.Links         // nil unless a fault needs them
	cluster    *broker.Cluster
	guest      *guest
	faults     *fault.Runner
	reader     *reader

	readings *assertions.Ledger
	alerts   *assertions.Ledger // nil unless the scenario has an alerts topic
	timeline *assertions.Timeline
	causes   causes // what the client said of records that it did not acknowledge
	truth    *truth // anomalies and alerts found in what was read back
	watch    watch

	loadEnded time.Duration
	ends      kadm.ListedOffsets     // end offsets after the drain
	broken    []string               // what went wrong with the run itself
	unread    string                 // why reading back is incomplete; empty: it is complete
	cutShort  string                 // why the harness itself ended the load; empty: it did not
	lag       atomic.Int64           // of the latest reading handed over
	doing     atomic.Pointer[string] // the step the run is in
}

func newRun(scenario *Resolved, client producer.Kind, options Options) *run {
	var id [8]byte
	rand.Read(id[:]) // never fails; identity must differ between runs of one seed
	r := &run{
		scenario:  scenario.as(hex.EncodeToString(id[:]), options),
		options:   options,
		id:        binary.BigEndian.Uint64(id[:]),
		started:   time.Now(),
		generator: generator.New(scenario.Generator()),

		partitions: scenario.mostPartitions(),
	}
	r.timeline = assertions.NewTimeline(scenario.cuts(), scenario.Oracle.LagLimit)
	r.openLedgers()
	r.truth = newTruth(r.scenario, r.generator)
	r.guest = newGuest(client, r.outcome, cmp.Or(options.patience, patience), options.Abort)
	r.step("starting broker")
	return r
}

// as is the scenario as one run plays it: the broker knows the run, and in an external cluster its topics are called after
// it.
func (r *Resolved) as(run string, options Options) *Resolved {
	played := *r
	played.Broker.Run, played.Broker.Logs, played.Broker.Allowed = run, options.Out, options.External
	played.Broker.NoBridge = r.noBridge()
	played.Topic.Name = played.Broker.TopicName(r.Topic.Name)
	if r.Alerts != nil {
		alerts := *r.Alerts
		alerts.Topic = played.Broker.TopicName(alerts.Topic)
		played.Alerts = &alerts
	}
	return &played
}

// noBridge says whether a docker broker can do without a network of its own: it has no others to talk to, and no fault
// that cuts it off or stands before it.
func (r *Resolved) noBridge() bool {
	return r.Broker.Kind == broker.Docker && r.Broker.Brokers == 1 && !fault.NeedsLink(r.Faults) && !fault.Isolates(r.Faults)
}

// start prepares everything that a load needs.
func (r *run) start(ctx context.Context) error {
	if err := r.startBroker(ctx); err != nil {
		return fmt.Errorf("start %s broker: %w", r.scenario.Broker.Kind, err)
	}
	if err := r.assignReader(ctx); err != nil {
		return fmt.Errorf("assign the reader: %w", err)
	}
	if err := r.connectProducer(ctx); err != nil {
		return fmt.Errorf("connect producer: %w", err)
	}
	return nil
}

// startBroker starts the cluster, behind the link where a fault needs it.
func (r *run) startBroker(ctx context.Context) error {
	spec := r.scenario.Broker
	if fault.NeedsLink(r.scenario.Faults) {
		links, err := fault.Listen(spec.Brokers, r.scenario.Seed)
		if err != nil {
			return err
		}
		r.links = links
	}
	cluster, err := broker.Start(ctx, spec, r.scenario.topics(), r.links.Addrs())
	if err != nil {
		return err
	}
	r.cluster = cluster
	direct := make([]string, 0, spec.Brokers)
	for _, node := range cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	r.links.Connect(direct)
	return nil
}

// assignReader points the reader at every partition, before the first record is sent.
func (r *run) assignReader(ctx context.Context) error {
	reader, err := newReader(ctx, r)
	if err != nil {
		return err
	}
	r.reader = reader
	return nil
}

func (r *run) connectProducer(ctx context.Context) error {
	r.step("connecting producer")
	config := r.scenario.Producer
	config.Bootstrap = r.cluster.Bootstrap()
	config.ClientID = fmt.Sprintf("fleetproof-%016x", r.id)
	if fault.GrowsPartitions(r.scenario.Faults) {
		config.MetadataRefresh = metadataMaxAge
	}
	starting, cancel := context.WithTimeout(ctx, r.scenario.Oracle.StartTimeout)
	defer cancel()
	return r.guest.connect(starting, config)
}

// begin starts the clock and reads back from the first record on. Until the step is set, nobody else looks at the clock
// or at the faults.
func (r *run) begin(settle context.Context) {
	r.faults = fault.NewRunner(r.scenario.Faults, fault.Field{
		World:       r.scenario.world(),
		Cluster:     r.cluster,
		Links:       r.links,
		Clock:       r.clock,
		Grows:       r.grows,
		HealTimeout: r.scenario.Oracle.HealTimeout,
		Seed:        r.scenario.Seed,
	})
	r.epoch = time.Now()
	r.step("load")
	r.reader.start(settle)
}

// grows tells the ledger that a topic gets more partitions: from now on a record may be where either count puts it, until
// the client must have learned of them, by the next time it asks and as soon as it is answered.
func (r *run) grows(topic string, partitions int) {
	ledger := r.readings
	if topic != r.scenario.Topic.Name {
		ledger = r.alerts
	}
	now := r.clock()
	ledger.Partitions(now, now+metadataMaxAge+r.scenario.Producer.Timeout.Read, partitions)
}

// play runs load and faults side by side. Faults are healed when it returns, whatever happened, within the deadlines that
// each healing has; settle ends what load is still allowed after ctx.
func (r *run) play(ctx, settle context.Context) {
	group, playing := errgroup.WithContext(ctx)
	troubled, heal := context.WithCancel(playing)
	defer heal()
	group.Go(func() error { return r.faults.Run(troubled) })
	group.Go(func() error {
		defer heal()
		(&load{run: r}).play(playing, settle)
		r.step("healing")
		return nil
	})
	if err := group.Wait(); err != nil {
		r.broken = append(r.broken, err.Error())
	}
}

// observe samples the process and the machine until the returned function is called, also while records in flight grow
// older during healing and draining.
func (r *run) observe(settle context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(settle)
	var observing errgroup.Group
	observing.Go(func() error {
		r.watch.sample(ctx, r)
		return nil
	})
	observing.Go(func() error {
		sampleClient(ctx, r)
		return nil
	})
	observing.Go(func() error { return r.probeCompression(ctx) })
	return func() {
		cancel()
		if err := observing.Wait(); err != nil {
			r.broken = append(r.broken, err.Error())
		}
	}
}

// probeCompression times the codec on what is being sent, which the client under test does not tell.
func (r *run) probeCompression(ctx context.Context) error {
	r.options.Metrics.Devices(r.generator.Devices())
	return r.options.Metrics.Probe(ctx, string(r.scenario.Producer.Compression), int(r.scenario.Producer.Batch.Bytes))
}

// drain waits until the client has given every record its outcome, and only then closes it: a client that is closed
// with records in flight fails records that may be in the log.
func (r *run) drain(settle context.Context) {
	r.step("draining")
	limit := r.scenario.Oracle.HealTimeout
	if len(r.broken) > 0 {
		limit = r.scenario.Oracle.DrainTimeout // what could not be healed in its own time is not waited for once more
	}
	if err := r.reader.awaitHealthy(settle, limit); err != nil {
		r.broken = append(r.broken, err.Error())
	}
	draining, cancel := context.WithTimeout(settle, r.scenario.Oracle.DrainTimeout)
	defer cancel()
	// What has no outcome by the deadline is unknown, which Close says record by record.
	r.guest.flush(draining)
	if err := r.guest.close(draining); err != nil {
		r.broken = append(r.broken, fmt.Sprintf("close producer: %v", err))
	}
	r.forgotten()
}

// forgotten notes the records that a client has closed without a word about. One that broke its contract otherwise, as by
// a Send that it never returned from, is not blamed for what follows from that.
func (r *run) forgotten() {
	waiting := r.readings.Counts().Waiting()
	if r.alerts != nil {
		waiting += r.alerts.Counts().Waiting()
	}
	if waiting > 0 && len(r.guest.broke()) == 0 {
		_ = r.guest.breaks(oneOutcome, fmt.Sprintf("%d had none when Close had returned", waiting))
	}
}

// clock is the time since the start of the first stage.
func (r *run) clock() time.Duration { return time.Since(r.epoch) }

// sleepUntil waits for a moment of the run's clock, or for ctx.
func (r *run) sleepUntil(ctx context.Context, at time.Duration) {
	timer := time.NewTimer(at - r.clock())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// exceeded says whether a ledger has reached its memory cap: it never samples, so the run has to end.
func (r *run) exceeded() bool {
	return r.readings.Exceeded() || r.alerts != nil && r.alerts.Exceeded()
}

// keepLogs writes what the brokers said beside the evidence of a run that did not pass.
func (r *run) keepLogs() error {
	if r.cluster == nil || r.options.Out == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.scenario.Oracle.DrainTimeout)
	defer cancel()
	return r.cluster.WriteLogs(ctx, r.options.Out)
}

// cleanUp ends what is left, in the reverse order of its start. Each step has its own deadline, also when the run was
// interrupted.
func (r *run) cleanUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), r.scenario.Oracle.DrainTimeout)
	defer cancel()
	var errs []error
	if r.reader != nil {
		r.reader.close()
	}
	if r.cluster != nil {
		errs = append(errs, r.cluster.Close(ctx))
	}
	errs = append(errs, r.links.Close())
	return errors.Join(errs...)
}

// untilAborted outlives ctx, which only stops the load, and ends when the run is aborted.
func untilAborted(ctx context.Context, abort <-chan struct{}) (context.Context, context.CancelFunc) {
	settle, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		select {
		case <-abort:
			cancel()
		case <-settle.Done():
		}
	}()
	return settle, cancel
}
