package harness

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
)

// WritePlan writes what a run of the scenario would be: the world, the timeline with the expected record counts, what is
// promised and expected, what it costs in memory, and every value with its origin. It starts nothing, and the same
// scenario gives the same plan.
func (r *Resolved) WritePlan(w io.Writer) error {
	p := &plan{Resolved: r, generator: generator.New(r.Generator())}
	title := r.Name
	if r.Description != "" {
		title += ": " + strings.Join(strings.Fields(r.Description), " ")
	}
	fmt.Fprintf(&p.text, "%s\n%s, seed %s\n", title, r.File, r.show("seed"))
	p.world()
	p.timeline()
	p.verdict()
	p.memory()
	p.values()
	_, err := io.WriteString(w, r.Masked(p.text.String()))
	return err
}

// plan is a plan being written.
type plan struct {
	*Resolved
	generator *generator.Generator
	text      bytes.Buffer
}

// show is a value as the scenario writes it.
func (r *Resolved) show(path string) string {
	n := r.found[path]
	switch {
	case n == nil:
		return ""
	case n.kind == list:
		items := make([]string, len(n.items))
		for i, item := range n.items {
			items[i] = item.shown
		}
		return strings.Join(items, ", ")
	default:
		return n.shown
	}
}

// section writes rows of cells, separated by tabs, in aligned columns under a heading.
func (p *plan) section(heading string, rows []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(&p.text, "\n%s\n", heading)
	table := tabwriter.NewWriter(&p.text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(table, "  %s\n", row)
	}
	_ = table.Flush() // into a buffer
}

// world says who takes part.
func (p *plan) world() {
	rows := []string{
		fmt.Sprintf("broker\t%s, %s", p.Broker.Kind, plural(p.Broker.Brokers, "broker")),
		"topic\t" + p.topicRow(p.Topic.Name, p.Topic.Partitions),
	}
	if p.Alerts != nil {
		rows = append(rows, "alerts\t"+p.topicRow(p.Alerts.Topic, p.Alerts.Partitions))
	}
	if links := p.linked(); len(links) > 0 {
		rows = append(rows, fmt.Sprintf("link\ta TCP proxy before every broker, for %s; reading back goes around it", strings.Join(links, ", ")))
	} else {
		rows = append(rows, "link\tnone: no fault needs one, clients talk to the brokers themselves")
	}
	idempotent := "not idempotent"
	if p.Producer.Idempotent {
		idempotent = "idempotent"
	}
	rows = append(rows, fmt.Sprintf("producer\tacks %s, %s, compression %s, partitioner %s, batches sent at %s or after %s",
		p.show("producer.acks"), idempotent, p.show("producer.compression"), p.show("producer.partitioner"),
		p.show("producer.batch.bytes"), p.show("producer.batch.linger")))
	for i, fleet := range p.Fleets {
		path := index("fleets", i)
		rows = append(rows, fmt.Sprintf("fleet %s\t%s every %s: %s", fleet.Name, plural(fleet.Devices, "device"),
			p.show(join(path, "interval")), p.show(join(path, "sensors"))))
	}
	rows = append(rows, fmt.Sprintf("own pace\t%s records/s, which rates like 2x multiply", amount(p.ownPace())), p.skew())
	p.section("world", rows)
}

func (p *plan) topicRow(name string, partitions int) string {
	return fmt.Sprintf("%s: %s, replication factor %d, min in-sync replicas %d",
		name, plural(partitions, "partition"), p.Topic.ReplicationFactor, p.Topic.MinInsyncReplicas)
}

// linked names the faults that need the link.
func (p *plan) linked() []string {
	var names []string
	for _, spec := range p.Faults {
		if fault.NeedsLink([]fault.Spec{spec}) {
			names = append(names, spec.Name)
		}
	}
	return names
}

// skew is how unevenly the partitioner spreads this fleet: each device weighs as many records as it sends.
func (p *plan) skew() string {
	if !p.Producer.Partitioner.Fixed() {
		return fmt.Sprintf("partitions\tthe partitioner %s gives a key no fixed partition", p.Producer.Partitioner)
	}
	load := make([]float64, p.Topic.Partitions)
	total := 0.
	for number := range p.generator.Devices() {
		device := p.generator.Device(uint32(number))
		weight := 1 / p.Fleets[device.Fleet].Interval.Seconds()
		load[p.Producer.Partitioner.Partition([]byte(device.Key), int32(len(load)))] += weight
		total += weight
	}
	mean := total / float64(len(load))
	busiest := slices.Index(load, slices.Max(load))
	row := fmt.Sprintf("partitions\tpartition_skew %.2f: the busiest, %d, gets %.1f%% of the records", load[busiest]/mean, busiest, 100*load[busiest]/total)
	if empty := slices.Index(load, 0); empty >= 0 {
		row += fmt.Sprintf("; some, like %d, get none", empty)
	}
	return row
}

// verdict lists what the run will be held against.
func (p *plan) verdict() {
	var promised, expected []string
	for _, promise := range assertions.Promises(p.Setting()) {
		promised = append(promised, promise.Expectation+"\t"+promise.Reason)
	}
	for i := range p.Stated {
		expected = append(expected, p.show(index("expect", i))+"\t"+p.Stated[i].Origin)
	}
	p.section("promised, where an expectation says so", promised)
	p.section("expected", expected)
}

// sampleDevices is how many devices of each fleet are measured for the size of a record.
const sampleDevices = 16

// memory says what the run keeps.
func (p *plan) memory() {
	ledger := assertions.NewLedger(assertions.LedgerConfig{Devices: p.generator.Devices()})
	rows := []string{fmt.Sprintf("ledger\t%s for %s, and what is in flight; at most %s",
		mebibytes(float64(ledger.Memory())), plural(p.generator.Devices(), "device"), p.show("oracle.ledger_memory"))}
	if p.Oracle.Rescan {
		records := p.generator.Pace().Records(p.generator.Pace().End())
		rows = append(rows, fmt.Sprintf("log\t%s before compression: oracle.rescan is on, so every record is kept until it was read twice",
			mebibytes(records*p.recordSize())))
	} else {
		rows = append(rows, "log\tflat: what was read back is trimmed")
	}
	p.section("memory", rows)
}

// recordSize is the mean size of a record in the log, in bytes.
func (p *plan) recordSize() float64 {
	var bytes, records float64
	first := uint32(0)
	for _, fleet := range p.Fleets {
		weight := float64(fleet.Devices) / fleet.Interval.Seconds()
		sample := min(fleet.Devices, sampleDevices)
		for i := range sample {
			due := generator.Due{Device: first + uint32(i)}
			payload, _ := p.generator.Append(nil, due)
			record := len(payload) + len(p.generator.Device(due.Device).Key) + recordOverhead
			bytes += float64(record) * weight / float64(sample)
		}
		records += weight
		first += uint32(fleet.Devices)
	}
	return bytes / records
}

// recordOverhead is what a record takes in the log beside its key and its value: its lengths and deltas, and the header
// that carries its identity. A rough figure for an estimate.
const recordOverhead = 80
