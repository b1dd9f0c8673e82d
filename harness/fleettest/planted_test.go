package fleettest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// breach is Sarama's producer with something wrong about it. What is nil is as it should be.
type breach struct {
	connect func(ctx context.Context, config producer.Config, connected producer.Producer, err error) (producer.Producer, error)
	config  func(producer.Config) producer.Config
	send    func(context.Context, *producer.Record) error
	flush   func(context.Context) error
	close   func(context.Context) error
	stats   func() producer.Stats
	outcome func(producer.Outcome)

	inner producer.Producer      // Sarama's
	tell  func(producer.Outcome) // what the breach was told to call
}

func (b *breach) Send(ctx context.Context, r *producer.Record) error {
	if b.send != nil {
		return b.send(ctx, r)
	}
	return b.inner.Send(ctx, r)
}

func (b *breach) Flush(ctx context.Context) error {
	if b.flush != nil {
		return b.flush(ctx)
	}
	return b.inner.Flush(ctx)
}

func (b *breach) Close(ctx context.Context) error {
	if b.close != nil {
		return b.close(ctx)
	}
	return b.inner.Close(ctx)
}

func (b *breach) Stats() producer.Stats {
	if b.stats != nil {
		return b.stats()
	}
	return b.inner.Stats()
}

// plant is a breach of the contract and the clauses that must find it.
type plant struct {
	wrong func(*breach) // sets it up, anew for every producer
	found []string
}

// producer is the constructor of a producer with the breach. What Sarama would still do is ended with the test.
func (p plant) producer(t *testing.T) producer.New {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		b := &breach{tell: outcome}
		p.wrong(b)
		if b.config != nil {
			config = b.config(config)
		}
		if b.outcome != nil {
			outcome = b.outcome
		}
		connected, err := sarama.New(ctx, config, outcome)
		if err == nil {
			t.Cleanup(func() { _ = connected.Close(over) })
		}
		if b.connect != nil {
			return b.connect(ctx, config, connected, err)
		}
		if err != nil {
			return nil, err
		}
		b.inner = connected
		return b, nil
	}
}

// rarely is now and then, in clauses that send many records.
func rarely(r *producer.Record) bool { return r.Token.Sequence%1000 == 500 }

// sometimes is also in those that send a few hundred.
func sometimes(r *producer.Record) bool { return r.Token.Sequence%100 == 90 }

// refused says whether a broker has refused the record for good.
func refused(o producer.Outcome) bool {
	return o.Err != nil && strings.Contains(o.Err.Error(), "too large")
}

// givenUp says whether Close has made an outcome up.
func givenUp(o producer.Outcome) bool { return o.State == producer.Unknown && !refused(o) }

// fillTheOutcomes are the clauses that look at what Close gives up.
var fillTheOutcomes = []string{
	"outcomes/one for each record in flight at Close",
	"outcomes/one for each record in flight at Close with a context that has ended",
	"outcomes/one for each record when the brokers are lost",
}

