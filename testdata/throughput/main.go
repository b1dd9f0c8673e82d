// Command throughput measures fleetproof against the control (testdata/control), which plays the same load and verifies
// nothing. Both are built first and then played by turns, one child process at a time, so that whatever else the machine
// does falls on both:
//
//	throughput -rounds 5 -for 60s     the processor time of a record and the lag at some rates, and the highest rate kept
//	throughput -scale                 what grows with devices, rate and partitions
//
// A rate is kept when at least 99.5 % of what was due was handed over before the load ended, and the 99th percentile of
// the acknowledgements stayed below a second, which no growing backlog does; fleetproof also has to pass every
// expectation. The highest is found by bisecting a ladder whose rungs are 5 % apart. Processor time is what the
// operating system charges a child for its whole life, start and verdict included; with the embedded broker that of the
// broker too.
//
// It writes Markdown to standard output, and every measurement to standard error as it comes, in the format of Go's
// benchmarks, so that benchstat can compare two invocations.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const scenarioFile = "testdata/throughput/throughput.yaml"

// bench is one invocation.
type bench struct {
	folder string // of the built programs
	rounds int
	length time.Duration // of the stage that is judged
	warmup time.Duration
	rates  []int // records per second at which processor time and lag are compared
	low    int   // the ladder
	high   int
	sets   []string // of all children: the broker
}

// point is what is played.
type point struct{ devices, rate, partitions int }

// usual is the point of the comparison at one rate.
func usual(rate int) point { return point{devices: 10_000, rate: rate, partitions: 24} }

// measurement is one child's run.
type measurement struct {
	kept  bool
	why   string  // it was not kept
	rate  float64 // records per second handed over in time
	cpu   float64 // seconds for a million records
	lag   float64 // p99 of the schedule lag in seconds
	rss   float64 // bytes
	total int64   // records
}

// contender is a program that plays the scenario.
type contender struct {
	name string
	play func(b *bench, sets []string) (measurement, error)
}

var flags = struct {
	broker *string
	scale  *bool
	skip   *bool
}{
	flag.String("broker", "embedded", "embedded, or docker: one real broker for all rounds"),
	flag.Bool("scale", false, "play devices × rate × partitions instead"),
	flag.Bool("cpu-only", false, "leave out the search for the highest rate"),
}

func main() {
	b := bench{}
	flag.IntVar(&b.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&b.length, "for", time.Minute, "length of each measurement")
	flag.DurationVar(&b.warmup, "warmup", 5*time.Second, "length of the warm-up before each")
	rates := flag.String("rates", "3333,50000,100000", "records per second at which processor time and lag are compared")
	flag.IntVar(&b.low, "low", 50_000, "records per second that are surely kept")
	flag.IntVar(&b.high, "high", 500_000, "records per second that are surely not kept")
	flag.Parse()
	for _, text := range strings.Split(*rates, ",") {
		rate, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintf(os.Stderr, "throughput: -rates: want whole numbers with commas between, got %q\n", *rates)
			os.Exit(2)
		}
		b.rates = append(b.rates, rate)
	}
	if err := b.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "throughput: %s\n", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, out io.Writer) (err error) {
	if b.folder, err = os.MkdirTemp("", "fleetproof-throughput-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	build := exec.CommandContext(ctx, "go", "build", "-o", b.folder, "./cmd/fleetproof", "./testdata/control")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	end, err := b.startBroker(ctx, *flags.broker)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if *flags.scale {
		return b.scale(out)
	}
	return b.compare(out)
}

// contenders are those of every comparison.
var contenders = []contender{{"fleetproof", (*bench).fleetproof}, {"control", (*bench).control}}

// compare plays the contenders by turns.
func (b *bench) compare(out io.Writer) error {
	fmt.Fprintf(out, "%s broker, %d cores, %d rounds of %s, load average %s\n\n", *flags.broker, runtime.NumCPU(), b.rounds, b.length, loadAverage())
	for _, rate := range b.rates {
		cpu, lag := make([][]float64, len(contenders)), make([][]float64, len(contenders))
		for range b.rounds {
			for i, c := range contenders {
				m, err := b.once(c, usual(rate))
				if err != nil {
					return err
				}
				cpu[i], lag[i] = append(cpu[i], m.cpu), append(lag[i], 1000*m.lag)
			}
		}
		b.table(out, fmt.Sprintf("CPU-s per million records at %d/s", rate), cpu)
		b.table(out, fmt.Sprintf("schedule lag p99 at %d/s, ms", rate), lag)
	}
	if *flags.skip {
		return nil
	}
	best := make([][]float64, len(contenders))
	for range b.rounds {
		for i, c := range contenders {
			rate, err := b.highest(c, best[i])
			if err != nil {
				return err
			}
			best[i] = append(best[i], rate)
		}
	}
	b.table(out, "highest rate kept, records/s", best)
	fmt.Fprintf(out, "load average at the end %s\n", loadAverage())
	return nil
}

