package assertions

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// step is one call of a ledger in a history.
type step struct {
	call     string // open, withdraw, acked, failed, unknown, seen, phantom, garbled, rescan, partitions
	device   uint32
	sequence uint64
	session  uint16
	at       place
	due, now time.Duration // of partitions: when every client must know them, and when there are so many
	corrupt  bool
	count    int
}

// play calls the ledger, and returns what Seen said.
func (s step) play(l *Ledger) (first bool) {
	switch s.call {
	case "open":
		l.Due(1)
		l.Open(s.device, s.due)
	case "withdraw":
		l.Withdraw(s.device, s.sequence)
	case "acked":
		l.Acked(s.device, s.sequence, s.at.partition, s.at.offset)
	case "failed":
		l.Failed(s.device, s.sequence)
	case "unknown":
		l.Unknown(s.device, s.sequence)
	case "seen":
		return l.Seen(Sighting{
			Device: s.device, Sequence: s.sequence, Session: s.session, Due: s.due, At: s.now,
			Partition: s.at.partition, Offset: s.at.offset, Corrupt: s.corrupt,
		})
	case "phantom":
		l.Phantom(s.at.partition, s.at.offset, s.now, "another run's")
	case "garbled":
		l.Garbled(s.at.partition, s.at.offset, s.now, "header too short")
	case "rescan":
		l.Rescan()
	case "partitions":
		l.Partitions(s.now, max(s.now, s.due), s.count)
	default:
		panic(s.call)
	}
	return false
}

func testKey(device uint32) string { return fmt.Sprintf("d%d", device) }

func testExpect(device uint32, partitions int) int32 { return int32(device+1) % int32(partitions) }

// naive is the ledger's meaning, written down without a thought for memory: it keeps everything and counts at the end.
type naive struct {
	next    map[uint32]uint64
	records map[identity]*naiveRecord
	tail    []step // sightings in order
	second  []step
	rescan  bool
	strays  map[place]string // the finding
	expect  func(device uint32, partitions int) int32
	counts  []partitionCount
}

type naiveRecord struct {
	outcome      string
	at           place
	tail, second []step
}

// take returns whether the step is the first sighting of a record that was handed over.
func (n *naive) take(s step) (first bool) {
	id := identity{s.device, s.sequence}
	switch s.call {
	case "open":
		n.records[identity{s.device, n.next[s.device]}] = &naiveRecord{}
		n.next[s.device]++
	case "withdraw":
		delete(n.records, id)
		n.next[s.device]--
	case "acked", "failed", "unknown":
		n.records[id].outcome, n.records[id].at = s.call, s.at
	case "seen":
		r := n.records[id]
		switch {
		case r == nil && s.corrupt:
			n.stray(s.at, "corrupt")
		case r == nil:
			n.stray(s.at, "phantoms")
		case n.rescan:
			r.second = append(r.second, s)
			n.second = append(n.second, s)
		default:
			r.tail = append(r.tail, s)
			n.tail = append(n.tail, s)
			return len(r.tail) == 1
		}
	case "phantom":
		n.stray(s.at, "phantoms")
	case "garbled":
		n.stray(s.at, "corrupt")
	case "rescan":
		n.rescan = true
	case "partitions":
		n.counts = append(n.counts, partitionCount{s.now, max(s.now, s.due), s.count})
	}
	return false
}

func (n *naive) stray(at place, finding string) {
	if n.strays[at] == "" {
		n.strays[at] = finding
	}
}

// explained applies the definition to one sighting.
func (n *naive) explained(s step) bool {
	if n.expect == nil {
		return false
	}
	for i, c := range n.counts {
		ended := i+1 < len(n.counts) && n.counts[i+1].known <= s.due
		begun := i == 0 || c.at <= s.now
		if begun && !ended && n.expect(s.device, c.count) == s.at.partition {
			return true
		}
	}
	return false
}

