package assertions

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// LedgerConfig says which stream a ledger accounts for and what may be expected of it.
type LedgerConfig struct {
	Name    string // readings or alerts
	Topic   string
	Devices int // their numbers run from 0

	// Key returns a device's record key, for the details of offenders.
	Key func(device uint32) string
	// Expect returns the partition of a device when the topic has so many partitions. It is nil where the partitioner
	// makes no fixed promise: then no partition is wrong, and every device in two partitions is split.
	Expect func(device uint32, partitions int) int32
	// Memory is the cap in bytes that Exceeded compares with.
	Memory int64
	// Found is called for every finding whose due time is known: acked_lost, offset_mismatches and truncated at Close,
	// the others as they are found. It is called under the ledger's locks and must not call back. It may be nil.
	Found func(metric string, due time.Duration)
	// Abandoned is called at Close for every record that never got an outcome, which is unknown from then on. It is
	// called under the ledger's locks and must not call back, but for Expected. It may be nil.
	Abandoned func(device uint32, due time.Duration)
}

// Ledger accounts for every record of one stream: what the producer said of it against what was read back. It is safe
// for concurrent use.
//
//	Open ──▶ entry ──Acked, Failed, Unknown──┐
//	           ▲                             ├──▶ settled: forgotten, or a line in the device's marks
//	           └─────────────────────Seen────┘
//
// A record has an entry from Open until it is settled, at its device or in the hash table of its shard. Settled means:
// acknowledged and seen where it was acknowledged, which leaves no trace; or failed or unknown, which leaves a mark in the
// interval map of its device. So whatever a device sent that has neither entry nor mark was acknowledged and seen, and the
// memory of a healthy run is O(devices + in flight). What arrives in whatever order resolves as follows:
//
//   - seen, then acked (common, since reading back is live): settled by the acknowledgement;
//   - failed and seen, in either order: failed_but_stored, once;
//   - unknown and seen, in either order: settled; unknown and never seen: no finding, error is not absence;
//   - acked and never seen: the entry stays until Close and is acked_lost;
//   - seen again, whatever its outcome, before or after it: duplicates, once for each further sighting;
//   - a second outcome, or an outcome of what was never opened, is a bug of the harness or of the producer's adapter:
//     it is not counted, and Close returns an error.
//
// An acknowledged position is compared with every sighting of the record, and one that matches is enough: a client
// that sends a batch again after a lost response stores it twice and is told of the second place, while the tail
// meets the first one first. So a record seen elsewhere than acknowledged keeps its entry until a sighting matches,
// and is an offset mismatch only at Close. A record that was acknowledged at some position and never seen is acked_lost,
// and an offset mismatch as well where another record was met at that position.
type Ledger struct {
	shards [shardCount]shard // first, so that they lie on cache lines
	config LedgerConfig

	due, unsent, missing, copies, late atomic.Int64

	growing sync.Mutex
	counts  atomic.Pointer[[]partitionCount]

	findings [findingCount]tally
	strays   strays
	taken    taken

	misused sync.Mutex
	misuse  string // the first call that cannot be
}

// shardCount shards keep goroutines apart; a device's shard is the lower bits of its number. So many of them are a large
// object, which begins on a page and hence on a cache line (see shard).
const (
	shardBits  = 8
	shardCount = 1 << shardBits
)

// partitionCount is the number of partitions from a moment on, and when every client must have learned of it.
type partitionCount struct {
	at, known time.Duration
	count     int
}

// Sighting is one record as it was read back.
type Sighting struct {
	Device    uint32
	Session   uint16 // of the producer: order is not judged across sessions
	Sequence  uint64
	Due, At   time.Duration // when it was due, by its header, and when it was read
	Partition int32
	Offset    int64
	Corrupt   bool // its checksum differs, though its identity could be read
}

