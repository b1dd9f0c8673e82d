package harness

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
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
	rows := append(p.brokers(), "topic\t"+p.topicRow(p.Topic))
	if p.Alerts != nil {
		rows = append(rows, "alerts\t"+p.topicRow(p.alertsTopic()))
	}
	if links := p.faultsThat(fault.NeedsLink); len(links) > 0 {
		rows = append(rows, fmt.Sprintf("link\ta TCP proxy before every broker, for %s; reading back goes around it", strings.Join(links, ", ")))
	} else {
		rows = append(rows, "link\tnone: no fault needs one, clients talk to the brokers themselves")
	}
	if p.rescans() {
		rows = append(rows, fmt.Sprintf("read back\ttwice, the second time when the run is over, about %s records from offset 0: %s",
			amount(math.Round(p.records())), p.rescanReason()))
	}
	if growing := p.faultsThat(fault.GrowsPartitions); len(growing) > 0 {
		rows = append(rows, fmt.Sprintf("metadata\tthe producer asks every %s which partitions there are, for %s", written(metadataMaxAge), strings.Join(growing, ", ")))
	}
	idempotent := "not idempotent"
	if p.Producer.Idempotent {
		idempotent = "idempotent"
	}
	rows = append(rows, fmt.Sprintf("producer\t%s, acks %s, %s, encoding %s, compression %s, partitioner %s, batches sent at %s or after %s",
		p.show("producer.kind"), p.show("producer.acks"), idempotent, p.show("producer.encoding"), p.show("producer.compression"),
		p.show("producer.partitioner"), p.show("producer.batch.bytes"), p.show("producer.batch.linger")))
	for i, fleet := range p.Fleets {
		path := index("fleets", i)
		rows = append(rows, fmt.Sprintf("fleet %s\t%s every %s: %s", fleet.Name, plural(fleet.Devices, "device"),
			p.show(join(path, "interval")), p.show(join(path, "sensors"))))
	}
	rows = append(rows, fmt.Sprintf("own pace\t%s records/s, which rates like 2x multiply", amount(p.ownPace())), p.skew())
	p.section("world", rows)
}

// brokers says where Kafka comes from, and what may be done to it.
func (p *plan) brokers() []string {
	switch spec := p.Broker; spec.Kind {
	case broker.Docker:
		rows := []string{fmt.Sprintf("broker\tdocker, %s of %s with a heap of %s each", plural(spec.Brokers, "broker"), p.show("broker.image"), p.show("broker.heap"))}
		if p.noBridge() {
			rows = append(rows, "network\tthe host's, past Docker's port proxy, where the daemon shares it: there is one broker, and no fault cuts it off or needs a link")
		} else {
			rows = append(rows, "network\tone of the run's own, behind Docker's port proxy")
		}
		var settings []string
		for _, name := range slices.Sorted(maps.Keys(spec.Config)) {
			settings = append(settings, name+" "+p.show(join("broker.config", name)))
		}
		if len(settings) > 0 {
			rows = append(rows, "settings\t"+strings.Join(settings, ", "))
		}
		return rows
	case broker.External:
		alerting := ""
		if p.Alerts != nil {
			alerting = ", with an alert for every reading"
		}
		return []string{
			fmt.Sprintf("broker\texternal, cluster %s at %s, to which run writes only with --allow-external", p.show("broker.cluster_id"), p.show("broker.bootstrap")),
			fmt.Sprintf("caps\tat most %s, %s and %s; planned are at most %s/s, about %s and %s%s",
				p.show("broker.caps.rate"), p.show("broker.caps.bytes"), p.show("broker.caps.duration"),
				amount(p.busiest()), mebibytes(p.payload(p.generator)), written(p.Load.length()), alerting),
		}
	default:
		return []string{fmt.Sprintf("broker\t%s, %s", spec.Kind, plural(spec.Brokers, "broker"))}
	}
}

func (p *plan) topicRow(topic broker.Topic) string {
	spec := p.Broker
	spec.Run = "RUN"
	growth := ""
	if most := p.finalPartitions(topic); most > topic.Partitions {
		growth = fmt.Sprintf(", %s in the end", amount(float64(most)))
	}
	return fmt.Sprintf("%s: %s%s, replication factor %d, min in-sync replicas %d",
		spec.TopicName(topic.Name), plural(topic.Partitions, "partition"), growth, topic.ReplicationFactor, topic.MinInsyncReplicas)
}

// records is how many readings the devices deliver, about.
func (p *plan) records() float64 {
	pace := p.generator.Pace()
	return pace.Records(pace.End()) * p.delivered()
}

// rescanReason says why everything is read twice.
func (p *plan) rescanReason() string {
	if p.Oracle.Rescan {
		return "oracle.rescan is on"
	}
	if truncating := p.truncating(); len(truncating) > 0 {
		return strings.Join(truncating, ", ") + " can take the end off a log"
	}
	return "with Sarama, since the client under test and the first reader are built on the same library"
}

// skew is how unevenly the partitioner spreads this fleet: each device weighs as many records as it sends.
func (p *plan) skew() string {
	if !p.Producer.Partitioner.Fixed() {
		return fmt.Sprintf("partitions\tthe partitioner %s gives a key no fixed partition", p.Producer.Partitioner)
	}
	load := make([]float64, p.Topic.Partitions)
	total := 0.
	var key []byte
	for number := range p.generator.Devices() {
		device := p.generator.Device(uint32(number))
		weight := 1 / p.Fleets[device.Fleet].Interval.Seconds()
		key = p.generator.AppendKey(key[:0], device.Number)
		load[p.Producer.Partitioner.Partition(key, int32(len(load)))] += weight
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

// memory says what the run keeps.
func (p *plan) memory() {
	ledger := assertions.NewLedger(assertions.LedgerConfig{Devices: p.generator.Devices()})
	rows := []string{fmt.Sprintf("ledger\tabout %s for %s, and what is in flight; at most %s",
		mebibytes(float64(ledger.Memory())), plural(p.generator.Devices(), "device"), p.show("oracle.ledger_memory"))}
	if p.rescans() {
		where := "in memory"
		if p.Broker.Kind != broker.Embedded {
			where = fmt.Sprintf("on the disks of %s", plural(p.Topic.ReplicationFactor, "replica"))
		}
		rows = append(rows, fmt.Sprintf("log\tabout %s before compression, %s, where everything is kept until it was read twice",
			mebibytes(p.records()*p.recordSize(p.generator)), where))
	} else {
		rows = append(rows, "log\tflat: what was read back is deleted a second later")
	}
	p.section("memory", rows)
}
