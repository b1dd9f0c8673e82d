package fleettest

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetproof/fleetproof/producer"
)

func orderClauses() []clause {
	clauses := []clause{
		{"each key in the order in which it was sent", inOrder},
		{"each key in order when responses are lost, if idempotent", inOrderLossy},
	}
	for _, name := range producer.Partitioner("").Known() {
		clauses = append(clauses, clause{"partitioner " + name, partitioned(producer.Partitioner(name))})
	}
	return clauses
}

// keyOrder wants the first occurrences of each key's records in the order in which they were sent.
func (s *scene) keyOrder(ctx context.Context) error {
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	type lane struct {
		key       string
		partition int32
	}
	last := map[lane]int{}
	seen := map[int]bool{}
	var found []string
	for _, r := range log.records {
		i, ok := sequenceOf(r)
		if !ok || seen[i] {
			continue
		}
		seen[i] = true
		at := lane{string(r.Key), r.Partition}
		if before, any := last[at]; any && before > i {
			found = append(found, fmt.Sprintf("%s: record %d is behind record %d, at %d/%d", r.Key, i, before, r.Partition, r.Offset))
		}
		last[at] = max(last[at], i)
	}
	return breaches("records with the same key are stored in the order in which they were sent", found)
}

func inOrder(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	return s.keyOrder(ctx)
}

// inOrderLossy holds for idempotent producers. Others may rightly store a repeated batch behind a later one.
func inOrderLossy(ctx context.Context, k kit) error {
	if !k.config.Idempotent {
		return nil
	}
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendLossy(ctx); err != nil {
		return err
	}
	_ = s.end(patience)
	return s.keyOrder(ctx)
}

// partitioned wants each record where the partitioner's pure function puts its key. The brokers are well, so that failover
// has nothing to avoid. A client need not have every partitioner.
func partitioned(partitioner producer.Partitioner) func(context.Context, kit) error {
	return func(ctx context.Context, k kit) error {
		config := k.config
		config.Partitioner = partitioner
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
			if want := partitioner.Partition(r.Key, partitions); want != r.Partition {
				found = append(found, fmt.Sprintf("%s is in partition %d and belongs in %d", r.Key, r.Partition, want))
			}
		}
		return breaches(fmt.Sprintf("%s puts a key where producer.Partitioner says, or New refuses it", partitioner), found)
	}
}

// openUnlessRefused opens a scene, or returns none where New does not take the settings. A New that hangs is an error.
func (k kit) openUnlessRefused(ctx context.Context, config producer.Config) (*scene, error) {
	s, err := k.open(ctx, config)
	var hung *hang
	if err != nil && !errors.As(err, &hung) {
		return nil, nil
	}
	return s, err
}