// findings returns the offenders of each kind by name, sorted: device#sequence, a device, or partition@offset.
func (n *naive) findings() map[string][]string {
	found := make(map[string][]string)
	note := func(finding string, s step) {
		name := fmt.Sprintf("d%d#%d", s.device, s.sequence)
		found[finding] = append(found[finding], name)
	}
	for id, r := range n.records {
		s := step{device: id.device, sequence: id.sequence}
		last, seen := r.tail, append(slices.Clone(r.tail), r.second...)
		if n.rescan {
			last = r.second
			if len(r.tail) > 0 && len(r.second) == 0 {
				note("truncated", s)
			}
		}
		if r.outcome == "acked" && len(last) == 0 {
			note("acked_lost", s)
		}
		for range max(len(r.tail), len(r.second)) - 1 {
			note("duplicates", s)
		}
		if r.outcome == "failed" && len(seen) > 0 {
			note("failed_but_stored", s)
		}
		matches := slices.ContainsFunc(seen, func(s step) bool { return s.at == r.at })
		scan := n.tail
		if n.rescan {
			scan = n.second
		}
		occupied := slices.ContainsFunc(scan, func(s step) bool { return s.at == r.at })
		switch {
		case r.outcome != "acked" || r.at.offset == -1:
		case r.at.offset < -1, len(seen) > 0 && !matches, len(seen) == 0 && occupied:
			note("offset_mismatches", s)
		}
	}

	// What only the second scan meets is judged as well: the sightings beyond those of the tail.
	judged := slices.Clone(n.tail)
	met := make(map[identity]int)
	for _, s := range n.second {
		id := identity{s.device, s.sequence}
		if met[id]++; met[id] > len(n.records[id].tail) {
			judged = append(judged, s)
		}
	}
	partitions, stray := make(map[uint32]map[int32]bool), make(map[uint32]bool)
	for _, s := range judged {
		if partitions[s.device] == nil {
			partitions[s.device] = make(map[int32]bool)
		}
		partitions[s.device][s.at.partition] = true
		if !n.explained(s) {
			stray[s.device] = true
			if n.expect != nil {
				note("wrong_partition", s)
			}
		}
	}
	for device := range stray {
		if len(partitions[device]) > 1 {
			found["affinity_splits"] = append(found["affinity_splits"], fmt.Sprintf("d%d", device))
		}
	}

	damaged := make(map[identity]bool)
	for _, s := range slices.Concat(n.tail, n.second) {
		if id := (identity{s.device, s.sequence}); s.corrupt && !damaged[id] {
			damaged[id] = true
			note("corrupt", s)
		}
	}

	flagged := make(map[identity]bool)
	for _, scan := range [][]step{n.tail, n.second} {
		met, highest := make(map[identity]bool), make(map[string]uint64)
		for _, s := range scan {
			id := identity{s.device, s.sequence}
			if met[id] {
				continue
			}
			met[id] = true
			where := fmt.Sprint(s.device, s.at.partition, s.session)
			if before, any := highest[where]; any && s.sequence < before {
				flagged[id] = true
			}
			highest[where] = max(highest[where], s.sequence)
		}
	}
	for id := range flagged {
		note("reordered", step{device: id.device, sequence: id.sequence})
	}

	for at, finding := range n.strays {
		found[finding] = append(found[finding], fmt.Sprintf("%d@%d", at.partition, at.offset))
	}
	for finding := range found {
		slices.Sort(found[finding])
	}
	return found
}

// offenders returns a stream's offenders in the form of naive.findings.
func offenders(t *testing.T, stream Stream) map[string][]string {
	t.Helper()
	got := make(map[string][]string)
	require.Len(t, stream.Findings, int(findingCount))
	for finding, found := range stream.Findings {
		require.Len(t, found.First, min(int(found.Count), MaxOffenders), finding)
		require.True(t, slices.IsSortedFunc(found.First, func(a, b Offender) int {
			if a.Due != b.Due || a.Device == "" || b.Device == "" {
				return cmp.Compare(a.Due, b.Due)
			}
			return strings.Compare(a.Device, b.Device)
		}), "%s: %v", finding, found.First)
		for _, o := range found.First {
			name := fmt.Sprintf("%s#%d", o.Device, o.Sequence)
			switch {
			case finding == "affinity_splits":
				name = o.Device
			case o.Device == "" || strings.HasSuffix(o.Note, "was never handed over"):
				name = fmt.Sprintf("%d@%d", o.Partition, o.Offset)
			}
			got[finding] = append(got[finding], name)
		}
		slices.Sort(got[finding])
	}
	for finding, names := range got {
		if len(names) == 0 {
			delete(got, finding)
		}
	}
	return got
}