// table writes medians, ranges, and the median of the rounds' ratios of the first contender to each other one.
func (b *bench) table(out io.Writer, title string, values [][]float64) {
	fmt.Fprintf(out, "| %s | median | range | fleetproof ÷ it, median | range |\n|---|---|---|---|---|\n", title)
	for i, c := range contenders {
		ratios := make([]float64, len(values[i]))
		for round, v := range values[i] {
			ratios[round] = values[0][round] / v
		}
		fmt.Fprintf(out, "| %s | %.4g | %.4g – %.4g | %.2f | %.2f – %.2f |\n", c.name,
			median(values[i]), slices.Min(values[i]), slices.Max(values[i]), median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
	fmt.Fprintln(out)
}

// once plays one contender at one point.
func (b *bench) once(c contender, at point) (measurement, error) {
	m, err := c.play(b, slices.Concat(b.sets, []string{
		fmt.Sprintf("load.stages.hold.rate=%d/s", at.rate),
		"load.stages.hold.for=" + b.length.String(),
		"load.stages.warmup.for=" + b.warmup.String(),
		fmt.Sprintf("fleets.climate.devices=%d", at.devices),
		fmt.Sprintf("topic.partitions=%d", at.partitions),
	}))
	if err != nil {
		return m, fmt.Errorf("play %s at %d/s: %w", c.name, at.rate, err)
	}
	fmt.Fprintf(os.Stderr, "BenchmarkThroughput/%s/devices=%d/rate=%d/partitions=%d 1 %.4g CPU-s/M %.4g lag-p99-ms %.0f MB %.4g records/s\n",
		c.name, at.devices, at.rate, at.partitions, m.cpu, 1000*m.lag, m.rss/1e6, m.rate)
	if !m.kept {
		fmt.Fprintf(os.Stderr, "# not kept, load average %s: %s\n", loadAverage(), m.why)
	}
	return m, nil
}

// highest bisects the ladder for the highest rate that is kept. What the rounds before found is tried first.
func (b *bench) highest(c contender, before []float64) (float64, error) {
	const rung = 1.05
	rate := func(n int) int { return int(float64(b.low)*math.Pow(rung, float64(n)) + 0.5) }
	kept, lost := -1, int(math.Ceil(math.Log(float64(b.high)/float64(b.low))/math.Log(rung)))
	next := (kept + lost) / 2
	if len(before) > 0 {
		next = int(math.Round(math.Log(median(before)/float64(b.low)) / math.Log(rung)))
	}
	for step := 1; lost-kept > 1; {
		m, err := b.once(c, usual(rate(next)))
		if err != nil {
			return 0, err
		}
		if m.kept {
			kept = next
		} else {
			lost = next
		}
		switch {
		case len(before) == 0:
			next = (kept + lost) / 2
		case m.kept: // near what was found before, small steps that grow are quicker
			next = min(kept+step, max(kept+1, (kept+lost)/2))
		default:
			next = max(lost-step, (kept+lost)/2)
		}
		step *= 2
	}
	if kept < 0 {
		return 0, fmt.Errorf("%s does not keep %d/s: choose a lower -low", c.name, b.low)
	}
	return float64(rate(kept)), nil
}

// child runs a program, and returns what it wrote and what it used.
func child(exits []int, name string, arguments ...string) ([]byte, *os.ProcessState, error) {
	var out, complaints bytes.Buffer
	command := exec.Command(name, arguments...)
	command.Stdout, command.Stderr = &out, &complaints
	err := command.Run()
	if command.ProcessState == nil || !slices.Contains(exits, command.ProcessState.ExitCode()) {
		return nil, nil, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(complaints.String()))
	}
	return out.Bytes(), command.ProcessState, nil
}

// use fills in what the operating system says of a child.
func (m *measurement) use(state *os.ProcessState) {
	m.cpu = (state.UserTime() + state.SystemTime()).Seconds() / float64(m.total) * 1e6
	m.rss = float64(state.SysUsage().(*syscall.Rusage).Maxrss) * 1024
}

func arguments(file string, dashes string, sets []string) []string {
	var all []string
	for _, set := range sets {
		all = append(all, dashes+"set", set)
	}
	return append(all, file)
}

// fleetproof plays the scenario and judges it.
func (b *bench) fleetproof(sets []string) (measurement, error) {
	var m measurement
	text, state, err := child([]int{0, 1, 3}, filepath.Join(b.folder, "fleetproof"),
		append([]string{"run", "--json", "--quiet", "--allow-external"}, arguments(scenarioFile, "--", sets)...)...)
	if err != nil {
		return m, err
	}
	var result struct {
		Verdict      string
		Counts       map[string]int64
		Expectations []struct {
			Expectation, Verdict string
			Got                  *float64
			Samples              int64
		}
		Latencies []struct {
			Metric, Phase string
			P99           *float64
		}
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return m, err
	}
	m.total = result.Counts["sent"]
	m.kept = result.Verdict == "PASS"
	for _, e := range result.Expectations {
		if e.Verdict != "PASS" {
			m.why += e.Expectation + "; "
		}
		if strings.HasPrefix(e.Expectation, "achieved_rate") && e.Got != nil {
			m.rate = *e.Got * float64(e.Samples) / b.length.Seconds()
		}
	}
	for _, l := range result.Latencies {
		if l.Metric == "schedule_lag" && l.Phase == "run" && l.P99 != nil {
			m.lag = *l.P99
		}
	}
	m.use(state)
	return m, nil
}

// control plays the scenario and verifies nothing.
func (b *bench) control(sets []string) (measurement, error) {
	var m measurement
	text, state, err := child([]int{0}, filepath.Join(b.folder, "control"), arguments(scenarioFile, "-", sets)...)
	if err != nil {
		return m, err
	}
	var result struct {
		Due, Acked, Failed int64
		Achieved           float64
		LagP99             float64 `json:"lag_p99"`
		AckP99             float64 `json:"ack_p99"`
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return m, err
	}
	m.total, m.lag = result.Acked, result.LagP99
	m.rate = result.Achieved * float64(result.Due) / b.length.Seconds()
	switch {
	case result.Failed > 0:
		m.why = "failed"
	case result.Achieved < 0.995:
		m.why = fmt.Sprintf("achieved %.3f", result.Achieved)
	case result.AckP99 >= 1:
		m.why = fmt.Sprintf("ack p99 %.3g s", result.AckP99)
	default:
		m.kept = true
	}
	m.use(state)
	return m, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:1], " ")
}
