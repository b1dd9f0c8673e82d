package fleettest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

// Conform tests that a producer keeps the contract of package producer: each clause in a subtest of its own, against
// embedded brokers. The subtests run in parallel within their group, and Conform returns when all are over. A producer
// that hangs fails the clause it hangs in; what it leaves behind then is left.
//
// It asks for the settings that scenarios ask for, and takes those that the client can follow: idempotence where New does
// not refuse it, one of the partitioners, and so on. A setting that New refuses is not held against it.
//
// It takes a few seconds, and opens ports on loopback only.
func Conform(t *testing.T, newProducer producer.New) {
	t.Helper()
	k, err := newKit(t.Context(), newProducer)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range contract() {
		t.Run(group.name, func(t *testing.T) {
			for _, clause := range group.clauses {
				t.Run(clause.name, func(t *testing.T) {
					t.Parallel()
					if err := clause.check(t.Context(), k); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// group is a part of the contract.
type group struct {
	name    string
	clauses []clause
}

// clause is one sentence of the contract.
type clause struct {
	name  string
	check func(context.Context, kit) error // the error says how the sentence is not true
}

// contract is every clause, in the order in which they are best read: whoever breaks the first ones should begin there.
func contract() []group {
	return []group{
		{"new", newClauses()},
		{"outcomes", outcomeClauses()},
		{"truth", truthClauses()},
		{"order", orderClauses()},
		{"memory", memoryClauses()},
		{"send", sendClauses()},
		{"flush", flushClauses()},
		{"close", closeClauses()},
		{"settings", settingClauses()},
		{"stats", statsClauses()},
	}
}

// The waits. None of them is a measurement: they are far beyond what a producer needs, also on a busy machine, and end a
// test that would otherwise hang.
const (
	patience = 20 * time.Second       // for what takes a moment while every broker answers
	grace    = 5 * time.Second        // for a call to come back after its context has ended: the contract says a second or so
	moment   = 200 * time.Millisecond // for what must not happen
	short    = 300 * time.Millisecond // the deadline of a call that cannot succeed
)

// kit is what is needed to check a producer.
type kit struct {
	connect producer.New
	config  producer.Config // settings that the client follows
}

// newKit finds settings that the client follows: idempotent if it can, and the first partitioner it has.
func newKit(ctx context.Context, connect producer.New) (kit, error) {
	if connect == nil {
		return kit{}, errors.New("there is no producer to test: producer.New is nil")
	}
	var refused []error
	for _, idempotent := range []bool{true, false} {
		for _, inFlight := range []int{0, 1, 5} {
			for _, partitioner := range producer.Partitioner("").Known() {
				k := kit{connect: connect, config: usual()}
				k.config.Idempotent, k.config.MaxInFlight, k.config.Partitioner = idempotent, inFlight, producer.Partitioner(partitioner)
				s, err := k.open(ctx, k.config)
				if err == nil {
					s.close()
					return k, nil
				}
				refused = append(refused, fmt.Errorf("idempotent: %t, max_in_flight: %d, partitioner: %s: %w", idempotent, inFlight, partitioner, err))
				var hung *hang
				if errors.As(err, &hung) {
					return k, err
				}
			}
		}
	}
	return kit{}, fmt.Errorf("take settings: New takes none of these settings, with a cluster that is well: %w", errors.Join(refused...))
}

// usual are the settings of the kit: those of a scenario, but less patient in what it tries again, so that what fails does
// so soon, and more patient with a broker that is silent, so that a client is seen to wait for as long as it is told.
func usual() producer.Config {
	return producer.Config{
		ClientID:    "fleetproof-conform",
		Acks:        producer.AcksAll,
		Compression: producer.CompressionNone,
		Batch:       producer.Batch{Bytes: 16 << 10, Linger: time.Millisecond},
		Retry:       producer.Retry{Max: 200, Backoff: 20 * time.Millisecond},
		Timeout:     producer.Timeout{Dial: time.Second, Read: 30 * time.Second, Request: 10 * time.Second},
		Encoding:    producer.EncodingJSON,
	}
}

// impatient are the settings with so few retries that a client can be seen to give up by itself, if New takes them.
func (k kit) impatient() producer.Config {
	config := k.config
	config.Retry.Max = 2
	return config
}