// plants are breaches of the contract, each with the clauses that must find it. No other may.
func plants(t *testing.T) map[string]plant {
	over := make(chan struct{}) // what hangs, hangs until the test is over
	t.Cleanup(func() { close(over) })
	return map[string]plant{
		"nothing": {func(*breach) {}, nil},

		"acknowledges before the broker did": {func(b *breach) {
			b.outcome = func(producer.Outcome) {}
			b.send = func(ctx context.Context, r *producer.Record) error {
				own := clone(r)
				err := b.inner.Send(ctx, &own)
				if err == nil {
					b.tell(producer.Outcome{Record: r, State: producer.Acked, Partition: -1, Offset: producer.OffsetUnset})
				}
				return err
			}
		}, []string{"truth/acked only after the broker did", "truth/refused by the broker is not acked"}},
		"acknowledges some before the broker did": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if !sometimes(o.Record) {
					b.tell(o)
				}
			}
			b.send = func(ctx context.Context, r *producer.Record) error {
				if !sometimes(r) {
					return b.inner.Send(ctx, r)
				}
				own := clone(r)
				err := b.inner.Send(ctx, &own)
				if err == nil {
					b.tell(producer.Outcome{Record: r, State: producer.Acked, Partition: -1, Offset: producer.OffsetUnset})
				}
				return err
			}
		}, []string{"truth/acked only after the broker did"}},
		"acknowledges and discards": {func(b *breach) {
			b.send = func(ctx context.Context, r *producer.Record) error {
				if !rarely(r) {
					return b.inner.Send(ctx, r)
				}
				b.tell(producer.Outcome{Record: r, State: producer.Acked, Partition: -1, Offset: producer.OffsetUnset})
				return nil
			}
		}, []string{"truth/acked is in the log"}},
		"acknowledges and discards after trouble": {func(b *breach) {
			b.send = func(ctx context.Context, r *producer.Record) error {
				if !sometimes(r) || b.inner.Stats().Retries == 0 {
					return b.inner.Send(ctx, r)
				}
				b.tell(producer.Outcome{Record: r, State: producer.Acked, Partition: -1, Offset: producer.OffsetUnset})
				return nil
			}
		}, []string{"truth/acked is in the log when responses are lost"}},
		"acknowledges what was refused": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				o.State, o.Err = producer.Acked, nil
				b.tell(o)
			}
		}, []string{"truth/refused by the broker is not acked"}},

		"loses a callback": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if !rarely(o.Record) {
					b.tell(o)
				}
			}
		}, []string{"outcomes/one for each record"}},
		"loses callbacks after trouble": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if !sometimes(o.Record) || b.inner.Stats().Retries == 0 {
					b.tell(o)
				}
			}
		}, []string{"outcomes/one for each record when responses are lost"}},
		"loses callbacks at Close": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if !givenUp(o) {
					b.tell(o)
				}
			}
		}, fillTheOutcomes},
		"calls twice": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				b.tell(o)
				if rarely(o.Record) {
					b.tell(o)
				}
			}
		}, []string{"outcomes/one for each record"}},
		"loses callbacks of what the broker refused": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if !refused(o) {
					b.tell(o)
				}
			}
		}, []string{"outcomes/one for each record when the broker refuses them"}},
		"calls again later": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				b.tell(o)
				if rarely(o.Record) {
					time.AfterFunc(moment/4, func() { b.tell(o) })
				}
			}
		}, []string{"outcomes/one for each record"}},
		"calls twice at Close": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				b.tell(o)
				if givenUp(o) {
					b.tell(o)
				}
			}
		}, fillTheOutcomes},
		"calls for what Send refused": {func(b *breach) {
			b.send = func(ctx context.Context, r *producer.Record) error {
				err := b.inner.Send(ctx, r)
				if err != nil {
					b.tell(producer.Outcome{Record: r, State: producer.Failed, Partition: -1, Offset: producer.OffsetUnset, Err: err})
				}
				return err
			}
		}, []string{
			"send/is refused with ErrClosed after Close", "send/that waits is freed by Close", "send/waits no longer than its context",
		}},
		"names a copy of the record": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				own := *o.Record
				o.Record = &own
				b.tell(o)
			}
		}, []string{"outcomes/name the record that was sent"}},
		"changes the token": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				o.Record.Token.Device++
				b.tell(o)
			}
		}, []string{"outcomes/name the record that was sent"}},
		"gives no reason": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				o.Err = nil
				b.tell(o)
			}
		}, []string{"outcomes/have a state, a reason unless acked, and an offset only if acked"}},
		"tells the next offset": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if o.Offset >= 0 && rarely(o.Record) {
					o.Offset++
				}
				b.tell(o)
			}
		}, []string{"truth/the partition and offset told are the record's"}},
		"says failed for what is stored": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				if o.State == producer.Unknown {
					o.State = producer.Failed
				}
				b.tell(o)
			}
		}, []string{
			"truth/failed is not in the log when the broker answers with an error",
			"truth/failed is not in the log when responses are lost",
			"truth/failed is not in the log when closed in flight",
		}},

		"reorders": {func(b *breach) { swap(b, rarely) }, []string{"order/each key in the order in which it was sent"}},
		"reorders after trouble": {func(b *breach) {
			swap(b, func(r *producer.Record) bool { return sometimes(r) && b.inner.Stats().Retries > 0 })
		}, []string{"order/each key in order when responses are lost, if idempotent"}},

		"changes the record": {func(b *breach) {
			b.send = func(ctx context.Context, r *producer.Record) error {
				r.Value[0] = '['
				return b.inner.Send(ctx, r)
			}
		}, []string{"memory/a record is not changed", "memory/what is stored is what was sent, once"}},
		"writes to the record's memory after its outcome": {func(b *breach) {
			b.outcome = func(o producer.Outcome) {
				b.tell(o)
				if rarely(o.Record) {
					o.Record.Value[0] = '!'
				}
			}
		}, []string{"memory/a record is not changed", "memory/a record's memory is the sender's again after its outcome"}},
		"reads the record's memory after its outcome": {resend,
			[]string{"memory/what is stored is what was sent, once", "memory/a record's memory is the sender's again after its outcome"}},

		"swallows the context of Send": {func(b *breach) {
			b.send = func(_ context.Context, r *producer.Record) error { return b.inner.Send(context.Background(), r) }
		}, []string{"send/waits no longer than its context"}},
		"refuses with another error after Close": {func(b *breach) {
			b.send = func(ctx context.Context, r *producer.Record) error {
				if errors.Is(b.inner.Send(ctx, r), producer.ErrClosed) {
					return errors.New("no such producer")
				}
				return nil
			}
		}, []string{"send/is refused with ErrClosed after Close", "send/that waits is freed by Close"}},
		"swallows the context of Flush": {func(b *breach) {
			b.flush = func(context.Context) error { return b.inner.Flush(context.Background()) }
		}, []string{"flush/ends with its context and gives nothing up"}},
		"does not flush": {func(b *breach) {
			b.flush = func(context.Context) error { return nil }
		}, []string{
			"flush/ends with its context and gives nothing up", "flush/waits for every outcome",
			"flush/waits until each outcome has been taken", "stats/count what is in flight, and never backwards",
		}},
		"gives up in Flush": {func(b *breach) {
			b.flush = func(ctx context.Context) error {
				err := b.inner.Flush(ctx)
				if err != nil {
					_ = b.inner.Close(ctx)
				}
				return err
			}
		}, []string{"flush/ends with its context and gives nothing up"}},

		"blocks Close": {func(b *breach) {
			b.close = func(ctx context.Context) error {
				_ = b.inner.Flush(context.Background())
				return b.inner.Close(ctx)
			}
		}, append([]string{
			"close/ends with its context when no broker answers", "close/ends at once with a context that has ended",
			"close/ends with its context when no broker is there", "send/that waits is freed by Close",
		}, fillTheOutcomes...)},
		"does not drain": {func(b *breach) {
			b.close = func(context.Context) error {
				over, cancel := context.WithCancel(context.Background())
				cancel()
				return b.inner.Close(over)
			}
		}, []string{"close/lets what is in flight come back"}},
		"tells outcomes after Close": {func(b *breach) {
			var kept []producer.Outcome
			b.outcome = func(o producer.Outcome) {
				if givenUp(o) {
					kept = append(kept, o)
				} else {
					b.tell(o)
				}
			}
			b.close = func(ctx context.Context) error {
				err := b.inner.Close(ctx)
				late := kept
				kept = nil
				go func() {
					<-afterMoment()
					for _, o := range late {
						b.tell(o)
					}
				}()
				return err
			}
		}, append([]string{"close/leaves no outcome for later"}, fillTheOutcomes...)},
		"fails when it is closed again": {func(b *breach) {
			var closed atomic.Bool
			b.close = func(ctx context.Context) error {
				if closed.Swap(true) {
					return errors.New("closed already")
				}
				return b.inner.Close(ctx)
			}
		}, []string{"close/may be called again"}},
		"leaves a goroutine": {func(b *breach) {
			go func() { <-over }()
		}, []string{"close/leaves no goroutine behind"}},

		"connects later": {func(b *breach) {
			b.connect = func(_ context.Context, _ producer.Config, connected producer.Producer, err error) (producer.Producer, error) {
				if errors.Is(err, context.DeadlineExceeded) {
					return idle{}, nil
				}
				if err != nil {
					return nil, err
				}
				b.inner = connected
				return b, nil
			}
		}, []string{"new/fails within its context where nobody listens", "new/fails within its context where nobody answers"}},
		"waits for ever for the first broker": {func(b *breach) {
			b.connect = func(_ context.Context, _ producer.Config, connected producer.Producer, err error) (producer.Producer, error) {
				if errors.Is(err, context.DeadlineExceeded) {
					<-over
				}
				if err != nil {
					return nil, err
				}
				b.inner = connected
				return b, nil
			}
		}, []string{"new/fails within its context where nobody listens", "new/fails within its context where nobody answers"}},
		"takes any partitioner": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Partitioner.Partition(nil, 1) < 0 {
					c.Partitioner = producer.PartitionerHash
				}
				return c
			}
		}, []string{"new/refuses settings that do not exist"}},
		"has one partitioner, the usual": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Partitioner.Fixed() {
					c.Partitioner = producer.PartitionerHash
				}
				return c
			}
		}, []string{"order/partitioner reference_hash", "order/partitioner murmur2", "order/partitioner crc32"}},
		"has one partitioner, the Java client's": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Partitioner.Partition(nil, 1) == 0 {
					c.Partitioner = producer.PartitionerMurmur2
				}
				return c
			}
		}, []string{"order/partitioner hash", "order/partitioner reference_hash", "order/partitioner crc32", "order/partitioner failover"}},
		"has one codec": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Compression != "brotli" {
					c.Compression = producer.CompressionLZ4
				}
				return c
			}
		}, []string{
			"settings/compression none", "settings/compression gzip", "settings/compression snappy", "settings/compression zstd",
		}},
		"compresses nothing": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Compression != "brotli" {
					c.Compression = producer.CompressionNone
				}
				return c
			}
		}, []string{
			"settings/compression gzip", "settings/compression snappy", "settings/compression lz4", "settings/compression zstd",
		}},
		"asks the leader only": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if slices.Contains(c.Acks.Known(), string(c.Acks)) {
					c.Acks, c.Idempotent = producer.AcksLeader, false
				}
				return c
			}
		}, []string{"settings/acks all", "settings/acks 0", "settings/idempotent true"}},
		"asks nobody": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Acks == producer.AcksLeader {
					c.Acks = producer.AcksNone
				}
				return c
			}
		}, []string{"settings/acks 1"}},
		"is always idempotent": {func(b *breach) {
			b.config = func(c producer.Config) producer.Config {
				if c.Acks == producer.AcksAll {
					c.Idempotent = true
				}
				return c
			}
		}, []string{"settings/idempotent false"}},

		"counts records for ever": {func(b *breach) {
			var accepted atomic.Int64
			b.send = func(ctx context.Context, r *producer.Record) error {
				err := b.inner.Send(ctx, r)
				if err == nil {
					accepted.Add(1)
				}
				return err
			}
			b.stats = func() producer.Stats {
				stats := b.inner.Stats()
				stats.Queued = accepted.Load()
				return stats
			}
		}, []string{"stats/count what is in flight, and never backwards"}},
		"knows of no retries": {func(b *breach) {
			b.stats = func() producer.Stats {
				stats := b.inner.Stats()
				stats.Retries = 0
				return stats
			}
		}, []string{"stats/count retries, if they say so"}},
		"waits in Stats": {func(b *breach) {
			b.stats = func() producer.Stats {
				_ = b.inner.Flush(context.Background())
				return b.inner.Stats()
			}
		}, []string{"stats/count what is in flight, and never backwards", "stats/answer at once, also when nothing else does and after Close"}},
	}
}

