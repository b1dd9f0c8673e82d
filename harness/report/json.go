package report

import (
	"encoding/json"
	"io"

	"github.com/fleetproof/fleetproof/assertions"
)

// JSON writes a result as result.json has it: the same bytes for the same result, lists never null. The error is the
// writer's, or says that a number of the result is none that JSON has.
func JSON(w io.Writer, result *assertions.Result) error {
	r := *result
	r.Reasons = orEmpty(r.Reasons)
	r.Expectations = orEmpty(r.Expectations)
	r.Faults = orEmpty(r.Faults)
	r.Latencies = orEmpty(r.Latencies)
	if r.Counts == nil {
		r.Counts = map[string]int64{}
	}
	if r.Findings == nil {
		r.Findings = map[string][]assertions.OffenderResult{}
	}
	if r.Versions == nil {
		r.Versions = map[string]string{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // an expectation reads p99 < 50ms, not p99 \u003c 50ms
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
