package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/broker"
)

const (
	fetchWait   = 100 * time.Millisecond // a broker holds an empty fetch no longer, so that reading adds little latency
	metadataAge = 250 * time.Millisecond // after a leader moved, its followers are looked for at least so often
	retryPause  = 50 * time.Millisecond

	// metadataMaxAge is how long new partitions stay unknown to the reader, and, where a fault adds some, to the client.
	metadataMaxAge = time.Second

	askTimeout = 5 * time.Second // one question to the cluster
	readBatch  = 10_000          // records taken from the client at once
	trimEvery  = time.Second
	endPasses  = 5 // snapshots of the end offsets before reading back gives up on a log that keeps growing
)

// reader reads everything back with a client that is not the one under test, around the link: faults between client
// and broker never hide from it what is in the log.
type reader struct {
	run    *run
	client *kgo.Client
	admin  *kadm.Client

	mutex     sync.Mutex
	positions map[string][]int64 // next offset to be read, by topic and partition
	fault     error              // the latest error of a fetch, to explain a lack of progress
	shortened error              // the latest fetch that found a log shorter than it was

	batch []*kgo.Record // that are being accounted for; belongs to who polls

	cancel  context.CancelFunc
	stopped chan struct{} // closed when nothing is being read any more; nil: never started
}

// newReader connects a reader to every partition of the run's topics, from offset 0.
func newReader(ctx context.Context, r *run) (*reader, error) {
	client, err := newReadingClient(r)
	if err != nil {
		return nil, err
	}
	rd := &reader{run: r, client: client, admin: kadm.NewClient(client), positions: map[string][]int64{}}
	for _, topic := range r.scenario.topics() {
		rd.positions[topic.Name] = make([]int64, topic.Partitions)
	}
	if err := rd.awaitHealthy(ctx, r.scenario.Oracle.StartTimeout); err != nil {
		client.Close()
		return nil, err
	}
	return rd, nil
}

// newReadingClient makes a client whose own recovery adds as little as possible to what it measures. Control records
// are kept, because a position has to pass them.
func newReadingClient(r *run) (*kgo.Client, error) {
	direct := make([]string, 0, len(r.cluster.Nodes()))
	for _, node := range r.cluster.Nodes() {
		direct = append(direct, node.Direct)
	}
	names := make([]string, 0, 2)
	for _, topic := range r.scenario.topics() {
		names = append(names, topic.Name)
	}
	return kgo.NewClient(
		kgo.SeedBrokers(direct...),
		kgo.Dialer(r.cluster.Dial),
		kgo.ClientID(fmt.Sprintf("fleetproof-oracle-%016x", r.id)),
		kgo.ConsumeTopics(names...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxPartitionBytes(2<<20),
		kgo.MetadataMinAge(metadataAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.RequestTimeoutOverhead(askTimeout),
		kgo.RetryBackoffFn(func(int) time.Duration { return retryPause }),
		kgo.KeepControlRecords(),
	)
}

// start reads until finish or close, in goroutines of its own.
func (rd *reader) start(ctx context.Context) {
	ctx, rd.cancel = context.WithCancel(ctx)
	rd.stopped = make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		for ctx.Err() == nil {
			rd.poll(ctx)
		}
	})
	if !rd.run.scenario.rescans() {
		working.Go(func() { rd.trim(ctx) })
	}
	go func() {
		working.Wait()
		close(rd.stopped)
	}()
}

// poll takes what the client has fetched and writes it into the ledger. All of it counts as read at one moment: when
// the client gave it away.
func (rd *reader) poll(ctx context.Context) {
	fetches := rd.client.PollRecords(ctx, readBatch)
	at := rd.run.clock()
	fetches.EachError(func(topic string, partition int32, err error) {
		if ctx.Err() == nil {
			rd.failed(topic, partition, err)
		}
	})
	fetches.EachPartition(func(fetched kgo.FetchTopicPartition) { rd.see(fetched, at) })
}

// failed keeps the error of a fetch.
func (rd *reader) failed(topic string, partition int32, err error) {
	rd.mutex.Lock()
	defer rd.mutex.Unlock()
	rd.fault = fmt.Errorf("fetch %s/%d: %w", topic, partition, err)
	// Embedded brokers share one log, which loses nothing; that of a new leader only does not know yet where its epoch begins.
	if loss := new(kgo.ErrDataLoss); errors.As(err, &loss) && rd.run.scenario.Broker.Kind != broker.Embedded {
		rd.shortened = rd.fault
	}
}

// see writes what was fetched of one partition into the ledger.
func (rd *reader) see(fetched kgo.FetchTopicPartition, at time.Duration) {
	if len(fetched.Records) == 0 {
		return // also how the client says that it was closed, in no partition at all
	}
	next := rd.position(fetched.Topic, fetched.Partition)
	rd.batch = rd.batch[:0]
	for _, record := range fetched.Records {
		if record.Offset < next {
			continue // the client went back, after the log lost its end: the scan at the end decides, not a second look
		}
		next = record.Offset + 1
		switch {
		case record.Attrs.IsControl():
		case rd.run.options.tamper != nil:
			rd.batch = append(rd.batch, rd.run.options.tamper(record)...)
		default:
			rd.batch = append(rd.batch, record)
		}
	}
	rd.run.see(at, rd.batch...)
	rd.advance(fetched.Topic, fetched.Partition, next)
}

// position is the next offset to be read. Partitions that were added during the run start at 0.
func (rd *reader) position(topic string, partition int32) int64 {
	rd.mutex.Lock()
	defer rd.mutex.Unlock()
	for int(partition) >= len(rd.positions[topic]) {
		rd.positions[topic] = append(rd.positions[topic], 0)
	}
	return rd.positions[topic][partition]
}

// latestFault is the latest error of a fetch, nil for none.
func (rd *reader) latestFault() error {
	rd.mutex.Lock()
	defer rd.mutex.Unlock()
	return rd.fault
}

func (rd *reader) advance(topic string, partition int32, next int64) {
	rd.mutex.Lock()
	defer rd.mutex.Unlock()
	rd.positions[topic][partition] = next
}

// trim deletes what has been read, once a second: the broker in the harness's own process keeps records in memory, and
// hours at full speed would fill another one's disks.
func (rd *reader) trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		read := kadm.Offsets{}
		rd.mutex.Lock()
		for topic, positions := range rd.positions {
			for partition, next := range positions {
				if next > 0 {
					read.AddOffset(topic, int32(partition), next, -1)
				}
			}
		}
		rd.mutex.Unlock()
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		// What could not be deleted now is deleted a second later; nothing is judged by it.
		_, _ = rd.admin.DeleteRecords(asking, read)
		cancel()
	}
}

func (rd *reader) topicNames() []string {
	names := make([]string, 0, 2)
	for _, topic := range rd.run.scenario.topics() {
		names = append(names, topic.Name)
	}
	return names
}

// close ends the reading. It may be called more than once.
func (rd *reader) close() {
	if rd.cancel != nil {
		rd.cancel()
		<-rd.stopped
	}
	rd.client.Close()
}

// wait pauses, and says whether ctx still lives.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
