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
// A run without a result, or with one that says nothing of the client, is left out of the table, and is an error once the
// others have been played.
//
// A round takes three and a half minutes, with -docker about thirteen.
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
	own      map[string][]string // by client: what it has to be told in other words to be told the same
}

// plays are the scenarios of a round; embedded ones first.
func plays(docker bool) []play {
	const flood = "producer/compare/closed-loop.yaml"
	all := []play{
		{name: "fleet-10000", scenario: "fleet-10000"},
		{name: "lost-acks", scenario: "lost-acks"},
		{name: "closed loop", scenario: flood, closed: true, own: batches("1MiB")}, // 8 partitions of each of 3 brokers
	}
	if docker {
		all = append(all,
			play{name: "leader-crash", scenario: "leader-crash"},
			// Longer, because the broker's JVM compiles in the first seconds more than it stores.
			play{name: "closed loop on a real broker", scenario: flood, closed: true, own: batches("3MiB"), // 24 of one
				set: []string{"broker.kind=docker", "broker.brokers=1", "load.stages.flood.for=30s"}},
		)
	}
	return all
}

// batches lets Sarama fill batches as the others do. To them batch.bytes is what one partition has when its batch is sent;
// to Sarama it is what all partitions have together that wait for the same broker (Flush.Bytes). So Sarama gets it as many
// times as a broker leads partitions, among which the keys are spread evenly. What else limits its batches leaves room for
// that: 1 MiB for a partition, 100 MiB for a request.
func batches(ofBroker string) map[string][]string {
	return map[string][]string{"sarama": {"producer.batch.bytes=" + ofBroker}}
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
	if _, err := exec.LookPath(*binary); err != nil {
		return fmt.Errorf("-binary: %w: build producer/compare/clients", err)
	}
	if entries, err := os.ReadDir(*out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: choose another folder", *out)
	}
	scenarios, err := chosen(plays(*docker), *only)
	if err != nil {
		return err
	}
	runs, err := playAll(ctx, scenarios, *rounds, *binary, *out, stderr)
	return errors.Join(err, table(stdout, scenarios, clients(), runs))
}

// playAll plays all rounds and returns the runs that measured a client. The error says what came of the others: they are no
// reason to end early, as an interrupt is.
func playAll(ctx context.Context, scenarios []play, rounds int, binary, out string, stderr io.Writer) (runs []run, err error) {
	for round := range rounds {
		for _, p := range scenarios {
			for _, c := range turned(clients(), round) {
				fmt.Fprintf(stderr, "round %d of %d: %s with %s\n", round+1, rounds, p.name, c.kind)
				folder := filepath.Join(out, fmt.Sprintf("%d-%s-%s", round+1, strings.ReplaceAll(p.name, " ", "-"), c.kind))
				r, failed := execute(ctx, binary, folder, p, c)
				if failed == nil {
					failed = r.refused(p)
				}
				if failed == nil {
					runs = append(runs, r)
					continue
				}
				err = errors.Join(err, fmt.Errorf("%s with %s in round %d: %w", p.name, c.kind, round+1, failed))
				if ctx.Err() != nil {
					return runs, err
				}
			}
		}
	}
	return runs, err
}

// chosen are the plays that were asked for by their names.
func chosen(all []play, only string) ([]play, error) {
	if only == "" {
		return all, nil
	}
	asked, known := strings.Split(only, ","), names(all)
	unknown := slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return slices.Contains(known, name) })
	if len(unknown) > 0 {
		return nil, fmt.Errorf("-only: no scenario is called %s: there are %s", quoted(unknown), quoted(known))
	}
	return slices.DeleteFunc(all, func(p play) bool { return !slices.Contains(asked, p.name) }), nil
}

func names(all []play) (list []string) {
	for _, p := range all {
		list = append(list, p.name)
	}
	return list
}

func quoted(list []string) string {
	var parts []string
	for _, name := range list {
		parts = append(parts, strconv.Quote(name))
	}
	return strings.Join(parts, ", ")
}

// turned is the clients in another order each round: who is always first may always be luckiest.
func turned(all []client, round int) []client {
	n := round % len(all)
	return append(slices.Clone(all[n:]), all[:n]...)
}
