package assertions

import "time"

// EvidenceFormat is the version of the evidence file's layout. Judge refuses any other.
const EvidenceFormat = 3

// Evidence is everything a run recorded, and everything Judge may look at. It is plain data: written to evidence.json
// it can be judged again at a desk, also against other expectations. All times are durations since the start of the
// first stage on the run's monotonic clock; a Duration is written in nanoseconds.
type Evidence struct {
	Format       int              `json:"format"`
	Run          RunInfo          `json:"run"`
	Setting      Setting          `json:"setting"`
	Expectations []Stated         `json:"expectations"` // as the scenario and the command line state them, in order
	Rules        Rules            `json:"rules"`
	Stages       []Stage          `json:"stages"`
	Faults       []Fault          `json:"faults"` // in the order of the scenario, the repetitions of one after the other
	Anomalies    []Anomaly        `json:"anomalies"`
	Errors       []ErrorCount     `json:"errors,omitempty"` // what the client said of records it did not acknowledge, in order of the first times
	Streams      []Stream         `json:"streams"`          // [0] the readings, [1] the alerts where the scenario has them
	Slices       []Slice          `json:"slices"`           // in order of time, without gaps, from 0 to the end of the last stage
	Gaps         []Gap            `json:"gaps"`             // the longest gaps without an acknowledgement of those that begin in one slice and end in another, or in the same
	Partitions   []PartitionCount `json:"partitions"`
	Samples      []Sample         `json:"samples"`       // the harness process, once a second, less often in runs of more than an hour
	Stalls       []Stall          `json:"stalls"`        // moments at which the machine did not run the harness
	LongestPause time.Duration    `json:"longest_pause"` // of the harness's heartbeat, stall or not
	Alerts       *Alerts          `json:"alerts,omitempty"`
	Readback     Readback         `json:"readback"`
	Broken       []string         `json:"broken"` // what went wrong with the run itself: any entry makes the verdict ERROR
}

// RunInfo says which run this was.
type RunInfo struct {
	ID          string            `json:"id"`
	Scenario    string            `json:"scenario"`
	Description string            `json:"description"`
	Seed        uint64            `json:"seed"`
	Started     time.Time         `json:"started"`
	Duration    time.Duration     `json:"duration"`            // of the whole run, from the broker's start to the last record read back
	LoadEnded   time.Duration     `json:"load_ended"`          // when the load stopped: the last stage's end, the interruption or the cut
	Interrupted bool              `json:"interrupted"`         // by a signal or its context
	CutShort    string            `json:"cut_short,omitempty"` // why the harness itself ended the load early: the ledger's memory
	Devices     int               `json:"devices"`
	Versions    map[string]string `json:"versions"` // fleetproof, the client under test by its name, broker, go
}

// Setting is the part of the configuration that decides what the pipeline promises.
type Setting struct {
	Acks              string `json:"acks"` // all, 1 or 0
	Idempotent        bool   `json:"idempotent"`
	Partitioner       string `json:"partitioner"`
	FixedPartition    bool   `json:"fixed_partition"` // the partitioner maps a key to one partition and no other
	ReplicationFactor int    `json:"replication_factor"`
	MinInsyncReplicas int    `json:"min_insync_replicas"`
	UncleanElection   bool   `json:"unclean_election"`
	Faults            bool   `json:"faults"`        // any fault is planned
	MovesLeaders      bool   `json:"moves_leaders"` // some fault can move a leader: kill, stop, restart, pause, isolate, elect, move, reassign
	BreaksQuorum      bool   `json:"breaks_quorum"` // the faults can leave fewer replicas than the promise needs
	Retries           int64  `json:"retries"`       // attempts beyond the first that the client reported; 0 in a plan, or UnknownRetries
	Alerts            bool   `json:"alerts"`
	Rescan            bool   `json:"rescan"` // the run makes a second scan from offset 0
}

// UnknownRetries stands for the retries of a client that does not count them.
const UnknownRetries int64 = -1

// Stated is an expectation as somebody wrote it.
type Stated struct {
	Text   string `json:"text"`
	Origin string `json:"origin"` // scenarios/crash.yaml:40, or --expect
}

