package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
)

// contender is a program that plays the scenario.
type contender struct {
	name string
	play func(ctx context.Context, sets []string) (measurement, error)
}

// startAndEnd is how long a child may take beyond its load: to start, drain, read back and judge.
const startAndEnd = 2 * time.Minute

// played is what a child left.
type played struct {
	out, complaints bytes.Buffer
	state           *os.ProcessState
}

// said is what a child complained of, or else its result.
func (p *played) said() string {
	if p.complaints.Len() > 0 {
		return strings.TrimSpace(p.complaints.String())
	}
	return strings.TrimSpace(p.out.String())
}

// child runs a program of the bench's folder. It is an error if its exit code is none of those, or if it does not end in time.
func (b *bench) child(ctx context.Context, exits []int, name string, arguments ...string) (*played, error) {
	load := b.warmup + b.length
	ctx, cancel := context.WithTimeoutCause(ctx, load+startAndEnd,
		fmt.Errorf("it had not ended %s after its load of %s", startAndEnd, load))
	defer cancel()
	var p played
	program := command(ctx, filepath.Join(b.folder, name), arguments...)
	program.Stdout, program.Stderr = &p.out, &p.complaints
	err := program.Run()
	p.state = program.ProcessState
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case p.state != nil && slices.Contains(exits, p.state.ExitCode()):
		return &p, nil
	}
	return nil, fmt.Errorf("%s: %w; it said: %s", name, err, p.said())
}

// charge fills in what the operating system says of a child, but for the processor time in seconds that is spared it.
func (m *measurement) charge(p *played, spared float64) error {
	if m.total == 0 {
		return fmt.Errorf("no record was played, so that there is nothing to measure; it said: %s", p.said())
	}
	m.cpu = ((p.state.UserTime() + p.state.SystemTime()).Seconds() - spared) / float64(m.total) * 1e6
	m.rss = float64(p.state.SysUsage().(*syscall.Rusage).Maxrss) * 1024
	return nil
}

func arguments(file, dashes string, sets []string) []string {
	var all []string
	for _, set := range sets {
		all = append(all, dashes+"set", set)
	}
	return append(all, file)
}

// verdict plays the scenario with fleetproof. Whether it passes, fails or is inconclusive, it came to its end.
func (b *bench) verdict(ctx context.Context, sets []string, options ...string) (*played, error) {
	all := slices.Concat([]string{"run", "--quiet", "--allow-external"}, options, arguments(scenarioFile, "--", sets))
	return b.child(ctx, []int{0, 1, 3}, "fleetproof", all...)
}

// fleetproof plays the scenario and judges it. That a run fails or is inconclusive says that the rate is not kept.
func (b *bench) fleetproof(ctx context.Context, sets []string) (measurement, error) {
	evidence := filepath.Join(b.folder, "evidence")
	p, err := b.verdict(ctx, sets, "--json", "--out", evidence)
	if err != nil {
		return measurement{}, err
	}
	var r result
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		return measurement{}, fmt.Errorf("read the result: %w; it said: %s", err, p.said())
	}
	m := r.measured()
	if err := m.charge(p, 0); err != nil {
		return m, err
	}
	if !m.kept() {
		return m, nil
	}
	if math.IsNaN(m.achieved + m.lag + m.ack) {
		return m, fmt.Errorf("the result lacks achieved_rate, schedule_lag or ack_latency; it said: %s", p.said())
	}
	recorded, err := harness.ReadEvidence(evidence)
	if err != nil {
		return m, err
	}
	if m.thirds, err = thirds(recorded); err != nil {
		return m, err
	}
	m.judge()
	return m, nil
}

// result is what is read of fleetproof's.
type result struct {
	Verdict      string
	Reasons      []string
	Counts       map[string]int64
	Expectations []struct {
		Expectation, Verdict, Reason string
		Got                          *float64
	}
	Latencies []assertions.Latency
}

// measured is what a result says of the run; NaN is what it does not say.
func (r *result) measured() measurement {
	m := measurement{total: r.Counts["sent"], achieved: math.NaN(), lag: math.NaN(), ack: math.NaN()}
	if r.Verdict != "PASS" {
		m.miss("%s", r.reason())
	}
	for _, e := range r.Expectations {
		if strings.HasPrefix(e.Expectation, "achieved_rate") && e.Got != nil {
			m.achieved = *e.Got
		}
	}
	for _, l := range r.Latencies {
		switch {
		case l.Phase != "run":
		case l.Metric == "schedule_lag":
			m.lag = l.P99
		case l.Metric == "ack_latency":
			m.ack = l.P99
		}
	}
	return m
}

// reason is why a run did not pass. Several expectations often share a reason, which is said once.
func (r *result) reason() string {
	var missed []string
	because := r.Reasons
	for _, e := range r.Expectations {
		if e.Verdict == "PASS" {
			continue
		}
		missed = append(missed, e.Expectation)
		if e.Reason != "" && !slices.Contains(because, e.Reason) {
			because = append(because, e.Reason)
		}
	}
	return fmt.Sprintf("%s of %s (%s)", r.Verdict, strings.Join(missed, ", "), strings.Join(because, "; "))
}

// thirds are the medians of the acknowledgements of the records due in each third of the stage that is judged.
func thirds(recorded *assertions.Evidence) (medians [3]float64, err error) {
	judged := slices.IndexFunc(recorded.Stages, func(s assertions.Stage) bool { return s.Judged })
	if judged < 0 {
		return medians, errors.New("no stage is judged")
	}
	from, to := recorded.Stages[judged].From, recorded.Stages[judged].To
	var merged [3]*hdrhistogram.Histogram
	for i := range merged {
		merged[i] = hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	}
	for _, slice := range recorded.Slices {
		middle := slice.From + (slice.To-slice.From)/2
		histogram := slice.Histograms["ack_latency"]
		if middle < from || middle >= to || histogram == nil {
			continue
		}
		decoded, err := hdrhistogram.Decode([]byte(base64.StdEncoding.EncodeToString(histogram)))
		if err != nil {
			return medians, fmt.Errorf("read the acknowledgements of the second at %s: %w", slice.From, err)
		}
		merged[3*(middle-from)/(to-from)].Merge(decoded)
	}
	for i, third := range merged {
		if third.TotalCount() == 0 {
			return medians, errors.New("nothing was acknowledged in a third of the stage that is judged")
		}
		medians[i] = float64(third.ValueAtQuantile(50)) / 1e6
	}
	return medians, nil
}

// control plays the scenario and verifies nothing.
func (b *bench) control(ctx context.Context, sets []string) (measurement, error) {
	p, err := b.child(ctx, []int{0}, "control", arguments(scenarioFile, "-", sets)...)
	if err != nil {
		return measurement{}, err
	}
	var result struct {
		Acked, Failed int64
		Achieved      float64
		PrepareCPU    float64    `json:"prepare_cpu"`
		LagP99        float64    `json:"lag_p99"`
		AckP99        float64    `json:"ack_p99"`
		AckThirds     [3]float64 `json:"ack_thirds"`
	}
	if err := json.Unmarshal(p.out.Bytes(), &result); err != nil {
		return measurement{}, fmt.Errorf("read the result: %w; it said: %s", err, p.said())
	}
	m := measurement{
		total: result.Acked, achieved: result.Achieved, lag: result.LagP99, ack: result.AckP99, thirds: result.AckThirds,
	}
	if err := m.charge(p, result.PrepareCPU); err != nil {
		return m, err
	}
	if result.Failed > 0 {
		m.miss("%d records failed", result.Failed)
	}
	m.judge()
	return m, nil
}
