package fleettest

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

func truthClauses() []clause {
	return []clause{
		{"acked only after the broker did", ackedAfterBroker},
		{"acked is in the log", ackedIsStored},
		{"acked is in the log when responses are lost", ackedIsStoredLossy},
		{"refused by the broker is not acked", refusedIsNotAcked},
		{"the partition and offset told are the record's", toldWhere},
		{"failed is not in the log when the broker answers with an error", failedAnswered},
		{"failed is not in the log when responses are lost", failedLossy},
		{"failed is not in the log when closed in flight", failedClosed},
	}
}

func ackedAfterBroker(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	// More, for one that is acked now and then, or as many as the client takes without an answer. They have their time
	// together: that one of them waited on a busy machine does not mean that the client takes no more.
	const more = 10 * some
	full, cancel := context.WithTimeout(ctx, 10*moment)
	defer cancel()
	for _, e := range s.book.add(more) {
		if err := bounded(full, "Send", func(ctx context.Context) error { return s.hand(ctx, e) }); err != nil {
			break
		}
	}
	_ = s.flush(moment)
	var found []string
	for _, e := range s.book.all() {
		for _, o := range e.outcomes {
			if o.State == producer.Acked {
				found = append(found, e.String()+" is acked")
			}
		}
	}
	return breaches("no record is acked before a broker has answered its produce request, and all are held back", found)
}

// ackedStored wants every acked record in the log.
func (s *scene) ackedStored(ctx context.Context) error {
	all := s.book.all() // before the log, which may still grow
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	var found []string
	for _, e := range all {
		for _, o := range e.outcomes {
			if o.State == producer.Acked && len(log.bySequence[e.sequence]) == 0 {
				found = append(found, e.String()+" is acked and nowhere")
			}
		}
	}
	return breaches("what is acked is in the log", found)
}

func ackedIsStored(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	_ = s.end(patience)
	if s.book.count(producer.Acked) == 0 {
		return fmt.Errorf("a cluster that is well has acked none of %d records: %s", many, s.firstReason())
	}
	return s.ackedStored(ctx)
}

// firstReason is why some record was not acked.
func (c *client) firstReason() string {
	for _, e := range c.book.all() {
		for _, o := range e.outcomes {
			if o.State != producer.Acked {
				return fmt.Sprintf("%s: %s: %v", &e, o.State, o.Err)
			}
		}
	}
	return "no other outcome came either"
}

func ackedIsStoredLossy(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendLossy(ctx); err != nil {
		return err
	}
	_ = s.end(patience)
	return s.ackedStored(ctx)
}

// refuse makes every broker answer produce requests with an error.
func (s *scene) refuse(err string) error {
	var nodes []int
	for node := range brokers {
		nodes = append(nodes, node)
	}
	_, failed := s.cluster.Answer(broker.ErrorAnswer{API: "Produce", Error: err, Nodes: nodes})
	return failed
}

// openRefusing is a scene in which records have come to their end in a cluster that answers with an error.
func (k kit) openRefusing(ctx context.Context, refusal string) (*scene, error) {
	return k.openHopeless(ctx, func(s *scene) error { return s.refuse(refusal) })
}

// openHasty is a scene with a client that gives up as soon as it can: with few retries, and without idempotence, under
// which some keep what they have sent for as long as they live. Not every client takes such settings.
func (k kit) openHasty(ctx context.Context) (s *scene, err error) {
	impatient := k.impatient()
	hasty := impatient
	hasty.Idempotent = false
	for _, config := range []producer.Config{hasty, impatient, k.config} {
		if s, err = k.open(ctx, config); err == nil {
			break
		}
	}
	return s, err
}

// openHopeless is a scene in which no record can be acknowledged, and in which all have come to their end: by themselves,
// where the client gives up, and by Close otherwise.
func (k kit) openHopeless(ctx context.Context, hurt func(*scene) error) (*scene, error) {
	s, err := k.openHasty(ctx)
	if err != nil {
		return nil, err
	}
	if err := hurt(s); err != nil {
		s.close()
		return nil, err
	}
	if err := s.send(some); err != nil {
		s.close()
		return nil, err
	}
	const giveUp = 2 * time.Second
	_ = s.flush(giveUp)
	_ = s.end(0)
	return s, nil
}

func refusedIsNotAcked(ctx context.Context, k kit) error {
	s, err := k.openRefusing(ctx, "MESSAGE_TOO_LARGE")
	if err != nil {
		return err
	}
	defer s.close()
	return s.ackedStored(ctx)
}

func toldWhere(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(many); err != nil {
		return err
	}
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	var found []string
	for _, e := range s.book.all() {
		at := log.bySequence[e.sequence]
		for _, o := range e.outcomes {
			if o.State != producer.Acked || len(at) == 0 {
				continue
			}
			is := at[0]
			if o.Partition >= 0 && o.Partition != is.Partition || o.Offset != producer.OffsetUnset && o.Offset != is.Offset {
				found = append(found, fmt.Sprintf("%s is said to be at %d/%d and is at %d/%d", &e, o.Partition, o.Offset, is.Partition, is.Offset))
			}
		}
	}
	return breaches("an acked record is at the partition and offset that its outcome tells", found)
}

// failedNotStored wants no failed record in the log. A request may still be on its way into the log, so that it is given
// time to get there.
func (s *scene) failedNotStored(ctx context.Context) error {
	if s.book.count(producer.Failed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pause(ctx, moment)
	log, err := s.read(ctx)
	if err != nil {
		return err
	}
	var found []string
	for _, e := range s.book.all() {
		for _, o := range e.outcomes {
			if o.State == producer.Failed && len(log.bySequence[e.sequence]) > 0 {
				found = append(found, fmt.Sprintf("%s is in the log and its outcome is failed: %v", &e, o.Err))
			}
		}
	}
	return breaches("failed means certainly not in the log; everything else is Unknown", found)
}

func failedAnswered(ctx context.Context, k kit) error {
	s, err := k.openRefusing(ctx, "NOT_ENOUGH_REPLICAS_AFTER_APPEND") // after: the record is in the log
	if err != nil {
		return err
	}
	defer s.close()
	return s.failedNotStored(ctx)
}

func failedLossy(ctx context.Context, k kit) error {
	s, err := k.openHopeless(ctx, func(s *scene) error { return s.lose(ctx, fault.Spec{Rate: &fault.Rate{Share: 1}}) })
	if err != nil {
		return err
	}
	defer s.close()
	return s.failedNotStored(ctx)
}

func failedClosed(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_ = s.end(0)
	s.gate.let()
	return s.failedNotStored(ctx)
}
