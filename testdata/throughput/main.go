// Command throughput measures fleetproof against the control (testdata/control), which plays the same load and verifies
// nothing. Both are built first and then played by turns, one child process at a time, so that whatever else the machine
// does falls on both:
//
//	throughput -rounds 5 -for 60s     the processor time of a record and the lag at some rates, and the highest rate kept
//	throughput -scale                 what grows with devices, rate and partitions
//	throughput -profile default.pgo   no comparison: what of fleetproof is hot, for the compiler
//
// When a rate is kept is in criterion.go. A figure comes only from runs that kept theirs: one that did not is played once
// more, and if it does not keep it again either, the reason stands where the figures would. The highest rate is found by
// bisecting a ladder whose rungs are 5 % apart. Processor time is what the operating system charges a child for its whole
// life, start, verdict and evidence included, but for what the control spends on the payloads it prepares; with the
// embedded broker that of the broker too.
//
// It writes Markdown to standard output, and every measurement to standard error as it comes, in the format of Go's
// benchmarks, so that benchstat can compare two invocations.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

const scenarioFile = "testdata/throughput/throughput.yaml"

// bench is one invocation.
type bench struct {
	contenders []contender // fleetproof first: ratios are of it to each other one
	folder     string      // of the built programs, and of what the children leave behind
	broker     string
	progress   io.Writer // every measurement as it comes
	rounds     int
	length     time.Duration // of the stage that is judged
	warmup     time.Duration
	rates      []int // records per second at which processor time and lag are compared
	low        int   // the ladder
	high       int
	sets       []string // of all children: the broker
}

// point is what is played.
type point struct{ devices, rate, partitions int }

// usual is the point of the comparison at one rate.
func usual(rate int) point { return point{devices: 10_000, rate: rate, partitions: 24} }

func main() {
	b := bench{progress: os.Stderr}
	b.contenders = []contender{{"fleetproof", b.fleetproof}, {"control", b.control}}
	flag.StringVar(&b.broker, "broker", "embedded", "embedded, or docker: one real broker for all rounds")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&b.length, "for", time.Minute, "length of each measurement")
	flag.DurationVar(&b.warmup, "warmup", 5*time.Second, "length of the warm-up before each")
	rates := flag.String("rates", "3333,50000,100000", "records per second at which processor time and lag are compared")
	flag.IntVar(&b.low, "low", 50_000, "records per second that are surely kept")
	flag.IntVar(&b.high, "high", 500_000, "records per second that are surely not kept")
	scale := flag.Bool("scale", false, "play devices × rate × partitions instead")
	profile := flag.String("profile", "", "write to this file where the processor time of fleetproof goes at the rates, instead")
	cpuOnly := flag.Bool("cpu-only", false, "leave out the search for the highest rate")
	flag.Parse()
	if err := b.check(*rates); err != nil {
		fmt.Fprintf(os.Stderr, "throughput: %s\n", err)
		os.Exit(2)
	}
	measure := b.compareAll
	switch {
	case *scale:
		measure = b.scale
	case *profile != "":
		measure = b.profile(*profile)
	case *cpuOnly:
		measure = b.compare
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := b.run(ctx, measure, os.Stdout)
	stop() // not before: a second signal must not keep the broker from being removed
	if err != nil {
		fmt.Fprintf(os.Stderr, "throughput: %s\n", err)
		os.Exit(1)
	}
}

// check says what is wrong with the flags, and takes in the rates.
func (b *bench) check(rates string) error {
	for _, text := range strings.Split(rates, ",") {
		rate, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-rates: want whole numbers with commas between, got %q", rates)
		}
		b.rates = append(b.rates, rate)
	}
	kinds := []string{string(broker.Embedded), string(broker.Docker)}
	switch {
	case !slices.Contains(kinds, b.broker):
		return fmt.Errorf("-broker: want one of %s, got %q", strings.Join(kinds, ", "), b.broker)
	case b.rounds < 1:
		return fmt.Errorf("-rounds: want at least 1, got %d", b.rounds)
	case b.length < 2*time.Second: // the evidence has slices of a second, and the first and the last third need one each
		return fmt.Errorf("-for: want at least 2s, got %s", b.length)
	case b.low < 1 || b.high <= b.low:
		return fmt.Errorf("-low, -high: want a -low above 0 and a -high above it, got %d and %d", b.low, b.high)
	}
	return nil
}

// run builds the programs, starts the broker and measures.
func (b *bench) run(ctx context.Context, measure func(context.Context, io.Writer) error, out io.Writer) (err error) {
	if b.folder, err = os.MkdirTemp("", "fleetproof-throughput-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	build := command(ctx, "go", "build", "-trimpath", "-o", b.folder, "./cmd/fleetproof", "./testdata/control")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	end, err := b.startBroker(ctx)
	if err != nil {
		return fmt.Errorf("start the %s broker: %w", b.broker, err)
	}
	defer func() { err = errors.Join(err, end()) }()
	return measure(ctx, out)
}

// leaveWithin is how long a child may take to end once it was interrupted.
const leaveWithin = 15 * time.Second

// command is a program that is interrupted when ctx ends, since it has things to tidy up, and killed if it then stays.
func command(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	made := exec.CommandContext(ctx, name, arguments...)
	made.Cancel = func() error { return made.Process.Signal(os.Interrupt) }
	made.WaitDelay = leaveWithin
	return made
}

// compareAll compares the contenders at some rates, and by the highest that they keep.
func (b *bench) compareAll(ctx context.Context, out io.Writer) error {
	if err := b.compare(ctx, out); err != nil {
		return err
	}
	best := b.series()
	for range b.rounds {
		for i, c := range b.contenders {
			rate, err := b.highest(ctx, c, best[i].best)
			if err != nil {
				return err
			}
			best[i].best = append(best[i].best, rate)
		}
	}
	table(out, "highest rate kept, records/s", best, func(s *series) []float64 { return s.best })
	fmt.Fprintf(out, "load average at the end %s\n", loadAverage())
	return nil
}

// compare compares the contenders at some rates.
func (b *bench) compare(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "%s broker, %d cores, %d rounds of %s, load average %s\n\n",
		b.broker, runtime.NumCPU(), b.rounds, b.length, loadAverage())
	for _, rate := range b.rates {
		all, err := b.byTurns(ctx, usual(rate))
		if err != nil {
			return err
		}
		table(out, fmt.Sprintf("CPU-s per million records at %d/s", rate), all, func(s *series) []float64 { return s.cpu })
		table(out, fmt.Sprintf("schedule lag p99 at %d/s, ms", rate), all, func(s *series) []float64 { return s.lag })
	}
	return nil
}

