package fleettest

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// many is how many records a clause sends that looks for what goes wrong now and then.
const many = 3000

// some is how many a clause sends that looks for what always goes wrong. Each key has two of them and more.
const some = 40

func outcomeClauses() []clause {
	return []clause{
		{"one for each record", oneEach},
		{"one for each record when responses are lost", oneEachLossy},
		{"one for each record when the brokers are lost", oneEachAlone},
		{"one for each record when the broker refuses them", oneEachRefused},
		{"one for each record in flight at Close", oneEachClosed(short)},
		{"one for each record in flight at Close with a context that has ended", oneEachClosed(0)},
		{"name the record that was sent", namesRecord},
		{"have a state, a reason unless acked, and an offset only if acked", wellFormed},
	}
}

// exactlyOne wants one outcome for each accepted record and none for the others.
func (c *client) exactlyOne() error {
	var found []string
	for _, e := range c.book.all() {
		if want := boolean(e.accepted); len(e.outcomes) != want {
			found = append(found, fmt.Sprintf("%s has %s", &e, outcomes(e.outcomes)))
			if !e.accepted {
				found[len(found)-1] += ", and Send had refused it: " + e.refused.Error()
			}
		}
	}
	return breaches("each accepted record has exactly one outcome when Close has returned, others none", found)
}

func boolean(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// outcomes lists states in words.
func outcomes(list []producer.Outcome) string {
	text := fmt.Sprintf("%d outcomes", len(list))
	for i, o := range list {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		text += separator + o.State.String()
	}
	return text
}

func oneEach(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	_ = s.end(patience)
	pause(ctx, moment) // a second one may come late
	return s.exactlyOne()
}

func oneEachLossy(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendLossy(ctx); err != nil {
		return err
	}
	_ = s.end(patience)
	return s.exactlyOne()
}

// sendLossy sends in rounds while every third response is lost, until some have been.
func (s *scene) sendLossy(ctx context.Context) error {
	const losses, rounds, share = 6, 12, 1. / 3
	most := losses
	if err := s.lose(ctx, fault.Spec{Rate: &fault.Rate{Share: share}, Count: &most}); err != nil {
		return err
	}
	for range rounds {
		if err := s.send(some); err != nil {
			return err
		}
		// A client may wait for longer than this before it tries again; the next round then comes on top.
		_ = s.flush(patience)
	}
	return nil
}

func oneEachAlone(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(some); err != nil {
		return err
	}
	if err := s.crash(); err != nil {
		return err
	}
	if err := s.send(some); err != nil {
		return err
	}
	_ = s.flush(short)
	_ = s.end(short)
	return s.exactlyOne()
}

func oneEachRefused(ctx context.Context, k kit) error {
	s, err := k.openHasty(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.refuse("MESSAGE_TOO_LARGE"); err != nil {
		return err
	}
	if err := s.send(some); err != nil {
		return err
	}
	_ = s.flush(patience)
	_ = s.end(patience)
	return s.exactlyOne()
}

func oneEachClosed(limit time.Duration) func(context.Context, kit) error {
	return func(ctx context.Context, k kit) error {
		s, err := k.openHeld(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		_ = s.end(limit)
		return s.exactlyOne()
	}
}

// openHeld is a scene with records in flight, which no broker answers.
func (k kit) openHeld(ctx context.Context) (*scene, error) {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return nil, err
	}
	s.gate.shut()
	if err := s.send(some); err != nil {
		s.close()
		return nil, err
	}
	if err := s.gate.held(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func namesRecord(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	s.gate.let()
	_ = s.flush(patience)
	s.gate.shut()
	if err := s.send(some); err != nil {
		return err
	}
	_ = s.end(0)
	return breaches("an outcome carries the very *Record that Send got, with its Token as it was", s.book.strangers())
}

func wellFormed(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	s.gate.let()
	_ = s.flush(patience)
	s.gate.shut()
	if err := s.send(some); err != nil {
		return err
	}
	_ = s.end(0)
	var found []string
	for _, e := range s.book.all() {
		for _, o := range e.outcomes {
			if problem := malformed(o); problem != "" {
				found = append(found, fmt.Sprintf("%s: %s", &e, problem))
			}
		}
	}
	return breaches("an outcome is Acked, Failed or Unknown, with an error unless it is Acked and an offset only if it is", found)
}

func malformed(o producer.Outcome) string {
	acked := o.State == producer.Acked
	switch {
	case o.State != producer.Acked && o.State != producer.Failed && o.State != producer.Unknown:
		return fmt.Sprintf("the state is %d", o.State)
	case acked && o.Err != nil:
		return fmt.Sprintf("acked with the error %v", o.Err)
	case !acked && o.Err == nil:
		return o.State.String() + " without an error"
	case !acked && o.Offset != producer.OffsetUnset:
		return fmt.Sprintf("%s with the offset %d, not OffsetUnset", o.State, o.Offset)
	case o.Offset < producer.OffsetUnset:
		return fmt.Sprintf("the offset is %d", o.Offset)
	case o.Partition < -1 || o.Partition >= partitions:
		return fmt.Sprintf("partition %d of a topic with %d", o.Partition, partitions)
	}
	return ""
}
