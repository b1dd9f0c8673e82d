package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/harness/reread"
)

// finish reads to the end offsets as they are once the producer has closed, and looks again: only a log whose end has
// not moved in between was read to its end. Anything less makes the run inconclusive.
func (rd *reader) finish(ctx context.Context) {
	rd.run.step("reading back")
	defer rd.close()
	ends, err := rd.readToEnd(ctx)
	switch {
	case err != nil:
	case rd.run.scenario.rescans():
		err = rd.rescan(ctx, ends)
	default:
		err = rd.lostEnd(ends)
	}
	if err != nil && rd.run.unread == "" {
		rd.run.unread = err.Error()
	}
	rd.run.ends = ends
}

func (rd *reader) readToEnd(ctx context.Context) (kadm.ListedOffsets, error) {
	ends, err := rd.listEnds(ctx)
	if err != nil {
		return nil, err
	}
	for range endPasses {
		if err := rd.awaitPositions(ctx, ends); err != nil {
			return ends, err
		}
		again, err := rd.listEnds(ctx)
		if err != nil {
			return ends, err
		}
		if sameEnds(ends, again) {
			return ends, nil
		}
		ends = again
	}
	return ends, fmt.Errorf("the log kept growing after the producer had closed: somebody else writes to the topic")
}

// listEnds asks for the end offsets of every partition, again and again until the read timeout.
func (rd *reader) listEnds(ctx context.Context) (kadm.ListedOffsets, error) {
	ctx, cancel := context.WithTimeout(ctx, rd.run.scenario.Oracle.ReadTimeout)
	defer cancel()
	for {
		ends, err := rd.admin.ListEndOffsets(ctx, rd.topicNames()...)
		if err == nil {
			err = ends.Error()
		}
		if err == nil {
			return ends, nil
		}
		if !wait(ctx, retryPause) {
			return nil, fmt.Errorf("list end offsets: %w", err)
		}
	}
}

// awaitPositions waits until every partition has been read to its end, as long as there is progress.
func (rd *reader) awaitPositions(ctx context.Context, ends kadm.ListedOffsets) error {
	var last int64
	progressed := time.Now()
	for {
		left, total, where := rd.behind(ends)
		if left == 0 {
			return nil
		}
		if total != last {
			last, progressed = total, time.Now()
		}
		if time.Since(progressed) > rd.run.scenario.Oracle.ReadTimeout {
			return errors.Join(fmt.Errorf("no progress in reading back for %s, %d records from the end, some of them in %s",
				rd.run.scenario.Oracle.ReadTimeout, left, where), rd.latestFault())
		}
		if !wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// behind says how many offsets are left to read, how many were read, and a partition that has some left.
func (rd *reader) behind(ends kadm.ListedOffsets) (left, total int64, where string) {
	ends.Each(func(end kadm.ListedOffset) {
		next := rd.position(end.Topic, end.Partition)
		total += next
		if next < end.Offset {
			left += end.Offset - next
			where = fmt.Sprintf("%s/%d", end.Topic, end.Partition)
		}
	})
	return left, total, where
}

// lostEnd says where a log has become shorter than it was when it was read. Which of its records are gone, and which were
// written in their place, only a second scan can tell, and without one what was read is deleted.
func (rd *reader) lostEnd(ends kadm.ListedOffsets) error {
	rd.mutex.Lock()
	shortened := rd.shortened
	rd.mutex.Unlock()
	ends.Each(func(end kadm.ListedOffset) {
		if next := rd.position(end.Topic, end.Partition); next > end.Offset {
			shortened = fmt.Errorf("%s/%d ends at offset %d, and had been read up to %d", end.Topic, end.Partition, end.Offset, next)
		}
	})
	if shortened == nil {
		return nil
	}
	return fmt.Errorf("a log has lost its end (%w); oracle.rescan: true tells what was in it", shortened)
}

func sameEnds(a, b kadm.ListedOffsets) bool {
	same := true
	b.Each(func(end kadm.ListedOffset) {
		before, found := a.Lookup(end.Topic, end.Partition)
		same = same && found && before.Offset == end.Offset
	})
	return same
}

// rescan reads the whole log a second time, with a client that has no past: what the first reading saw and this one
// does not was truncated.
func (rd *reader) rescan(ctx context.Context, ends kadm.ListedOffsets) error {
	rd.close()
	rd.run.step("scanning again")
	if rd.run.scenario.Producer.Kind == ownReader {
		rd.run.rescan()
		return rd.rereadAll(ctx, ends)
	}
	client, err := newReadingClient(rd.run)
	if err != nil {
		return err
	}
	again := &reader{run: rd.run, client: client, admin: kadm.NewClient(client), positions: map[string][]int64{}}
	rd.run.rescan()
	again.start(ctx)
	defer again.close()
	return again.awaitPositions(ctx, ends)
}

// rereadAll reads the log once more with a library that neither the client under test nor the first reader is built on.
func (rd *reader) rereadAll(ctx context.Context, ends kadm.ListedOffsets) error {
	source := reread.Source{
		Dial: rd.run.cluster.Dial, ClientID: fmt.Sprintf("fleetproof-oracle-%016x", rd.run.id), Stall: rd.run.scenario.Oracle.ReadTimeout,
	}
	for _, node := range rd.run.cluster.Nodes() {
		source.Brokers = append(source.Brokers, node.Direct)
	}
	again, err := reread.Open(ctx, source)
	if err != nil {
		return err
	}
	ends.Each(func(end kadm.ListedOffset) {
		if err == nil {
			err = again.Read(end.Topic, end.Partition, end.Offset, rd.seeAgain)
		}
	})
	return errors.Join(err, again.Close())
}

// seeAgain writes a record of the second reading into the ledger, as poll does with those of the first.
func (rd *reader) seeAgain(r reread.Record) {
	record := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	records := []*kgo.Record{record}
	if rd.run.options.tamper != nil {
		records = rd.run.options.tamper(record)
	}
	rd.run.see(rd.run.clock(), records...)
}
