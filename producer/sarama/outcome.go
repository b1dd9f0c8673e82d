package sarama

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/producer"
)

// trouble remembers whether anything has happened in this run after which a record may be in the log although Sarama
// returns it with an error. Sarama does not say how often it attempted a record, so this is known only for all records
// together: by its pauses, since every further attempt comes after one, and by what it has returned.
type trouble struct {
	seen    atomic.Bool
	retries atomic.Int64 // attempts beyond the first, as Sarama counts them: a batch, or a partition's whole backlog
	hurry   atomic.Bool  // the end has come: no more pauses
}

// forget begins anew. What happened before the first record cannot have stored one.
func (t *trouble) forget() {
	t.seen.Store(false)
	t.retries.Store(0)
}

// retryPause is Sarama's Producer.Retry.BackoffFunc. Sarama also pauses once per record that it fails for want of a
// leader; only that call comes without an attempt.
func (t *trouble) retryPause(pause time.Duration) func(attempt, limit int) time.Duration {
	return func(attempt, _ int) time.Duration {
		t.seen.Store(true)
		if attempt > 0 {
			t.retries.Add(1)
		}
		return t.unlessHurried(pause)
	}
}

// metadataPause is Sarama's Metadata.Retry.BackoffFunc and the one of its InitProducerID: no broker answers, or a
// partition has no leader.
func (t *trouble) metadataPause(pause time.Duration) func(attempt, limit int) time.Duration {
	return func(int, int) time.Duration {
		t.seen.Store(true)
		return t.unlessHurried(pause)
	}
}

func (t *trouble) unlessHurried(pause time.Duration) time.Duration {
	if t.hurry.Load() {
		return 0
	}
	return pause
}

// state says what an error proves about its record. The list of what proves that a record is not in the log is short on
// purpose; everything else is unknown, and is trouble for all that comes after.
//
//	refused before its first attempt   too large, not encodable, no such partition
//	refused by the broker, no trouble  MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, no authorization to write
func (t *trouble) state(err error) producer.State {
	var configuration sarama.ConfigurationError
	if errors.As(err, &configuration) || errors.Is(err, sarama.ErrInvalidPartition) {
		return producer.Failed
	}
	if !t.seen.Load() && refused(err) {
		return producer.Failed
	}
	t.seen.Store(true)
	return producer.Unknown
}

// refused says whether an error of an only attempt proves that nothing was stored by it.
func refused(err error) bool {
	// Sarama could not encode the request. It does that for every attempt, so that an earlier one may have been sent.
	var encoding sarama.PacketEncodingError
	if errors.As(err, &encoding) {
		return true
	}
	// Compared, not unwrapped: the error code of a produce response comes bare. The same code inside another error comes
	// from a metadata response and says nothing about where the record has been before.
	return slices.Contains([]error{
		sarama.ErrMessageSizeTooLarge, sarama.ErrInvalidTimestamp,
		sarama.ErrTopicAuthorizationFailed, sarama.ErrClusterAuthorizationFailed,
	}, err)
}
