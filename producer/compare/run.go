package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// run is what came of one scenario with one client.
type run struct {
	play, kind string
	version    string
	result     result
	load       time.Duration // from the first stage to the last
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
	Text   string `json:"expectation"`
	Reason string `json:"reason"`
}

type latency struct {
	Metric string  `json:"metric"`
	Phase  string  `json:"phase"`
	P99    float64 `json:"p99"` // seconds
}

// evidence is what is read of a run's evidence.json.
type evidence struct {
	Stages []struct {
		To time.Duration `json:"to"`
	} `json:"stages"`
}

// execute plays a scenario with a client. That a scenario does not pass is a result too; only when there is none is that an
// error.
func execute(ctx context.Context, binary, folder string, p play, c client) (run, error) {
	kind := c.kind
	if p.closed {
		kind = "closed-" + kind
	}
	args := []string{"run", p.scenario, "--quiet", "--out", folder, "--set", "producer.kind=" + kind}
	for _, value := range append(append([]string{}, p.set...), c.set...) {
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
	var e evidence
	if missing := errors.Join(read(folder, "result.json", &r.result), read(folder, "evidence.json", &e)); missing != nil {
		return run{}, fmt.Errorf("%w: %w\n%s", missing, err, said.String())
	}
	r.version = r.result.Versions[kind]
	if n := len(e.Stages); n > 0 {
		r.load = e.Stages[n-1].To
	}
	return r, nil
}

func read(folder, name string, into any) error {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// rate is what was acknowledged by the time the load took, in records a second.
func (r run) rate() float64 {
	if r.load == 0 {
		return 0
	}
	return float64(r.result.Counts["acked"]) / r.load.Seconds()
}

// p99 is the run's latency from due to acknowledged, in seconds.
func (r run) p99() float64 {
	for _, l := range r.result.Latencies {
		if l.Metric == "ack_latency" && l.Phase == "run" {
			return l.P99
		}
	}
	return 0
}

// costs is the CPU time of a million acknowledged records, in seconds.
func (r run) costs() float64 {
	if r.result.Counts["acked"] == 0 {
		return 0
	}
	return r.cpu.Seconds() / float64(r.result.Counts["acked"]) * 1e6
}

func (r run) promised(name string) bool {
	for _, e := range r.result.Expectations {
		if e.Text == name+" == 0" && strings.HasPrefix(e.Reason, "promised") {
			return true
		}
	}
	return false
}
