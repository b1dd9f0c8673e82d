// Package producer says what a producer under test is.
//
// It takes nothing and knows nobody: no Kafka client, no devices, no verdicts, only the standard library. It gives the
// narrow contract through which the harness drives whatever client is under test:
//
//	harness ──Send(record)──▶ Producer ──▶ broker
//	harness ◀──Outcome──────── Producer ◀── response, error or silence
//
// Implementations live below it, one folder for each client. Another one, an old version in a module of its own, or a
// user's own producer plugs in as a Kind, a name and a constructor, and is judged by the same ledger.
//
// The package also holds where a key must land, as pure functions (Partition): the harness never asks the client under
// test where its own records belong.
package producer

import (
	"context"
	"errors"
	"time"
)

// New connects a producer. The outcome of every record that Send accepts is handed to outcome exactly once, from any
// goroutine of the producer and from several at the same time; outcome returns quickly and never calls back into the
// producer. New returns when the producer is ready to accept records, or an error when it is not by the end of ctx; then
// it may take a second or so more to be able to say why. Once New has returned, ctx means nothing to the producer.
type New func(ctx context.Context, config Config, outcome func(Outcome)) (Producer, error)

// Kind is a client that can be put under test.
type Kind struct {
	Name    string // what producer.kind says in a scenario, and the name under which Version is reported
	Version string // of the client library, such as v1.61.1
	New     New    // connects it
}

// Producer sends records to Kafka and says what became of each. What an implementation has to keep:
//
//   - One outcome for one accepted record: never none, never two, whatever happens to the brokers, the network, ctx or
//     the producer. The ledger counts on it, and a run whose counts do not add up proves nothing.
//   - The truth in it: Acked is what the client was told, Failed is certain, and Unknown is all the rest.
//   - The settings of Config, each as far as the client has it. A setting that the client cannot follow is an error of
//     New, not a silent difference.
//   - No opinion of its own: it adds no retries, no buffers and no limits that the client does not have, for then it would
//     be the implementation that is measured.
//
// All methods may be called at the same time.
//
// Where an implementation breaks this the run goes on as far as it can, names the clause and ends in ERROR: a method that
// panics, or that has not returned five seconds after the end of its ctx and is left behind, an outcome without its record,
// for a record never sent, or for one that has its outcome, and a record without one when Close has returned. A Close that
// still gives outcomes, of millions of records perhaps, is waited for a minute. A panic in a goroutine of the client's own
// cannot be caught by anybody else, and ends the process.
type Producer interface {
	// Send hands a record over. It blocks while the client's buffers are full, until ctx ends. The time it blocks is
	// accounted to the client. A nil error means that exactly one Outcome follows, perhaps before Send has returned, and
	// that the record and every slice in it belong to the producer until then. An error means that the record was not
	// accepted, no Outcome follows and the record is the caller's again: ErrClosed after Close has been called, also for
	// a Send that was blocked at that time, or what ended ctx. Any other error, and any while ctx lives, is a refusal of
	// this record (too large, not encodable): it is Failed, certainly not in the log now or later, and the error says why.
	//
	// Records with the same key are sent by one goroutine, in the order in which they must be stored; different keys may
	// come from several goroutines at once.
	Send(ctx context.Context, record *Record) error

	// Flush waits until every accepted record has its outcome and outcome has returned for each of them, or until ctx
	// ends, which is its only error. Nothing is abandoned or hurried by it. It is meant for when nobody sends: records
	// that are sent meanwhile are waited for too.
	Flush(ctx context.Context) error

	// Close ends the producer and releases what it holds. No record is accepted from then on. What is in flight gets
	// until the end of ctx to come back in the client's usual way; what has no outcome by then is Unknown unless the
	// client knows better, and its record must not be used again, since a client that is torn down may still read it.
	// When Close returns, within ctx or soon after (a second or so), outcome has been called for every record and is
	// not called any more.
	//
	// The error says what could not be released in time; that records had to be given up is no error, their outcomes
	// say so. Only the first call does anything. Later ones return nil at once.
	Close(ctx context.Context) error

	// Stats says what the client has done so far. It may be called at any time, also after Close, and does not block.
	Stats() Stats
}

// Record is one record on its way to Kafka. Nobody changes it between Send and its Outcome.
type Record struct {
	Topic     string
	Key       []byte // never empty: fleets are keyed by device
	Value     []byte
	Headers   []Header
	Timestamp time.Time // becomes the record's CreateTime, truncated to milliseconds by the protocol; never zero

	// Token belongs to the sender. The producer carries it unread from Send to the record's Outcome.
	Token Token
}

// Header is one record header.
type Header struct {
	Key   string
	Value []byte
}

// Token identifies a record to the harness without a look into its bytes.
type Token struct {
	Stream   uint8         // 0 for device readings, 1 for alerts
	Device   uint32        // number of the device over all fleets
	Sequence uint64        // the device's own, dense from 0
	Due      time.Duration // since the start of the first stage
	Handed   time.Duration // when Send was called, since the start of the first stage
	Memory   any           // what the record lies in, to be used again after its outcome
}

// State is what became of a record, as far as the client can know.
type State uint8

// The three states of a record that was handed over. Error is not absence: a client that gives up on a record it may
// have sent must say Unknown.
const (
	// Acked means that the client reported success. With acks=none that is no more than a successful write to a socket.
	Acked State = iota + 1
	// Failed means that the record is certainly not in the log: the client refused it without sending it (too large,
	// not encodable, no such partition, configuration), or the broker refused it (MESSAGE_TOO_LARGE, INVALID_TIMESTAMP,
	// authorization) and no earlier attempt can have stored it.
	Failed
	// Unknown means that the client gave an error that proves nothing: a timeout, a lost connection, a leader that
	// moved, too few replicas, a sequence number out of order, a breaker that opened, a shutdown.
	Unknown
)

// String returns the state's name as the reports write it.
func (s State) String() string {
	switch s {
	case Acked:
		return "acked"
	case Failed:
		return "failed"
	case Unknown:
		return "unknown"
	default:
		return "invalid state"
	}
}

// OffsetUnset stands for an offset the client did not learn: acks=none, or an acknowledgement by
// DUPLICATE_SEQUENCE_NUMBER, which carries none.
const OffsetUnset int64 = -1

// Outcome is what became of one record.
type Outcome struct {
	Record    *Record // the very pointer given to Send
	State     State
	Partition int32 // where the record is (Acked) or should have gone; -1 when the client chose none or does not say
	Offset    int64 // OffsetUnset when the client was not told, and always when State is not Acked
	Err       error // nil when State is Acked
}

// Stats are running totals of what a client has done. What a client cannot know stays zero: a number here was counted,
// never derived from another.
type Stats struct {
	Batches     int64 // record batches sent, per partition and attempt
	Retries     int64 // attempts beyond the first, counted as the client counts them
	Connections int64 // open connections to brokers, now
	Queued      int64 // records accepted and without an outcome, now

	// RetriesKnown says that Retries counts every attempt beyond the first, so that zero means none. Without it nobody
	// can tell whether a record was sent twice, and a client that is not idempotent promises nothing about duplicates.
	RetriesKnown bool
}

// ErrClosed is returned by Send after Close.
var ErrClosed = errors.New("producer is closed")