// Rules are the judge's limits, taken from the scenario's oracle section.
type Rules struct {
	AchievedFloor float64       `json:"achieved_floor"` // share of due records handed over in time below which rates and latencies prove nothing
	LagLimit      time.Duration `json:"lag_limit"`      // the generator's own lag beyond which a record counts as Slice.Late
	StallLimit    time.Duration `json:"stall_limit"`    // a pause of the whole process longer than this is a Stall
	SlopeLength   time.Duration `json:"slope_length"`   // from the first to the last sample, without which a slope per hour proves nothing
}

// Span is a stretch of the run, from From up to but not including To.
type Span struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
}

// Stage is one stage of the load as it was planned.
type Stage struct {
	Name   string  `json:"name"`
	Judged bool    `json:"judged"` // false: left out of latencies and rates, never out of the ledger
	Target float64 `json:"target"` // records per second at its end
	Span
}

// Never stands for a moment that did not come.
const Never time.Duration = -1

// Fault is the life of one fault, or of one repetition of it, as it happened. A moment that did not come is Never.
type Fault struct {
	Name       string        `json:"name"`
	Repetition int           `json:"repetition,omitempty"` // counted from 1; 0: the fault is not repeated
	Do         string        `json:"do"`
	Target     string        `json:"target"` // as resolved: broker 2
	InjectedAt time.Duration `json:"injected_at"`
	ProvenAt   time.Duration `json:"proven_at"`  // when its effect was first seen
	HealedAt   time.Duration `json:"healed_at"`  // when the healing was proven
	ResumedAt  time.Duration `json:"resumed_at"` // first acknowledgement, after healing, of a record handed over after healing
	Hits       int64         `json:"hits"`       // what it touched
	Proof      string        `json:"proof"`      // what the hits are: connections refused, responses swallowed, …
}

// Proven says whether the fault bit: its effect was seen and it touched something.
func (f Fault) Proven() bool { return f.ProvenAt != Never && f.Hits > 0 }

// Anomaly is one timed anomaly: what the generator injected beside what the detector found in the records read back.
type Anomaly struct {
	Name string `json:"name"`
	Do   string `json:"do"`
	Span
	Injected int64 `json:"injected"` // labelled readings handed over
	Devices  int64 `json:"devices"`  // devices with at least one labelled reading handed over
	Detected int64 `json:"detected"` // of these, the devices on whose readings, as they were read back, the detector fired
}

