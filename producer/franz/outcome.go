package franz

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/producer"
)

// trouble remembers whether anything has happened in this run after which a record may be in the log although franz-go
// returns it with an error. franz-go does not say how often it attempted a record, so this is known only for all records
// together: every further attempt comes after a lost request, a pause or new metadata, and its hooks tell of those.
type trouble struct {
	began       atomic.Bool // a record has found its partition
	seen        atomic.Bool
	retries     atomic.Int64 // produce requests without a response, and pauses before a further attempt
	batches     atomic.Int64
	connections atomic.Int64
}

var (
	_ kgo.HookBrokerConnect       = (*trouble)(nil)
	_ kgo.HookBrokerDisconnect    = (*trouble)(nil)
	_ kgo.HookBrokerWrite         = (*trouble)(nil)
	_ kgo.HookBrokerE2E           = (*trouble)(nil)
	_ kgo.HookProduceBatchWritten = (*trouble)(nil)
)

// forget begins anew. What happened before the first record cannot have stored one.
func (t *trouble) forget() {
	t.seen.Store(false)
	t.retries.Store(0)
}

// pause is franz-go's RetryBackoffFn, for produce requests and all others.
func (t *trouble) pause(pause time.Duration) func(tries int) time.Duration {
	return func(int) time.Duration {
		t.seen.Store(true)
		t.retries.Add(1)
		return pause
	}
}

// OnBrokerConnect counts a connection.
func (t *trouble) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		t.connections.Add(1)
	}
}

// OnBrokerDisconnect counts it out.
func (t *trouble) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { t.connections.Add(-1) }

// OnBrokerWrite notices that franz-go asks for the cluster's metadata again. It does so before it repeats what a broker
// refused with an error that another attempt may mend.
func (t *trouble) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.Metadata) && t.began.Load() {
		t.seen.Store(true)
	}
}

// OnBrokerE2E notices a produce request that was not answered.
func (t *trouble) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key == int16(kmsg.Produce) && e2e.Err() != nil {
		t.seen.Store(true)
		t.retries.Add(1)
	}
}

// OnProduceBatchWritten counts a batch that was stored.
func (t *trouble) OnProduceBatchWritten(kgo.BrokerMetadata, string, int32, kgo.ProduceBatchMetrics) {
	t.batches.Add(1)
}

// state says what an error proves about its record. The list of what proves that a record is not in the log is short on
// purpose; everything else is unknown, and is trouble for all that comes after.
//
//	refused before its first attempt   larger than any batch
//	refused by the broker, no trouble  MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, no authorization to write
func (t *trouble) state(err error, oversize bool) producer.State {
	if oversize && errors.Is(err, kerr.MessageTooLarge) {
		return producer.Failed
	}
	if !t.seen.Load() && refusal(err) {
		return producer.Failed
	}
	t.seen.Store(true)
	return producer.Unknown
}

// refusal says whether an error of an only attempt proves that nothing was stored by it.
func refusal(err error) bool {
	for _, proof := range []error{
		kerr.MessageTooLarge, kerr.InvalidTimestamp, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, proof) {
			return true
		}
	}
	return false
}
