package main

import (
	"fmt"
	"io"
)

// scale plays fleetproof and the control over devices × rate × partitions. One of the three grows at a time.
func (b *bench) scale(out io.Writer) error {
	fmt.Fprintf(out, "%s broker, median of %d rounds of %s, load average %s\n\n", *flags.broker, b.rounds, b.length, loadAverage())
	fmt.Fprintln(out, "| devices | records/s | partitions | CPU-s per million | control | ratio | RSS, MB | control |\n|---|---|---|---|---|---|---|---|")
	for _, point := range []struct{ devices, rate, partitions int }{
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
		sets := []string{
			fmt.Sprintf("fleets.climate.devices=%d", point.devices),
			fmt.Sprintf("topic.partitions=%d", point.partitions),
		}
		var cpu, ratio, bare, rss, bareRSS []float64
		for range b.rounds {
			m, err := b.once(contender{"fleetproof", (*bench).fleetproof}, point.rate, sets...)
			if err != nil {
				return err
			}
			c, err := b.once(contender{"control", func(b *bench, sets []string) (measurement, error) { return b.control(sets) }}, point.rate, sets...)
			if err != nil {
				return err
			}
			cpu, bare, ratio = append(cpu, m.cpu), append(bare, c.cpu), append(ratio, m.cpu/c.cpu)
			rss, bareRSS = append(rss, m.rss/1e6), append(bareRSS, c.rss/1e6)
		}
		fmt.Fprintf(out, "| %d | %d | %d | %.1f | %.1f | %.2f | %.0f | %.0f |\n", point.devices, point.rate, point.partitions,
			median(cpu), median(bare), median(ratio), median(rss), median(bareRSS))
	}
	return nil
}
