// Command compare plays the same scenarios with every client and says what each was able to do and what it kept:
//
//	compare -rounds 5             with the embedded broker
//	compare -rounds 5 -docker     leader-crash and the closed loop on real brokers too
//
// A round plays every scenario with every client, one after the other, so that what else the machine does falls on all of
// them alike; the order of the clients turns by one each round. What is printed are medians over the rounds, with the
// lowest and the highest in brackets, as a table in Markdown. CPU is that of the whole process by the records it
// acknowledged: client, generator, ledger and reader, and the broker unless that is a real one.
//
// A round takes three and a half minutes, with -docker about thirteen.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := compare(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// client is one of those compared.
type client struct {
	kind string
	set  []string // what it cannot do has to be unasked
}

// clients are those of the binary beside this one.
func clients() []client {
	return []client{
		{kind: "sarama"},
		{kind: "franz"},
		{kind: "confluent"},
		{kind: "kafkago", set: []string{"producer.idempotent=false"}},
	}
}

// play is one scenario of a round.
type play struct {
	name     string
	scenario string
	closed   bool
	set      []string
}

// plays are the scenarios of a round; embedded ones first.
func plays(docker bool) []play {
	const flood = "producer/compare/closed-loop.yaml"
	all := []play{
		{name: "fleet-10000", scenario: "fleet-10000"},
		{name: "lost-acks", scenario: "lost-acks"},
		{name: "closed loop", scenario: flood, closed: true},
	}
	if docker {
		all = append(all,
			play{name: "leader-crash", scenario: "leader-crash"},
			// Longer, because the broker's JVM compiles in the first seconds more than it stores.
			play{name: "closed loop on a real broker", scenario: flood, closed: true,
				set: []string{"broker.kind=docker", "broker.brokers=1", "load.stages.flood.for=30s"}},
		)
	}
	return all
}

// compare is the whole program. It is run from the root of the repository.
func compare(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("binary", "", "fleetproof with all clients: producer/compare/clients, built")
	out := flags.String("out", "out/compare-clients", "new or empty folder for the results of every run")
	rounds := flags.Int("rounds", 5, "how often everything is played")
	docker := flags.Bool("docker", false, "play on real brokers too")
	only := flags.String("only", "", "names of the scenarios to play, by commas; all of them if empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *binary == "" || *rounds < 1 {
		return fmt.Errorf("want -binary and at least one round")
	}
	if entries, err := os.ReadDir(*out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: choose another folder", *out)
	}
	scenarios := slices.DeleteFunc(plays(*docker), func(p play) bool {
		return *only != "" && !slices.Contains(strings.Split(*only, ","), p.name)
	})
	if len(scenarios) == 0 {
		return fmt.Errorf("-only %q names no scenario: there are %s", *only, names(plays(*docker)))
	}
	var runs []run
	for round := range *rounds {
		for _, p := range scenarios {
			for _, c := range turned(clients(), round) {
				fmt.Fprintf(stderr, "round %d of %d: %s with %s\n", round+1, *rounds, p.name, c.kind)
				folder := filepath.Join(*out, fmt.Sprintf("%d-%s-%s", round+1, strings.ReplaceAll(p.name, " ", "-"), c.kind))
				r, err := execute(ctx, *binary, folder, p, c)
				if err != nil {
					return fmt.Errorf("%s with %s: %w", p.name, c.kind, err)
				}
				if p.closed && r.result.Counts["unsent"] == 0 {
					return fmt.Errorf("%s with %s took all that it was offered, so that nobody knows how much it can do: raise the rate in %s", p.name, c.kind, p.scenario)
				}
				runs = append(runs, r)
			}
		}
	}
	return table(stdout, scenarios, clients(), runs)
}

func names(all []play) string {
	var quoted []string
	for _, p := range all {
		quoted = append(quoted, strconv.Quote(p.name))
	}
	return strings.Join(quoted, ", ")
}

// turned is the clients in another order each round: who is always first may always be luckiest.
func turned(all []client, round int) []client {
	n := round % len(all)
	return append(slices.Clone(all[n:]), all[:n]...)
}
