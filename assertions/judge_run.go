package assertions

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// broken says what makes the run an error: what the harness reported, and accounts that contradict each other. A sum
// that does not add up is a bug of the harness, and then no other figure can be relied on.
func (j *judge) broken() []string {
	reasons := slices.Clone(j.Broken)
	for _, stream := range j.Streams {
		for _, problem := range stream.Counts.problems() {
			reasons = append(reasons, fmt.Sprintf("the accounts of the %s do not add up: %s", stream.Name, problem))
		}
	}
	if len(j.Slices) == 0 {
		return reasons
	}
	total, parts := j.Streams[0].Counts, countsOf(j.Slices)
	for _, state := range []struct {
		name        string
		total, part int64
	}{
		{"due", total.Due, parts.Due}, {"sent", total.Sent, parts.Sent}, {"acked", total.Acked, parts.Acked},
		{"failed", total.Failed, parts.Failed}, {"unknown", total.Unknown, parts.Unknown},
		{"shed", total.Shed, parts.Shed}, {"unsent", total.Unsent, parts.Unsent},
	} {
		if state.total != state.part {
			reasons = append(reasons, fmt.Sprintf(
				"the accounts of the %s do not add up: %s is %d over the run and %d over its slices",
				j.Streams[0].Name, state.name, state.total, state.part))
		}
	}
	return reasons
}

// unproven says what keeps the run as a whole from proving anything.
func (j *judge) unproven(claims int) []string {
	var reasons []string
	if claims == 0 {
		reasons = append(reasons, "nothing was expected, so nothing was proven")
	}
	if j.Streams[0].Counts.Due == 0 {
		reasons = append(reasons, "no record was due, so nothing was proven")
	}
	reasons = append(reasons, j.unprovenFaults()...)
	if j.endedEarly() {
		reasons = append(reasons, j.cutWhy())
	}
	if !j.Readback.Complete {
		reasons = append(reasons, j.unreadWhy())
	}
	return reasons
}

// result is everything of the result that needs no expectation.
func (j *judge) result() *Result {
	run := j.Run
	result := &Result{
		Scenario: run.Scenario, Run: run.ID, Seed: run.Seed, Interrupted: run.Interrupted,
		Reasons: []string{}, Counts: j.counts(), Expectations: []Judgement{}, Findings: j.findings(), Faults: []FaultResult{},
		StallLimit: seconds(j.Rules.StallLimit), LongestPause: seconds(j.LongestPause),
		Errors: j.Errors, Versions: run.Versions, Started: run.Started, Duration: seconds(run.Duration),
	}
	for _, f := range j.Faults {
		result.Faults = append(result.Faults, FaultResult{
			Name: f.Name, Repetition: f.Repetition, Do: f.Do, Target: f.Target, Hits: f.Hits, Proof: f.Proof, Proven: f.Proven(),
			InjectedAt: came(f.InjectedAt), ProvenAt: came(f.ProvenAt), HealedAt: came(f.HealedAt), ResumedAt: came(f.ResumedAt),
		})
	}
	return result
}

// counts are all counters and findings of the whole run by metric name, whatever was expected of them.
func (j *judge) counts() map[string]int64 {
	c := j.Streams[0].Counts
	counts := map[string]int64{
		"due": c.Due, "sent": c.Sent, "acked": c.Acked, "failed": c.Failed,
		"unknown": c.Unknown, "consumed": c.Consumed, "unsent": c.Unsent, "shed": c.Shed,
	}
	for f := range findingCount {
		for _, stream := range j.Streams {
			counts[f.String()] += stream.Findings[f.String()].Count
		}
	}
	if j.Alerts != nil {
		counts["alerts.missing"], counts["alerts.spurious"] = j.Alerts.Missing, j.Alerts.Spurious
	}
	for _, anomaly := range j.Anomalies {
		counts["anomalies."+anomaly.Name+".injected"] = anomaly.Injected
	}
	for _, fault := range j.Faults {
		counts["faults."+fault.Name+".hits"] += fault.Hits
	}
	return counts
}

// findings are the first offenders of every kind, of all streams. Those of other streams than the readings say so.
func (j *judge) findings() map[string][]OffenderResult {
	findings := make(map[string][]OffenderResult)
	for i, stream := range j.Streams {
		for _, name := range slices.Sorted(maps.Keys(stream.Findings)) {
			for _, o := range stream.Findings[name].First {
				if i > 0 {
					o.Note = joined(stream.Name, o.Note)
				}
				findings[name] = append(findings[name], OffenderResult{
					Device: o.Device, Sequence: o.Sequence, Due: came(o.Due), Partition: o.Partition, Offset: o.Offset, Note: o.Note,
				})
			}
		}
	}
	return findings
}

// came is a moment in seconds, or nil where it did not come.
func came(moment time.Duration) *float64 {
	if moment == Never {
		return nil
	}
	at := seconds(moment)
	return &at
}
