package assertions

import (
	"fmt"
	"strings"
)

// Close draws the account: every record without outcome is unknown from here on, and every finding is counted. Ends
// are the end offsets of the partitions, for the details of what was lost beyond them; they may be nil. Nothing may
// be called afterwards. The error says which state sums do not add up or which call cannot be: a bug of the harness,
// beside which the stream is returned all the same.
func (l *Ledger) Close(ends map[int32]int64) (Stream, error) {
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		s.close()
		s.Unlock()
	}
	stream := Stream{
		Name: l.config.Name, Topic: l.config.Topic, Counts: l.Counts(), Findings: make(map[string]Found, findingCount),
	}
	for f := range findingCount {
		stream.Findings[f.String()] = l.findings[f].found(func(o offence) Offender {
			return l.offender(f, o, ends)
		})
	}
	problems := stream.Counts.problems()
	l.misused.Lock()
	defer l.misused.Unlock()
	if l.misuse != "" {
		problems = append(problems, l.misuse)
	}
	if len(problems) > 0 {
		return stream, fmt.Errorf("close ledger of %s: %s", l.config.Name, strings.Join(problems, "; "))
	}
	return stream, nil
}

// problems holds the sums of the states against each other.
func (c Counts) problems() []string {
	var problems []string
	if c.Due != c.Sent+c.Shed+c.Unsent {
		problems = append(problems, fmt.Sprintf(
			"due %d is not sent %d + shed %d + unsent %d", c.Due, c.Sent, c.Shed, c.Unsent))
	}
	if c.Sent != c.Acked+c.Failed+c.Unknown {
		problems = append(problems, fmt.Sprintf(
			"sent %d is not acked %d + failed %d + unknown %d", c.Sent, c.Acked, c.Failed, c.Unknown))
	}
	return problems
}

// Waiting is how many records were handed over and have no outcome yet: none when the ledger has closed.
func (c Counts) Waiting() int64 { return c.Sent - c.Acked - c.Failed - c.Unknown }

// close settles what only the end can tell.
func (s *shard) close() {
	for i := range s.devices {
		s.conclude(uint32(i)<<shardBits|s.number, &s.devices[i].own)
	}
	for i := range s.table.slots {
		s.conclude(s.table.slots[i].device, &s.table.slots[i].entry)
	}
	for i := range s.scan {
		s.compare(i)
	}
}

// conclude says what an entry means that is left at the end, if there is one.
func (s *shard) conclude(number uint32, e *entry) {
	switch {
	case e.state == 0:
	case !e.acked():
		s.unknown++
		if abandoned := s.ledger.config.Abandoned; abandoned != nil {
			abandoned(number, e.due)
		}
	case e.seen():
		s.ledger.report(offsetMismatches, offence{
			due: e.due, device: number, named: true, sequence: int64(e.sequence), place: e.place(),
			other: s.sighting(number, e),
		})
	default:
		lost := offence{
			due: e.due, device: number, named: true, sequence: int64(e.sequence), place: e.place(),
		}
		s.ledger.report(ackedLost, lost)
		if s.ledger.taken.has(lost.place) {
			lost.note = "acknowledged there, where another record was read"
			s.ledger.report(offsetMismatches, lost)
		}
	}
}

// misuses keeps the first call that cannot be.
func (l *Ledger) misuses(call string, device uint32, sequence uint64, why string) {
	l.misused.Lock()
	defer l.misused.Unlock()
	if l.misuse == "" {
		l.misuse = fmt.Sprintf("%s %s #%d: %s", call, l.config.Key(device), sequence, why)
	}
}
