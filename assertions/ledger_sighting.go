package assertions

// see takes in a record that was read back. It is not known if it was never handed over. First is true for its first
// sighting, and never in the second scan.
func (s *shard) see(g *Sighting) (known, first bool) {
	d := s.device(g.Device)
	if g.Sequence >= d.next {
		return false, false
	}
	if g.Corrupt { // in whichever scan: bytes that the first one read well may be damaged when they are read again
		s.spoil(d, g)
	}
	e := s.find(d, g.Device, g.Sequence)
	if s.scan != nil && !s.again(d, g, e) {
		return true, false
	}
	s.consumed++
	first = s.sight(d, g, e)
	if !first {
		mark := d.mark(g.Sequence) + markCopy
		s.setMark(d, g.Sequence, mark)
		o := g.offence()
		o.other.offset = int64(mark/markCopy) + 1
		s.ledger.report(duplicates, o)
	}
	s.locate(d, g)
	if s.scan != nil {
		return true, false
	}
	s.follow(d, g, first)
	return true, first
}

// spoil reports a record whose bytes changed, once however often it is read.
func (s *shard) spoil(d *device, g *Sighting) {
	mark := d.mark(g.Sequence)
	if mark&markCorrupt != 0 {
		return
	}
	s.setMark(d, g.Sequence, mark|markCorrupt)
	s.ledger.report(corrupt, g.offence())
}

// sight brings the record's own state forward: its entry, or its mark where that is nil. It is true for the first sighting.
func (s *shard) sight(d *device, g *Sighting, e *entry) bool {
	if e == nil {
		mark := d.mark(g.Sequence)
		switch mark & markState {
		case markFailed:
			s.ledger.report(failedButStored, g.offence())
		case markUnknown:
		default:
			return false
		}
		s.setMark(d, g.Sequence, mark|markStored)
		return true
	}
	first := !e.seen()
	switch at := (place{g.Partition, g.Offset}); {
	case e.acked() && (e.offset == offsetUntold || e.place() == at):
		s.drop(d, g.Device, e)
	case e.acked() && first:
		e.state |= entrySeen
		s.keep(identity{g.Device, g.Sequence}, []place{at})
	case first:
		e.state |= entrySeen
		e.partition, e.offset = at.partition, at.offset
	case !e.acked():
		// The acknowledgement that is yet to come may mean any of its places.
		id := identity{g.Device, g.Sequence}
		s.keep(id, append(s.further[id], at))
	}
	return first
}

// locate judges the partition: against the one expected of the device, and against those it was seen in before.
func (s *shard) locate(d *device, g *Sighting) {
	explained, expected := s.ledger.explain(d, g)
	if !explained && expected >= 0 {
		o := g.offence()
		o.other.partition = expected
		s.ledger.report(wrongPartition, o)
	}
	moved := d.own.flags&deviceSighted != 0 && d.track.partition != g.Partition
	if moved {
		d.own.flags |= deviceSeveral
	}
	if !explained && (moved || d.own.flags&deviceSighted == 0) {
		d.own.flags |= deviceStray
	}
	if moved && d.own.flags&(deviceStray|deviceSplit) == deviceStray {
		d.own.flags |= deviceSplit
		o := g.offence()
		o.other.partition = d.track.partition
		s.ledger.report(affinitySplits, o)
	}
	if d.own.flags&deviceSighted == 0 {
		d.own.flags |= deviceSighted
		d.track = track{partition: g.Partition, session: g.Session}
	}
}

// explain says whether the partition is the expected one for any number of partitions that was live between due and
// seen, and returns the one expected under the newest of them, or −1 where none is expected at all.
func (l *Ledger) explain(d *device, g *Sighting) (bool, int32) {
	if l.config.Expect == nil {
		return false, -1
	}
	counts := *l.counts.Load()
	if len(counts) == 0 {
		l.misuses("see", g.Device, g.Sequence, "the number of partitions was never told")
		return false, -1
	}
	first, last := newestKnown(counts, g.Due), len(counts)-1
	for last > first && counts[last].at > g.At {
		last--
	}
	// One comparison does for nearly every record: that its device was last found under a count that is still live.
	t := &d.track
	if g.Partition == t.partition && int(t.generation) > first && int(t.generation) <= last+1 {
		return true, g.Partition
	}
	for i := last; i >= first; i-- {
		if l.config.Expect(g.Device, counts[i].count) == g.Partition {
			if g.Partition == t.partition {
				t.generation = uint16(i + 1)
			}
			return true, g.Partition
		}
	}
	return false, l.config.Expect(g.Device, counts[last].count)
}

// follow judges the order of first occurrences in the tail.
func (s *shard) follow(d *device, g *Sighting, first bool) {
	if d.track.partition != g.Partition || d.track.session != g.Session {
		m := s.marksOf(d)
		before := cap(m.tracks)
		m.tracks = d.track.turn(m.tracks, g.Partition, g.Session)
		s.behind += int64(cap(m.tracks)-before) * trackSize
	}
	if first {
		s.order(d, g, &d.track)
	}
}

// order holds a first occurrence against the one before it in its partition and session.
func (s *shard) order(d *device, g *Sighting, t *track) {
	if g.Sequence >= t.next {
		t.next = g.Sequence + 1
		return
	}
	mark := d.mark(g.Sequence)
	if mark&markReordered != 0 {
		return
	}
	s.setMark(d, g.Sequence, mark|markReordered)
	o := g.offence()
	o.other.offset = int64(t.next - 1)
	s.ledger.report(reordered, o)
}

// turn makes t the track of another partition or session, and keeps the one it was among the others.
func (t *track) turn(others []track, partition int32, session uint16) []track {
	for i := range others {
		if others[i].partition == partition && others[i].session == session {
			*t, others[i] = others[i], *t
			return others
		}
	}
	others = append(others, *t)
	*t = track{partition: partition, session: session}
	return others
}

// offence returns the sighting as an offender.
func (g *Sighting) offence() offence {
	return offence{
		due: g.Due, device: g.Device, named: true, sequence: int64(g.Sequence), place: place{g.Partition, g.Offset},
	}
}