// NewLedger returns an empty ledger.
func NewLedger(config LedgerConfig) *Ledger {
	l := &Ledger{config: config}
	l.counts.Store(new([]partitionCount))
	each := (config.Devices + shardCount - 1) / shardCount
	devices := make([]device, shardCount*each) // in one piece: where there are many it is a large object too
	for i := range l.shards {
		s := &l.shards[i]
		s.ledger, s.number = l, uint32(i)
		s.devices = devices[i*each : (i+1)*each : (i+1)*each]
	}
	return l
}

// Partitions says that the topic has so many partitions from at on, and that a client may go by the count before it
// until known: nobody tells a client, it asks now and then. The first count holds from the beginning; later ones only
// grow, in order of time. A record is expected where any count puts it that was live between its due time and its
// sighting, so one due before known may follow the count before it.
func (l *Ledger) Partitions(at, known time.Duration, count int) {
	l.growing.Lock()
	defer l.growing.Unlock()
	old := *l.counts.Load()
	grown := slices.Concat(old, []partitionCount{{at, known, count}})
	l.counts.Store(&grown)
}

// Expected is the partition in which a record of the device belongs that was due at due, by the newest count of them that every
// client knew by then. It is −1 where the partitioner makes no fixed promise. It may be asked also by Abandoned.
func (l *Ledger) Expected(device uint32, due time.Duration) int32 {
	counts := *l.counts.Load()
	if l.config.Expect == nil || len(counts) == 0 {
		return -1
	}
	return l.config.Expect(device, counts[newestKnown(counts, due)].count)
}

// newestKnown is the index of the newest count that every client knew at due: the first, where that is not known of any.
func newestKnown(counts []partitionCount, due time.Duration) int {
	newest := len(counts) - 1
	for newest > 0 && counts[newest].known > due {
		newest--
	}
	return newest
}

// Due counts records that became due.
func (l *Ledger) Due(n int64) { l.due.Add(n) }

// Unsent counts due records whose turn never came.
func (l *Ledger) Unsent(n int64) { l.unsent.Add(n) }

// Missing counts readings withheld on purpose. They are never due.
func (l *Ledger) Missing(n int64) { l.missing.Add(n) }

// Copied counts records that repeat another one on purpose. Each is opened as a record of its own.
func (l *Ledger) Copied(n int64) { l.copies.Add(n) }

// Late counts records whose event time was shifted on purpose.
func (l *Ledger) Late(n int64) { l.late.Add(n) }

// Open takes in a record that is about to be handed over and returns its sequence number, dense from 0 for each
// device. It counts as sent. The device's number must be below LedgerConfig.Devices.
func (l *Ledger) Open(device uint32, due time.Duration) uint64 {
	s := l.shard(device)
	s.Lock()
	defer s.Unlock()
	return s.open(device, due)
}

// Next is the sequence number that the device's next record will have. Only who calls Open may ask. To ask it of many
// devices, just before they are opened, takes hardly longer than of one, and brings what the ledger knows of them into the
// processor's cache.
func (l *Ledger) Next(device uint32) uint64 { return l.shard(device).device(device).next }

// Withdraw undoes the device's last Open: the producer refused the record, which is then unsent, and its sequence
// number is used again.
func (l *Ledger) Withdraw(device uint32, sequence uint64) {
	s := l.shard(device)
	s.Lock()
	defer s.Unlock()
	s.withdraw(device, sequence)
}

// Acked says that the client reported success, and where the record is; offset −1 means that it was not told. Any other
// offset below zero is an offset mismatch. It is false where the record has its outcome or was never handed over: then
// nothing is counted, and Close says so.
func (l *Ledger) Acked(device uint32, sequence uint64, partition int32, offset int64) bool {
	s := l.shard(device)
	s.Lock()
	defer s.Unlock()
	return s.ack(device, sequence, place{partition, offset})
}

// Failed says that a record is certainly not in the log. It is false where Acked is.
func (l *Ledger) Failed(device uint32, sequence uint64) bool {
	s := l.shard(device)
	s.Lock()
	defer s.Unlock()
	return s.fail(device, sequence)
}

