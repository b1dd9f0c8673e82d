package assertions

import (
	"sort"
	"time"
	"unsafe"
)

// rescanned is what the second scan knows of a device.
type rescanned struct {
	seen  intervals // how often each record was met, by sequence number
	track track
	more  *detour

	high uint64        // 1 + the highest sequence number met
	due  time.Duration // of that record
}

// detour is what the second scan keeps of a device whose records it does not meet one after the other.
type detour struct {
	tracks []track
	gaps   []gap
}

// gap is a stretch of sequence numbers the second scan jumped over, with what it met on either side. What the tail
// saw there was settled and forgotten; the neighbours are all that is left to tell when it was due.
type gap struct {
	from, to       uint64 // from ≤ sequence < to
	before, behind time.Duration
}

// again takes in a record of the second scan. It is true for a sighting beyond those the tail had of the record,
// which is judged like any other.
func (s *shard) again(d *device, g *Sighting, e *entry) bool {
	r := &s.scan[g.Device>>shardBits]
	s.behind -= r.bytes()
	met := r.seen.at(g.Sequence) + 1
	r.seen.set(g.Sequence, met)
	if met == 1 {
		r.advance(g)
		s.order(d, g, r.follow(g))
	}
	s.behind += r.bytes()

	known := sightings(d, g.Sequence, e)
	if met <= known && e != nil && e.acked() && e.place() == (place{g.Partition, g.Offset}) {
		s.drop(d, g.Device, e)
	}
	return met > known
}

// sightings returns how often a record was seen so far.
func sightings(d *device, sequence uint64, e *entry) uint32 {
	mark := d.mark(sequence)
	if e != nil {
		if !e.seen() {
			return 0
		}
	} else if state := mark & markState; state == markFailed || state == markUnknown {
		return 0
	}
	return 1 + mark/markCopy
}

// advance notes what was jumped over.
func (r *rescanned) advance(g *Sighting) {
	if g.Sequence < r.high {
		return
	}
	if g.Sequence > r.high {
		more := r.detour()
		more.gaps = append(more.gaps, gap{from: r.high, to: g.Sequence, before: r.due, behind: g.Due})
	}
	r.high, r.due = g.Sequence+1, g.Due
}

// follow returns the track of the sighting's partition and session.
func (r *rescanned) follow(g *Sighting) *track {
	switch {
	case r.track.next == 0:
		r.track = track{partition: g.Partition, session: g.Session}
	case r.track.partition != g.Partition || r.track.session != g.Session:
		more := r.detour()
		more.tracks = r.track.turn(more.tracks, g.Partition, g.Session)
	}
	return &r.track
}

func (r *rescanned) detour() *detour {
	if r.more == nil {
		r.more = new(detour)
	}
	return r.more
}

func (r *rescanned) bytes() int64 {
	bytes := r.seen.bytes()
	if r.more != nil {
		bytes += int64(unsafe.Sizeof(*r.more)) + int64(cap(r.more.tracks))*trackSize +
			int64(cap(r.more.gaps))*int64(unsafe.Sizeof(gap{}))
	}
	return bytes
}

// compare reports what the tail saw of a device and the second scan did not.
func (s *shard) compare(index int) {
	d, r := &s.devices[index], &s.scan[index]
	number := uint32(index)<<shardBits | s.number
	r.seen.absent(d.next, func(first, end uint64) {
		for sequence := first; sequence < end; sequence++ {
			e := s.find(d, number, sequence)
			if sightings(d, sequence, e) == 0 {
				continue // lost, failed or unknown: nobody saw it at all
			}
			o := offence{
				device: number, named: true, sequence: int64(sequence),
				note: "read by the tail, absent from the second scan",
			}
			acked := d.mark(sequence)&markState == 0
			if e != nil {
				o.due, o.place, acked = e.due, s.sighting(number, e), e.acked()
			} else {
				o.due, o.place = r.estimate(sequence, d.next, s.latest), place{-1, -1}
				if d.own.flags&deviceSeveral == 0 {
					o.partition = d.track.partition
				}
				o.note += "; due time estimated from its neighbours"
			}
			s.ledger.report(truncated, o)
			if acked {
				o.note = "acknowledged, " + o.note
				s.ledger.report(ackedLost, o)
			}
		}
	})
}

// estimate returns about when a record was due that the second scan did not meet: by the straight line between its
// neighbours, and behind the last one met between that and the latest due time of its shard.
func (r *rescanned) estimate(sequence, next uint64, latest time.Duration) time.Duration {
	line := gap{from: r.high, to: next, before: r.due, behind: max(latest, r.due)}
	if sequence < r.high {
		gaps := r.more.gaps
		line = gaps[sort.Search(len(gaps), func(i int) bool { return sequence < gaps[i].to })]
	}
	share := float64(sequence-line.from+1) / float64(line.to-line.from+1)
	return line.before + time.Duration(share*float64(line.behind-line.before))
}