// series is what one contender came to at one point, round by round.
type series struct {
	name string
	cpu  []float64 // seconds for a million records
	lag  []float64 // milliseconds
	rss  []float64 // megabytes
	best []float64 // records per second
	lost string    // why it does not keep the point: its figures mean nothing then
}

// series are those of a point at which nothing was played yet.
func (b *bench) series() []*series {
	var all []*series
	for _, c := range b.contenders {
		all = append(all, &series{name: c.name})
	}
	return all
}

// byTurns plays all rounds at one point. A contender that does not keep it is not played there any further.
func (b *bench) byTurns(ctx context.Context, at point) ([]*series, error) {
	all := b.series()
	for range b.rounds {
		for i, c := range b.contenders {
			s := all[i]
			if s.lost != "" {
				continue
			}
			m, err := b.twice(ctx, c, at)
			if err != nil {
				return nil, err
			}
			if !m.kept() {
				s.lost = m.reason()
				continue
			}
			s.cpu, s.lag, s.rss = append(s.cpu, m.cpu), append(s.lag, 1000*m.lag), append(s.rss, m.rss/1e6)
		}
	}
	return all, nil
}

// twice plays one contender at one point, and once more if it is not kept, since the machine may have done something else
// meanwhile.
func (b *bench) twice(ctx context.Context, c contender, at point) (measurement, error) {
	m, err := b.once(ctx, c, at)
	if err == nil && !m.kept() {
		m, err = b.once(ctx, c, at)
	}
	return m, err
}

// warmupRate is the most that the warm-up sends: a backlog from before the stage that is judged would count against it. At a
// lower rate it sends no more than that stage, so that its records, which the processor time is shared among too, cost the same.
const warmupRate = 20_000

// settings are what a point changes in the scenario.
func (b *bench) settings(at point) []string {
	return slices.Concat(b.sets, []string{
		fmt.Sprintf("load.stages.hold.rate=%d/s", at.rate),
		"load.stages.hold.for=" + b.length.String(),
		"load.stages.warmup.for=" + b.warmup.String(),
		fmt.Sprintf("load.stages.warmup.rate=%d/s", min(at.rate, warmupRate)),
		fmt.Sprintf("fleets.climate.devices=%d", at.devices),
		fmt.Sprintf("topic.partitions=%d", at.partitions),
	})
}

// once plays one contender at one point.
func (b *bench) once(ctx context.Context, c contender, at point) (measurement, error) {
	m, err := c.play(ctx, b.settings(at))
	if err != nil {
		return m, fmt.Errorf("play %s at %d/s: %w", c.name, at.rate, err)
	}
	fmt.Fprintf(b.progress, "BenchmarkThroughput/%s/devices=%d/rate=%d/partitions=%d 1 ", c.name, at.devices, at.rate, at.partitions)
	fmt.Fprintf(b.progress, "%.4g CPU-s/M %.4g lag-p99-ms %.0f MB %.4g records/s\n",
		m.cpu, 1000*m.lag, m.rss/1e6, m.achieved*float64(at.rate))
	if !m.kept() {
		fmt.Fprintf(b.progress, "# not kept, load average %s: %s\n", loadAverage(), m.reason())
	}
	return m, nil
}

// table writes medians, ranges, and the median of the rounds' ratios of the first contender to each other one.
func table(out io.Writer, title string, all []*series, figures func(*series) []float64) {
	fmt.Fprintf(out, "| %s | median | range | fleetproof ÷ it, median | range |\n|---|---|---|---|---|\n", title)
	for _, s := range all {
		if s.lost != "" {
			fmt.Fprintf(out, "| %s | not kept: %s | – | – | – |\n", s.name, s.lost)
			continue
		}
		values := figures(s)
		fmt.Fprintf(out, "| %s | %.4g | %.4g – %.4g | ", s.name, median(values), slices.Min(values), slices.Max(values))
		if all[0].lost != "" {
			fmt.Fprint(out, "– | – |\n")
			continue
		}
		r := ratios(figures(all[0]), values)
		fmt.Fprintf(out, "%.2f | %.2f – %.2f |\n", median(r), slices.Min(r), slices.Max(r))
	}
	fmt.Fprintln(out)
}

// ratios are those of each round.
func ratios(values, to []float64) []float64 {
	made := make([]float64, len(values))
	for round := range values {
		made[round] = values[round] / to[round]
	}
	return made
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
