package main

import (
	"context"
	"fmt"
	"io"
)

// scale plays fleetproof and the control over devices × rate × partitions. One of the three grows at a time.
func (b *bench) scale(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "%s broker, median of %d rounds of %s, load average %s\n\n", b.broker, b.rounds, b.length, loadAverage())
	fmt.Fprintln(out, "| devices | records/s | partitions | CPU-s per million | control | ratio | RSS, MB | control |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	for _, at := range []point{
		{1_000, 50_000, 24},
		{10_000, 50_000, 24},
		{100_000, 50_000, 24},
		{1_000_000, 50_000, 24},
		{10_000, 5_000, 24},
		{10_000, 20_000, 24},
		{10_000, 100_000, 24},
		{10_000, 50_000, 6},
		{10_000, 50_000, 96},
	} {
		all, err := b.byTurns(ctx, at)
		if err != nil {
			return err
		}
		scaleRow(out, at, all[0], all[1])
	}
	fmt.Fprintln(out, "\nThe control prepares its payloads, and has at most 40,000 different keys.")
	return nil
}

// scaleRow writes one point.
func scaleRow(out io.Writer, at point, fleetproof, control *series) {
	ratio := "–"
	if fleetproof.lost == "" && control.lost == "" {
		ratio = fmt.Sprintf("%.2f", median(ratios(fleetproof.cpu, control.cpu)))
	}
	fmt.Fprintf(out, "| %d | %d | %d | %s | %s | %s | %s | %s |\n", at.devices, at.rate, at.partitions,
		fleetproof.cell("%.1f", fleetproof.cpu), control.cell("%.1f", control.cpu), ratio,
		fleetproof.cell("%.0f", fleetproof.rss), control.cell("%.0f", control.rss))
}

// cell is the median of one of the figures, or why there is none.
func (s *series) cell(format string, figures []float64) string {
	if s.lost != "" {
		return "not kept: " + s.lost
	}
	return fmt.Sprintf(format, median(figures))
}
