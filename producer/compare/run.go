package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer/compare/closed"
)

// run is what came of one scenario with one client.
type run struct {
	play, kind string
	version    string
	result     result
	acked      int64         // as far as it is certain to have been done in took
	took       time.Duration // from the first stage on
	late       int64         // records that would have been late too had the client never made the harness wait
	busy       float64       // share of the machine's processors, while there was load
	cpu        time.Duration // of the process, all cores
}

// result is what is read of a run's result.json.
type result struct {
	Verdict      string            `json:"verdict"`
	Counts       map[string]int64  `json:"counts"`
	Versions     map[string]string `json:"versions"`
	Expectations []expectation     `json:"expectations"`
	Latencies    []latency         `json:"latencies"`
}

type expectation struct {
	Text    string `json:"expectation"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
}

// promised says whether the expectation follows from the settings of the client and the topic.
func (e expectation) promised() bool { return strings.HasPrefix(e.Reason, "promised") }

// metric is what a promise is about: a promise is that it is zero.
func (e expectation) metric() string { return strings.TrimSuffix(e.Text, " == 0") }

type latency struct {
	Metric string  `json:"metric"`
	Phase  string  `json:"phase"`
	P99    float64 `json:"p99"` // seconds
}

// execute plays a scenario with a client. That a scenario does not pass is a result too; only when there is none is that an
// error.
func execute(ctx context.Context, binary, folder string, p play, c client) (run, error) {
	kind := c.kind
	if p.closed {
		kind = "closed-" + kind
	}
	args := []string{"run", p.scenario, "--quiet", "--out", folder, "--set", "producer.kind=" + kind}
	for _, value := range slices.Concat(p.set, p.own[c.kind], c.set) {
		args = append(args, "--set", value)
	}
	command := exec.CommandContext(ctx, binary, args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it has brokers to end
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return run{}, errors.Join(err, ctx.Err())
	}
	r := run{play: p.name, kind: c.kind, cpu: command.ProcessState.UserTime() + command.ProcessState.SystemTime()}
	e, unread := harness.ReadEvidence(folder)
	if missing := errors.Join(read(folder, "result.json", &r.result), unread); missing != nil {
		return run{}, fmt.Errorf("%w\n%s", errors.Join(missing, err), said.String())
	}
	r.version = r.result.Versions[kind]
	r.measure(p, e)
	return r, nil
}

func read(folder, name string, into any) error {
	name = filepath.Join(folder, name)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// measure finds out how many records were acknowledged in what time. The evidence counts acknowledgements by when their
// records were due, which does not tell when they came.
//
// A closed loop tells it all the same: of what was handed over while the load lasted, all but its window had an outcome when
// the load ended. Whatever came later does not count. Everywhere else every acknowledgement counts, and so does the time, in
// whole seconds, until the client was closed: a client that keeps up takes no longer than the load.
func (r *run) measure(p play, e *assertions.Evidence) {
	var inTime int64
	for _, s := range e.Slices {
		r.late += s.Late
		inTime += s.OnTime
		for _, later := range s.Later {
			if later.By <= e.Run.LoadEnded {
				inTime += later.Count
			}
		}
	}
	r.acked, r.took = r.result.Counts["acked"], e.Run.LoadEnded
	switch n := len(e.Samples); {
	case p.closed:
		after := r.result.Counts["sent"] - inTime
		r.acked = max(0, r.acked-after-closed.Window)
	case n > 0:
		r.took = max(r.took, e.Samples[n-1].At.Truncate(time.Second))
	}
	loaded := 0
	for _, s := range e.Samples {
		if s.At <= e.Run.LoadEnded && s.Busy != nil {
			r.busy += *s.Busy
			loaded++
		}
	}
	if loaded > 0 {
		r.busy /= float64(loaded)
	}
}

// idle is how busy the processors are at most where more could have been done.
const idle = 0.8

// refused says why a closed loop does not show how much this machine gets done with the client. It does where it was offered
// more than it took, and where either the processors were busy, with the client as with what stands around it, or the harness
// had only ever waited for the client. Then no records are late by its own fault; as in a verdict, a hundredth may be.
func (r run) refused(p play) error {
	sent := r.result.Counts["sent"]
	switch {
	case !p.closed:
		return nil
	case r.result.Counts["unsent"] == 0:
		return fmt.Errorf("took all that it was offered, so that nobody knows how much it can do: raise the rate in %s",
			p.scenario)
	case 100*r.late > sent && r.busy < idle:
		return fmt.Errorf("%d records were late by the harness's own fault, where %d were sent, although the processors were "+
			"only %.0f %% busy: let nothing else stop it on this machine", r.late, sent, 100*r.busy)
	default:
		return nil
	}
}

// rate is what was acknowledged by the time it took, in records a second.
func (r run) rate() float64 {
	if r.took == 0 {
		return 0
	}
	return float64(r.acked) / r.took.Seconds()
}

// p99 is the run's latency from due to acknowledged, in seconds; NaN where it has none.
func (r run) p99() float64 {
	for _, l := range r.result.Latencies {
		if l.Metric == "ack_latency" && l.Phase == "run" {
			return l.P99
		}
	}
	return math.NaN()
}

// costs is the CPU time of a million acknowledged records, in seconds; NaN where there are none.
func (r run) costs() float64 {
	if r.result.Counts["acked"] == 0 {
		return math.NaN()
	}
	return r.cpu.Seconds() / float64(r.result.Counts["acked"]) * 1e6
}

// promised says whether it was promised that nothing of a kind would be found.
func (r run) promised(name string) bool {
	return slices.ContainsFunc(r.result.Expectations, func(e expectation) bool { return e.promised() && e.metric() == name })
}

// broke says whether that was promised and is certain not to be so.
func (r run) broke(name string) bool {
	return slices.ContainsFunc(r.result.Expectations, func(e expectation) bool {
		return e.promised() && e.metric() == name && e.Verdict == "FAIL"
	})
}

// doubts are the promises that were neither proven nor broken. A run that went wrong in itself proves none, whatever its
// expectations came to, since no figure of it can be relied on; nor does one in which nothing was acknowledged, of which
// there was nothing to lose.
func (r run) doubts() (names []string) {
	nothing := r.result.Verdict == "ERROR" || r.result.Counts["acked"] == 0
	for _, e := range r.result.Expectations {
		if e.promised() && e.Verdict != "FAIL" && (nothing || e.Verdict != "PASS") {
			names = append(names, e.metric())
		}
	}
	return names
}

// proves says whether every promise of the run was proven or broken, and there was one.
func (r run) proves() bool {
	return slices.ContainsFunc(r.result.Expectations, expectation.promised) && len(r.doubts()) == 0
}