// Unknown says that nobody can tell what became of a record. It is false where Acked is.
func (l *Ledger) Unknown(device uint32, sequence uint64) bool {
	s := l.shard(device)
	s.Lock()
	defer s.Unlock()
	return s.forget(device, sequence)
}

// Seen takes in a record that was read back, in the order of its partition. A record that was never handed over is a
// phantom; if it is corrupt too its identity is not believed and it is only that. First is true for the first sighting
// of a record that was handed over, and never in the second scan.
func (l *Ledger) Seen(sighting Sighting) (first bool) {
	if int(sighting.Device) >= l.config.Devices {
		l.unsolicited(sighting)
		return false
	}
	s := l.shard(sighting.Device)
	s.Lock()
	known, first := s.see(&sighting)
	s.Unlock()
	if known {
		l.taken.add(place{sighting.Partition, sighting.Offset})
	} else {
		l.unsolicited(sighting)
	}
	return first
}

// Track is 1 + the highest sequence number that was seen of a device in the partition where it was last seen; 0 for a device
// that does not exist. Only who calls Seen may ask. It is there for what it brings into the cache, as Next is.
func (l *Ledger) Track(device uint32) uint64 {
	if int(device) >= l.config.Devices {
		return 0
	}
	return l.shard(device).device(device).track.next
}

// Phantom takes in a record without identity, or of another run, read back at at.
func (l *Ledger) Phantom(partition int32, offset int64, at time.Duration, note string) {
	l.stray(phantoms, offence{
		due: Never, sequence: -1, place: place{partition, offset}, note: fmt.Sprintf("%s, read at %s", note, at),
	})
}

// Garbled takes in a record with the run's header whose identity cannot be read: it is corrupt.
func (l *Ledger) Garbled(partition int32, offset int64, at time.Duration, note string) {
	l.stray(corrupt, offence{
		due: Never, sequence: -1, place: place{partition, offset}, note: fmt.Sprintf("%s, read at %s", note, at),
	})
}

// Rescan begins the second scan, from offset 0: from now on Seen, Phantom and Garbled report what it meets. Every
// record has its outcome by then. Then at Close acked_lost is what was acknowledged and is absent from the second
// scan, and truncated what the tail saw and the second scan did not. What the tail has already reported is not
// counted again; a record, or a copy, that only the second scan meets is judged like any other, its order by the
// second scan's own. A record that it finds corrupt is, however well the tail has read it.
func (l *Ledger) Rescan() {
	l.taken.forget()
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		s.scan = make([]rescanned, len(s.devices))
		s.Unlock()
	}
}

// Counts returns the records by state as they are now. While the ledger is in use the figures may be a few records
// apart from each other.
func (l *Ledger) Counts() Counts {
	c := Counts{
		Due: l.due.Load(), Unsent: l.unsent.Load(),
		Missing: l.missing.Load(), Copies: l.copies.Load(), Late: l.late.Load(),
		Consumed: l.strays.count.Load(),
	}
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		c.add(&Counts{
			Sent: s.sent, Acked: s.acked, NoOffset: s.noOffset, Failed: s.failed, Unknown: s.unknown, Consumed: s.consumed,
		})
		s.Unlock()
	}
	return c
}

// Memory returns the bytes the ledger holds.
func (l *Ledger) Memory() int64 {
	bytes := int64(unsafe.Sizeof(*l)) + l.strays.bytes() + l.taken.bytes()
	for i := range l.shards {
		bytes += l.shards[i].bytes()
	}
	for i := range l.findings {
		bytes += l.findings[i].bytes()
	}
	return bytes
}

// Exceeded says whether the ledger holds more than its cap. It goes on accounting for everything: to end the run is
// the caller's part.
func (l *Ledger) Exceeded() bool { return l.Memory() > l.config.Memory }

func (l *Ledger) shard(device uint32) *shard { return &l.shards[device&(shardCount-1)] }
