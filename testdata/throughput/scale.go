package main

import (
	"fmt"
	"io"
)

// scale plays fleetproof and the control over devices × rate × partitions. One of the three grows at a time.
func (b *bench) scale(out io.Writer) error {
	fmt.Fprintf(out, "%s broker, median of %d rounds of %s, load average %s\n\n", *flags.broker, b.rounds, b.length, loadAverage())
	fmt.Fprintln(out, "| devices | records/s | partitions | CPU-s per million | control | ratio | RSS, MB | control |\n|---|---|---|---|---|---|---|---|")
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
		cpu, rss := make([][]float64, len(contenders)), make([][]float64, len(contenders))
		var ratio []float64
		for range b.rounds {
			for i, c := range contenders {
				m, err := b.once(c, at)
				if err != nil {
					return err
				}
				cpu[i], rss[i] = append(cpu[i], m.cpu), append(rss[i], m.rss/1e6)
			}
			ratio = append(ratio, cpu[0][len(cpu[0])-1]/cpu[1][len(cpu[1])-1])
		}
		fmt.Fprintf(out, "| %d | %d | %d | %.1f | %.1f | %.2f | %.0f | %.0f |\n", at.devices, at.rate, at.partitions,
			median(cpu[0]), median(cpu[1]), median(ratio), median(rss[0]), median(rss[1]))
	}
	return nil
}
