// Package reread reads a log a second time, with Sarama's consumer.
//
// It takes a cluster, how to reach its brokers, and how far to read, and gives every record in it, partition by partition.
// It is there for the runs in which the client under test is built on the library that the harness reads with: what the two
// have in common, such as a mistake in the record format, would hide from that reader. It knows neither ledgers nor runs.
package reread

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// Source is what is read.
type Source struct {
	Brokers  []string                                                             // addresses to begin with
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // connects to a broker by the address it advertises
	ClientID string                                                               // under which the cluster sees the reader
	Stall    time.Duration                                                        // without a record for so long reading has failed
}

// Record is a record as it is in the log.
type Record struct {
	Topic      string
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    []Header
}

// Header is a record's header.
type Header struct {
	Key   string
	Value []byte
}

// Read gives the records of a partition from offset 0 up to end, which is the offset of the first one not to be read, one
// after the other. It reads less only with an error.
func (r *Reader) Read(topic string, partition int32, end int64, see func(Record)) error {
	if end == 0 {
		return nil
	}
	var part sarama.PartitionConsumer
	err := r.inTime(func() (err error) {
		part, err = r.consumer.ConsumePartition(topic, partition, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	defer r.closing.Go(func() { _ = part.Close() }) // which reads on until its last fetch is over
	stalled := time.NewTimer(r.stall)
	defer stalled.Stop()
	for next := int64(0); next < end; {
		select {
		case m := <-part.Messages():
			next = m.Offset + 1
			if next > end {
				return nil
			}
			see(record(m))
			stalled.Reset(r.stall)
		case err := <-part.Errors():
			return fmt.Errorf("read %s/%d: %w", topic, partition, r.orCause(err))
		case <-stalled.C:
			return fmt.Errorf("read %s/%d: nothing for %s, at offset %d of %d", topic, partition, r.stall, next, end)
		case <-r.living.Done():
			return context.Cause(r.living)
		}
	}
	return nil
}

func record(m *sarama.ConsumerMessage) Record {
	r := Record{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value}
	for _, header := range m.Headers {
		r.Headers = append(r.Headers, Header{Key: string(header.Key), Value: header.Value})
	}
	return r
}

// Reader is connected to a source, for as long as the context lives that it was opened with. Sarama knows no context: what
// its calls wait for is ended by ending the connections.
type Reader struct {
	consumer sarama.Consumer
	stall    time.Duration
	living   context.Context // that of the connections
	cut      context.CancelCauseFunc
	closing  sync.WaitGroup // of partitions that have been read
}

// Open connects a reader.
func Open(ctx context.Context, source Source) (*Reader, error) {
	r := &Reader{stall: source.Stall}
	r.living, r.cut = context.WithCancelCause(ctx)
	config := sarama.NewConfig()
	config.ClientID = source.ClientID
	config.Version = sarama.V3_7_0_0
	config.Consumer.Return.Errors = true
	config.Consumer.MaxWaitTime = fetchWait
	config.Net.ReadTimeout, config.Net.WriteTimeout = source.Stall, source.Stall
	config.Net.Proxy.Enable = true
	config.Net.Proxy.Dialer = dialer{r.living, source.Dial}
	err := r.inTime(func() (err error) {
		r.consumer, err = sarama.NewConsumer(source.Brokers, config)
		return err
	})
	if err != nil {
		r.cut(nil)
		return nil, fmt.Errorf("connect the second reader: %w", err)
	}
	return r, nil
}

// inTime makes a call of Sarama's, which may try one broker after the other, several times, and wait for each. It is ended
// after as long as may pass without a record.
func (r *Reader) inTime(call func() error) error {
	late := time.AfterFunc(r.stall, func() { r.cut(fmt.Errorf("nothing for %s", r.stall)) })
	defer late.Stop()
	return r.orCause(call())
}

// orCause says why the connections were ended where that is why there was an error.
func (r *Reader) orCause(err error) error {
	if cause := context.Cause(r.living); err != nil && cause != nil {
		return cause
	}
	return err
}

// Close releases the reader. Answers that are still to come are not waited for.
func (r *Reader) Close() error {
	r.cut(nil)
	r.closing.Wait()
	return r.consumer.Close()
}

// dialer connects as Sarama wants it done.
type dialer struct {
	living context.Context
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.living, dialTimeout)
	defer cancel()
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(d.living, func() { _ = conn.Close() })
	return conn, nil
}

const (
	dialTimeout = 5 * time.Second
	fetchWait   = 100 * time.Millisecond // a broker holds an empty fetch no longer
)