// scribble draws a history: records whose outcomes and sightings come in any order, some of them wrong.
func scribble(random *rand.Rand) []step {
	type written struct {
		identity
		due     time.Duration
		settled bool
		places  []place
	}
	var history []step
	var records []*written
	next := make(map[uint32]uint64)
	var session uint16
	partitions := 2 + random.IntN(3)
	orderly := random.IntN(2) == 0
	offset := int64(0)
	now := time.Duration(0)
	emit := func(s step) { history = append(history, s) }
	emit(step{call: "partitions", count: partitions})

	fresh := func(r *written) place {
		offset++
		at := place{testExpect(r.device, partitions), offset}
		if random.IntN(15) == 0 {
			at.partition = random.Int32N(int32(partitions))
		}
		return at
	}
	any := func() *written {
		if orderly {
			return records[max(0, len(records)-1-random.IntN(3))]
		}
		return records[random.IntN(len(records))]
	}
	settle := func(r *written) {
		if r.settled {
			return
		}
		r.settled = true
		s := step{call: "acked", device: r.device, sequence: r.sequence}
		switch random.IntN(12) {
		case 0:
			s.call = "failed"
		case 1, 2:
			s.call = "unknown"
		case 3:
			s.at = place{0, -1 - random.Int64N(2)}
		case 4:
			s.at = fresh(r)
			if other := any(); len(other.places) > 0 {
				s.at = other.places[0]
			}
		case 5:
			s.at = fresh(r)
		default:
			if len(r.places) == 0 {
				r.places = append(r.places, fresh(r))
			}
			s.at = r.places[random.IntN(len(r.places))]
		}
		emit(s)
	}
	see := func(r *written) {
		at := fresh(r)
		if len(r.places) > 0 && random.IntN(5) > 0 {
			at = r.places[random.IntN(len(r.places))]
		}
		r.places = append(r.places, at)
		emit(step{
			call: "seen", device: r.device, sequence: r.sequence, session: session, due: r.due, now: now, at: at,
			corrupt: random.IntN(30) == 0,
		})
	}
	stray := func() {
		s := step{call: "phantom", at: place{0, 1000 + random.Int64N(4)}, now: now}
		switch random.IntN(4) {
		case 0:
			s.call = "garbled"
		case 1, 2:
			s.call, s.device, s.sequence, s.due = "seen", random.Uint32N(5), 100, now
			s.corrupt = random.IntN(2) == 0
		}
		emit(s)
	}
	for range 20 + random.IntN(60) {
		now += time.Millisecond
		switch choice := random.IntN(40); {
		case choice < 12 || len(records) == 0:
			device := random.Uint32N(3)
			r := &written{identity: identity{device, next[device]}, due: now}
			next[device]++
			records = append(records, r)
			emit(step{call: "open", device: device, due: now})
		case choice < 24:
			settle(any())
		case choice < 37:
			see(any())
		case choice == 37:
			if last := records[len(records)-1]; !last.settled && len(last.places) == 0 && last.sequence == next[last.device]-1 {
				emit(step{call: "withdraw", device: last.device, sequence: last.sequence})
				next[last.device]--
				records = records[:len(records)-1]
			}
		case choice == 38:
			stray()
		default:
			session++
		}
	}
	if random.IntN(2) == 0 {
		for _, r := range records {
			settle(r)
		}
		emit(step{call: "rescan"})
		for _, r := range records {
			for range []int{1, 1, 1, 1, 1, 1, 0, 2}[random.IntN(8)] {
				see(r)
			}
			if random.IntN(10) == 0 {
				see(any())
			}
		}
		stray()
	}
	return history
}

func TestLedgerAgreesWithANaiveOne(t *testing.T) {
	reached := make(map[string]int)
	for seed := range uint64(4000) {
		random := rand.New(rand.NewPCG(seed, 3))
		expect := testExpect
		if random.IntN(4) == 0 {
			expect = nil
		}
		calls := make(map[string]int64)
		l := NewLedger(LedgerConfig{
			Name: "readings", Devices: 3, Key: testKey, Expect: expect,
			Found: func(metric string, due time.Duration) {
				require.GreaterOrEqual(t, due, time.Duration(0))
				calls[metric]++
			},
		})
		n := naive{
			next: make(map[uint32]uint64), records: make(map[identity]*naiveRecord), strays: make(map[place]string),
			expect: expect,
		}
		history := scribble(random)
		for _, s := range history {
			require.Equal(t, n.take(s), s.play(l), "seed %d: first sighting: %v", seed, s)
		}
		stream, err := l.Close(nil)
		require.NoError(t, err, "seed %d", seed)
		want := n.findings()
		require.Equal(t, want, offenders(t, stream), "seed %d:\n%v", seed, history)
		for finding, found := range stream.Findings {
			dated := 0
			for _, o := range found.First {
				if o.Due != Never {
					dated++
				}
			}
			require.EqualValues(t, dated, calls[finding], "seed %d: %s", seed, finding)
		}
		for finding, names := range want {
			reached[finding] += len(names)
		}
	}
	for f := range findingCount {
		require.Greater(t, reached[f.String()], 100, "the histories hardly ever show %s", f)
	}
}
