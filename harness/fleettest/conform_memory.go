package fleettest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

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

// changed says how a record is not what it was; empty: it is. Its token is the business of another clause.
func changed(was, is producer.Record) string {
	switch {
	case is.Topic != was.Topic:
		return fmt.Sprintf("the topic is %q, and was %q", is.Topic, was.Topic)
	case !bytes.Equal(is.Key, was.Key):
		return fmt.Sprintf("the key is %q, and was %q", is.Key, was.Key)
	case !bytes.Equal(is.Value, was.Value):
		return fmt.Sprintf("the value is %q, and was %q", cut(is.Value), cut(was.Value))
	case !is.Timestamp.Equal(was.Timestamp):
		return fmt.Sprintf("the timestamp is %s, and was %s", is.Timestamp, was.Timestamp)
	case !slices.EqualFunc(is.Headers, was.Headers, func(a, b producer.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }):
		return fmt.Sprintf("the headers are %q, and were %q", is.Headers, was.Headers)
	}
	return ""
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
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	for _, r := range log.records {
		if bytes.HasPrefix(r.Key, []byte{scribble}) || bytes.HasPrefix(r.Value, []byte{scribble}) || len(r.Headers) > 0 && r.Headers[0].Key == scribbled {
			found = append(found, fmt.Sprintf("the record at %d/%d was read after its outcome, when it was overwritten", r.Partition, r.Offset))
		}
	}
	return breaches("a record's memory is the sender's again after its outcome", found)
}

// What records are overwritten with: every byte, and the key of the header.
const (
	scribble  = '#'
	scribbled = "overwritten"
)

func overwrite(r *producer.Record) {
	for _, memory := range [][]byte{r.Key, r.Value, r.Headers[0].Value} {
		copy(memory, bytes.Repeat([]byte{scribble}, len(memory)))
	}
	r.Headers[0].Key = scribbled
}