// ErrorCount is one text by which the client explained records of any stream that it did not acknowledge. There is one
// without a text for each state, which counts those that explained themselves otherwise than the first MaxErrors texts.
type ErrorCount struct {
	State string `json:"state"` // failed or unknown
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// MaxErrors is how many texts of errors are told apart.
const MaxErrors = 50

// Stream is the ledger's closing account of one stream of records.
type Stream struct {
	Name     string           `json:"name"` // readings or alerts
	Topic    string           `json:"topic"`
	Counts   Counts           `json:"counts"`
	Findings map[string]Found `json:"findings"` // by metric name; every finding of the ledger is present, also at zero
}

// Counts are the records of a stream by state. Due = Sent + Shed + Unsent and Sent = Acked + Failed + Unknown.
type Counts struct {
	Due      int64 `json:"due"`
	Sent     int64 `json:"sent"` // handed over to the client
	Acked    int64 `json:"acked"`
	NoOffset int64 `json:"no_offset"` // of Acked, those whose acknowledgement told no offset
	Failed   int64 `json:"failed"`
	Unknown  int64 `json:"unknown"`
	Shed     int64 `json:"shed"`
	Unsent   int64 `json:"unsent"`
	Consumed int64 `json:"consumed"` // records read back, of any kind
	Missing  int64 `json:"missing"`  // readings withheld on purpose (delivery.missing): never due
	Copies   int64 `json:"copies"`   // records repeated on purpose (delivery.duplicate): part of due
	Late     int64 `json:"late"`     // event times shifted on purpose (delivery.late): part of due
}

// Found is one kind of finding: an exact count and the first offenders.
type Found struct {
	Count int64      `json:"count"`
	First []Offender `json:"first,omitempty"` // the earliest by due time, in its order, at most MaxOffenders
}

// MaxOffenders is how many offenders of each kind keep their details.
const MaxOffenders = 1000

// Offender is one record, or one device, that broke a promise. What does not apply is zero, Never or -1.
type Offender struct {
	Device    string        `json:"device,omitempty"` // its key
	Sequence  int64         `json:"sequence"`         // -1: unknown
	Due       time.Duration `json:"due"`
	Partition int32         `json:"partition"`
	Offset    int64         `json:"offset"`
	Note      string        `json:"note,omitempty"` // what was expected instead
}

// Slice is a stretch of the run by due time: one second, cut also where a stage, an anomaly or a planned fault begins
// or ends, and wider in long runs. It counts the readings, and the findings of all streams.
type Slice struct {
	Span
	Due      int64 `json:"due"`
	Sent     int64 `json:"sent"`
	OnTime   int64 `json:"on_time"` // handed over before the slice's own end; those handed over in later slices are in Later
	Acked    int64 `json:"acked"`
	Failed   int64 `json:"failed"`
	Unknown  int64 `json:"unknown"`
	Shed     int64 `json:"shed"`
	Unsent   int64 `json:"unsent"`
	Consumed int64 `json:"consumed"`
	Bytes    int64 `json:"bytes"` // payload bytes acked
	Late     int64 `json:"late"`  // handed over, or never handed over, and later than Rules.LagLimit beyond the time blocked inside Send: the generator's own shortfall

	Later []Handed `json:"later,omitempty"` // by the later slice in which they were handed over, in its order

	Findings   map[string]int64  `json:"findings,omitempty"`   // by metric name, where the offender's due time is known
	Histograms map[string][]byte `json:"histograms,omitempty"` // by metric name, HdrHistogram V2 compressed, in microseconds; in JSON its usual Base64
	Beyond     map[string]int64  `json:"beyond,omitempty"`     // by metric name, values below 0 or above 1 h; what is below 1 µs counts as 0
}

// Handed counts the records that were handed over in one slice.
type Handed struct {
	By    time.Duration `json:"by"` // the slice's end
	Count int64         `json:"count"`
}

// Gap is a time in which records of a partition were waiting and none was acknowledged, to a tenth of a millisecond.
type Gap struct {
	Partition int32 `json:"partition"` // −1: records of which nobody can tell the partition waited, and none was acknowledged in any
	Span
}

// PartitionCount is what one partition of the readings topic received.
type PartitionCount struct {
	Partition int32 `json:"partition"`
	Consumed  int64 `json:"consumed"` // offsets passed in reading it back: records, as long as no transaction leaves a mark
}

// Sample is the harness process at one moment. What the system does not tell is nil.
type Sample struct {
	At         time.Duration `json:"at"`
	CPU        *float64      `json:"cpu,omitempty"` // cores in use since the sample before
	RSS        *int64        `json:"rss,omitempty"` // bytes
	Heap       int64         `json:"heap"`          // bytes of live and unswept objects
	Goroutines int64         `json:"goroutines"`
	OpenFiles  *int64        `json:"open_files,omitempty"`

	// Busy is how much of the processor time that the harness could have had since the sample before was in use, by
	// whomever, from 0 to 1: the machine's as a whole, or that of the processors the harness is confined to, whichever is
	// scarcer.
	Busy *float64 `json:"busy,omitempty"`
}

// Stall is a time in which a ticker that should have run did not.
type Stall struct{ Span }

// Alerts compares the alerts read back with the readings read back.
type Alerts struct {
	Due      int64 `json:"due"`      // readings read back beyond their error threshold
	Missing  int64 `json:"missing"`  // of these, without an alert
	Spurious int64 `json:"spurious"` // alerts without such a reading
}

// Readback says whether everything in the log was read.
type Readback struct {
	Complete bool   `json:"complete"`
	Reason   string `json:"reason,omitempty"` // why not
	Rescan   bool   `json:"rescan"`           // a second scan from offset 0 was made after the run
}
