package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
)

// EvidenceFile is the name of the evidence in a run's folder.
const EvidenceFile = "evidence.json"

// evidence closes the books: all that may be judged, in plain data.
func (r *run) evidence(ctx context.Context) *assertions.Evidence {
	scenario := r.scenario
	e := &assertions.Evidence{
		Format:       assertions.EvidenceFormat,
		Setting:      scenario.Setting(),
		Expectations: scenario.Stated,
		Rules: assertions.Rules{
			AchievedFloor: float64(scenario.Oracle.AchievedFloor),
			LagLimit:      scenario.Oracle.LagLimit,
			StallLimit:    scenario.Oracle.StallLimit,
			SlopeLength:   scenario.Oracle.SlopeLength,
		},
		Anomalies: r.truth.found(),
		Errors:    r.causes.counted(),
		Samples:   r.watch.samples,
		Stalls:    r.watch.stalls,

		LongestPause: r.watch.longest,

		Alerts: r.truth.alertsFound(),
		Readback: assertions.Readback{
			Complete: r.unread == "", Reason: r.unread, Rescan: scenario.rescans(),
		},
	}
	if stats := r.guest.count(); stats.RetriesKnown {
		e.Setting.Retries = stats.Retries
	} else {
		e.Setting.Retries = assertions.UnknownRetries
	}
	e.Stages = r.stages()
	for _, life := range r.faults.Lives() {
		e.Faults = append(e.Faults, faultLife(life))
	}
	e.Streams = append(e.Streams, r.closeLedger(r.readings, scenario.Topic.Name))
	if r.alerts != nil {
		e.Streams = append(e.Streams, r.closeLedger(r.alerts, scenario.Alerts.Topic))
	}
	e.Slices, e.Gaps = r.timeline.Close(r.loadEnded)
	for _, end := range r.ends.Offsets().Sorted() {
		if end.Topic == scenario.Topic.Name {
			e.Partitions = append(e.Partitions, assertions.PartitionCount{
				Partition: end.Partition,
				Consumed:  r.reader.position(end.Topic, end.Partition),
			})
		}
	}
	e.Broken = slices.Concat(r.broken, r.guest.broke())
	e.Run = assertions.RunInfo{
		ID:          fmt.Sprintf("%016x", r.id),
		Scenario:    scenario.Name,
		Description: scenario.Description,
		Seed:        scenario.Seed,
		Started:     r.started.UTC().Truncate(time.Millisecond),
		Duration:    time.Since(r.started),
		LoadEnded:   r.loadEnded,
		Interrupted: ctx.Err() != nil,
		CutShort:    r.cutShort,
		Devices:     r.generator.Devices(),
		Versions:    maps.Clone(r.options.Versions),
	}
	if e.Run.Versions == nil {
		e.Run.Versions = map[string]string{}
	}
	if e.Run.Versions["fleetproof"] == "" { // a program that uses fleetproof leaves it to be found out
		e.Run.Versions["fleetproof"] = producer.ModuleVersion("github.com/fleetproof/fleetproof")
	}
	e.Run.Versions[r.guest.Name] = r.guest.Version
	e.Run.Versions["broker"] = r.cluster.Version()
	e.Run.Versions["go"] = runtime.Version()
	return e
}

// closeLedger takes a stream's account. A ledger whose sums do not add up is a bug of the harness, and no verdict may
// rest on it.
func (r *run) closeLedger(ledger *assertions.Ledger, topic string) assertions.Stream {
	ends := map[int32]int64{}
	for _, end := range r.ends[topic] {
		ends[end.Partition] = end.Offset
	}
	stream, err := ledger.Close(ends)
	if err != nil {
		r.broken = append(r.broken, fmt.Sprintf("close the ledger of %s: %v", topic, err))
	}
	return stream
}

// stages are the stages of the load with their places in time.
func (r *run) stages() []assertions.Stage {
	own := r.scenario.ownPace()
	var from time.Duration
	stages := make([]assertions.Stage, 0, len(r.scenario.Load.Stages))
	for _, stage := range r.scenario.Load.Stages {
		stages = append(stages, assertions.Stage{
			Name: stage.Name, Judged: stage.Judged, Target: stage.Rate.Of(own),
			Span: assertions.Span{From: from, To: from + stage.For},
		})
		from += stage.For
	}
	return stages
}

func faultLife(life fault.Life) assertions.Fault {
	return assertions.Fault{
		Name: life.Name, Repetition: life.Repetition, Do: life.Do, Target: life.Target,
		InjectedAt: life.InjectedAt, ProvenAt: life.ProvenAt, HealedAt: life.HealedAt, ResumedAt: life.ResumedAt,
		Hits: life.Hits, Proof: life.Proof,
	}
}

// writeEvidence writes evidence.json into a folder that exists. A file that could not be written whole is removed.
func writeEvidence(folder string, evidence *assertions.Evidence) error {
	if folder == "" {
		return nil
	}
	bytes, err := json.Marshal(evidence)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, EvidenceFile)
	if err := os.WriteFile(name, bytes, 0o644); err != nil {
		_ = os.Remove(name)
		return err
	}
	return nil
}

// ReadEvidence reads the evidence of an old run from its folder.
func ReadEvidence(folder string) (*assertions.Evidence, error) {
	bytes, err := os.ReadFile(filepath.Join(folder, EvidenceFile))
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	evidence := new(assertions.Evidence)
	if err := json.Unmarshal(bytes, evidence); err != nil {
		return nil, fmt.Errorf("read evidence: %s: %w", filepath.Join(folder, EvidenceFile), err)
	}
	return evidence, nil
}

// cuts are the borders of the evidence's slices: every second, more often after a healing, and wherever something is
// planned to begin or end.
func (r *Resolved) cuts() []time.Duration {
	var end time.Duration
	var borders []time.Duration
	for _, stage := range r.Load.Stages {
		end += stage.For
		borders = append(borders, end)
	}
	for _, anomaly := range r.Anomalies {
		borders = append(borders, anomaly.At)
		if anomaly.For != nil {
			borders = append(borders, anomaly.At+*anomaly.For)
		}
	}
	var healings []time.Duration
	for _, fault := range r.Faults {
		for n := range fault.Times(r.world()) {
			borders = append(borders, fault.Begin(n))
			healings = append(healings, fault.Begin(n)+fault.For)
		}
	}
	return assertions.Cuts(end, healings, borders...)
}
