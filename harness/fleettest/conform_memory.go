package fleettest

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetproof/fleetproof/producer"
)

func memoryClauses() []clause {
	return []clause{
		{"what is stored is what was sent, once", storedAsSent},
		{"a record is not changed", unchanged},
		{"a record's memory is the sender's again after its outcome", givenBack},
	}
}

// wholly wants the log to hold each acked record once, as it was sent, and nothing else: nothing went wrong.
func (s *scene) wholly(ctx context.Context) error {
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	var found []string
	all := s.book.all()
	for _, r := range log.records {
		where := fmt.Sprintf("the record at %d/%d", r.Partition, r.Offset)
		i, ok := sequenceOf(r)
		switch {
		case !ok || i >= len(all):
			found = append(found, where+" is none that was sent")
		case len(log.bySequence[i]) > 1 && log.bySequence[i][0] != r:
			found = append(found, fmt.Sprintf("%s is %s once more", where, &all[i]))
		default:
			if difference := differs(r, all[i].original); difference != "" {
				found = append(found, fmt.Sprintf("%s is not %s as it was sent: %s", where, &all[i], difference))
			}
		}
	}
	return breaches("the log of a cluster that is well holds what was sent, each record once", found)
}

func storedAsSent(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	return s.wholly(ctx)
}

func unchanged(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	if err := s.end(patience); err != nil {
		return nil // it may still be at work, and how it closes is not asked here
	}
	var found []string
	for _, e := range s.book.all() {
		if difference := changed(e.original, *e.record); difference != "" {
			found = append(found, fmt.Sprintf("%s was changed: %s", &e, difference))
		}
	}
	return breaches("nobody changes a record that was handed to Send", found)
}

// changed says how a record is not what it was; empty: it is.
func changed(was, is producer.Record) string {
	is.Token = was.Token // which is the business of another clause
	return strings.Join(strings.Fields(cmp.Diff(was, is)), " ")
}

// givenBack overwrites every record as soon as it has its outcome. The producer neither looks at it any more nor writes.
func givenBack(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	s.book.told = func(e *entry, o producer.Outcome) {
		if o.State == producer.Acked {
			overwrite(e.record)
		}
	}
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	if err := s.end(patience); err != nil {
		return nil // it may still be at work, and how it closes is not asked here
	}
	var found []string
	for _, e := range s.book.all() {
		if len(e.outcomes) == 0 || e.outcomes[0].State != producer.Acked {
			continue
		}
		want := clone(&e.original)
		overwrite(&want)
		if difference := changed(want, *e.record); difference != "" {
			found = append(found, fmt.Sprintf("%s was written to after its outcome: %s", &e, difference))
		}
	}
	if err := breaches("a record's memory belongs to the sender after its outcome", found); err != nil {
		return err
	}
	if err := s.wholly(ctx); err != nil {
		return fmt.Errorf("a record's memory belongs to the sender after its outcome, and this one overwrites it: %w", err)
	}
	return nil
}

// scribble is what records are overwritten with.
const scribble = '#'

func overwrite(r *producer.Record) {
	for _, memory := range [][]byte{r.Key, r.Value, r.Headers[0].Value} {
		copy(memory, bytes.Repeat([]byte{scribble}, len(memory)))
	}
	r.Headers[0].Key = "overwritten"
}
