package assertions

import "time"

// Verdict is what a run or an expectation came to. The most severe wins.
type Verdict int

// The verdicts in order of severity.
const (
	Pass Verdict = iota
	Inconclusive
	Fail
	Error
)

var verdictNames = [...]string{Pass: "PASS", Inconclusive: "INCONCLUSIVE", Fail: "FAIL", Error: "ERROR"}

// String returns the verdict in capitals.
func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the verdict in capitals.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Result is the verdict and all it rests on. It is a pure function of evidence and expectations, in the shape of
// result.json. Every length of time and every moment in it is a number of seconds.
type Result struct {
	Scenario     string                      `json:"scenario"`
	Run          string                      `json:"run"`
	Seed         uint64                      `json:"seed"`
	Verdict      Verdict                     `json:"verdict"`
	Interrupted  bool                        `json:"interrupted"`
	Reasons      []string                    `json:"reasons"` // what made the run as a whole inconclusive or broken
	Counts       map[string]int64            `json:"counts"`  // every counter and finding by its metric name
	Expectations []Judgement                 `json:"expectations"`
	Findings     map[string][]OffenderResult `json:"findings"`         // the first offenders of every finding above zero, by its metric name
	Errors       []ErrorCount                `json:"errors,omitempty"` // what the client said of records it did not acknowledge
	Faults       []FaultResult               `json:"faults"`
	Latencies    []Latency                   `json:"latencies"`
	StallLimit   float64                     `json:"stall_limit"`   // pauses of the machine up to this long count as latency: nobody can tell them from the client's
	LongestPause float64                     `json:"longest_pause"` // that was seen, of whatever length
	Versions     map[string]string           `json:"versions"`
	Started      time.Time                   `json:"started"`
	Duration     float64                     `json:"duration"` // seconds
}

// Judgement is one expectation held against the evidence.
type Judgement struct {
	Expectation string   `json:"expectation"`
	Verdict     Verdict  `json:"verdict"`
	Got         *float64 `json:"got"`     // in base units: seconds, records, bytes, shares as 0…1; null when there is none
	Limit       float64  `json:"limit"`   // in the same unit
	Unit        string   `json:"unit"`    // s, records, ratio, B, records/s, …: what Got and Limit count
	Samples     int64    `json:"samples"` // what Got was computed from

	// RecoveryTime is how many seconds after a fault's healing an expectation with within … after fault … held again
	// for good, at most: a slice that missed it counts to its end. Of a fault that is repeated it is the longest. It is absent
	// from all others, and where the expectation did not hold again.
	RecoveryTime *float64 `json:"recovery_time,omitempty"`

	Origin string `json:"origin"`           // where it was stated
	Reason string `json:"reason,omitempty"` // why promised, or why inconclusive, or what the failure looks like
}

// OffenderResult is one record, or one device, that broke a promise.
type OffenderResult struct {
	Device    string   `json:"device,omitempty"` // its key; absent where it is not known
	Sequence  int64    `json:"sequence"`         // -1 where it is not known
	Due       *float64 `json:"due"`              // seconds since the start of the first stage; null where it is not known
	Partition int32    `json:"partition"`        // -1 where it is not known
	Offset    int64    `json:"offset"`           // -1 where it is not known
	Note      string   `json:"note,omitempty"`   // what was expected instead
}

// FaultResult is the life of one fault, or of one repetition of it; moments in seconds since the start of the first stage,
// null when they did not come.
type FaultResult struct {
	Name       string   `json:"name"`
	Repetition int      `json:"repetition,omitempty"` // counted from 1; absent: the fault is not repeated
	Do         string   `json:"do"`
	Target     string   `json:"target"`
	InjectedAt *float64 `json:"injected_at"`
	ProvenAt   *float64 `json:"proven_at"`
	HealedAt   *float64 `json:"healed_at"`
	ResumedAt  *float64 `json:"resumed_at"`
	Hits       int64    `json:"hits"`
	Proof      string   `json:"proof"`
	Proven     bool     `json:"proven"`
}

// Latency is a summary of one latency metric in one phase, in seconds.
type Latency struct {
	Metric string  `json:"metric"`
	Phase  string  `json:"phase"` // run, stage hold, fault crash, outside faults
	Count  int64   `json:"count"`
	Beyond int64   `json:"beyond"` // of Count, below 0 or above 1 h: they rank last, and what reaches them shows as 3600
	P50    float64 `json:"p50"`
	P90    float64 `json:"p90"`
	P99    float64 `json:"p99"`
	P999   float64 `json:"p99.9"`
	Max    float64 `json:"max"`
}