// swap sends a record behind the next one of its key.
func swap(b *breach, which func(*producer.Record) bool) {
	var mu sync.Mutex
	held := map[string]*producer.Record{}
	release := func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		for key, r := range held {
			delete(held, key)
			_ = b.inner.Send(ctx, r)
		}
	}
	b.send = func(ctx context.Context, r *producer.Record) error {
		key := string(r.Key)
		mu.Lock()
		earlier := held[key]
		delete(held, key)
		if earlier == nil && which(r) {
			held[key] = r
			mu.Unlock()
			return nil
		}
		mu.Unlock()
		err := b.inner.Send(ctx, r)
		if earlier != nil {
			return errors.Join(err, b.inner.Send(ctx, earlier))
		}
		return err
	}
	b.flush = func(ctx context.Context) error {
		release(ctx)
		return b.inner.Flush(ctx)
	}
	b.close = func(ctx context.Context) error {
		release(ctx)
		return b.inner.Close(ctx)
	}
}

// resend sends some records once more when they have been acknowledged, out of the memory that is the sender's by then.
func resend(b *breach) {
	var sending sync.WaitGroup
	var mine sync.Map
	b.outcome = func(o producer.Outcome) {
		if _, again := mine.Load(o.Record); again {
			return
		}
		b.tell(o)
		if rarely(o.Record) && o.State == producer.Acked {
			again := clone(o.Record)
			mine.Store(&again, true)
			sending.Go(func() { _ = b.inner.Send(context.Background(), &again) })
		}
	}
	b.flush = func(ctx context.Context) error {
		if err := b.inner.Flush(ctx); err != nil {
			return err
		}
		sending.Wait()
		return b.inner.Flush(ctx)
	}
}

// idle is a producer that has never connected.
type idle struct{}

func (idle) Send(context.Context, *producer.Record) error { return producer.ErrClosed }
func (idle) Flush(context.Context) error                  { return nil }
func (idle) Close(context.Context) error                  { return nil }
func (idle) Stats() producer.Stats                        { return producer.Stats{} }
