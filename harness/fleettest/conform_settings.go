package fleettest

import (
	"context"
	"fmt"
	"slices"

	"github.com/fleetproof/fleetproof/producer"
)

func settingClauses() []clause {
	var clauses []clause
	for _, level := range producer.Acks("").Known() {
		clauses = append(clauses, clause{"acks " + level, acksFollowed(producer.Acks(level))})
	}
	for code, codec := range codecs {
		clauses = append(clauses, clause{"compression " + string(codec), compressionFollowed(uint8(code), codec)})
	}
	for _, idempotent := range []bool{true, false} {
		clauses = append(clauses, clause{fmt.Sprintf("idempotent %t", idempotent), idempotenceFollowed(idempotent)})
	}
	return clauses
}

// codecs are Kafka's codecs by their number in a record batch.
var codecs = [...]producer.Compression{
	producer.CompressionNone, producer.CompressionGzip, producer.CompressionSnappy, producer.CompressionLZ4, producer.CompressionZstd,
}

// acksFollowed wants produce requests to ask for as many acknowledgements as the setting says.
func acksFollowed(level producer.Acks) func(context.Context, kit) error {
	wanted := map[producer.Acks]int16{producer.AcksAll: -1, producer.AcksLeader: 1, producer.AcksNone: 0}[level]
	return func(ctx context.Context, k kit) error {
		config := k.config
		config.Acks = level
		if level != producer.AcksAll {
			config.Idempotent = false
		}
		s, err := k.openUnlessRefused(ctx, config)
		if s == nil {
			return err
		}
		defer s.close()
		if err := s.sendAndFlush(some); err != nil {
			return err
		}
		asked, err := s.gate.asked() // an ack with acks=0 may be ahead of its request
		if err != nil {
			return err
		}
		if !slices.Equal(asked, []int16{wanted}) {
			return fmt.Errorf("acks %s is %d in a produce request, and these said %d; what the client cannot follow is an error of New", level, wanted, asked)
		}
		return nil
	}
}

// compressionFollowed wants the batches in the log to be compressed as the setting says.
func compressionFollowed(code uint8, codec producer.Compression) func(context.Context, kit) error {
	return func(ctx context.Context, k kit) error {
		config := k.config
		config.Compression = codec
		s, err := k.openUnlessRefused(ctx, config)
		if s == nil {
			return err
		}
		defer s.close()
		const size = 1 << 10 // of blanks, mostly: a client may leave alone what does not get smaller
		for _, e := range s.book.addSized(some, size) {
			if err := s.handSoon(ctx, e); err != nil {
				return err
			}
		}
		if err := s.flush(patience); err != nil {
			return err
		}
		log, err := s.read(ctx)
		if err != nil {
			return err
		}
		var found []string
		for _, r := range log.records {
			if is := r.Attrs.CompressionType(); is != code {
				found = append(found, fmt.Sprintf("the batch of the record at %d/%d has codec %d, not %d", r.Partition, r.Offset, is, code))
			}
		}
		return breaches(fmt.Sprintf("batches are compressed as the setting says (%s), or New refuses it", codec), found)
	}
}

// handSoon hands one record over, which must not take long.
func (s *scene) handSoon(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return bounded(ctx, "Send", func(ctx context.Context) error { return s.hand(ctx, e) })
}

// idempotenceFollowed wants the batches in the log to carry a producer's identity if the setting says so, and only then.
func idempotenceFollowed(idempotent bool) func(context.Context, kit) error {
	return func(ctx context.Context, k kit) error {
		config := k.config
		config.Idempotent = idempotent
		s, err := k.openUnlessRefused(ctx, config)
		if s == nil {
			return err
		}
		defer s.close()
		if err := s.sendAndFlush(some); err != nil {
			return err
		}
		log, err := s.read(ctx)
		if err != nil {
			return err
		}
		var found []string
		for _, r := range log.records {
			if (r.ProducerID >= 0) != idempotent {
				found = append(found, fmt.Sprintf("the batch of the record at %d/%d has producer id %d", r.Partition, r.Offset, r.ProducerID))
			}
		}
		return breaches(fmt.Sprintf("batches carry a producer id if and only if the setting says so (idempotent: %t), or New refuses it", idempotent), found)
	}
}
