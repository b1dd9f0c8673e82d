package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/harness/report"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/scenarios"
)

type explainCommand struct {
	Name string `arg:"" optional:"" help:"Metric, kind of fault, sensor, client or verdict. Without it, all of them are listed."`
}

// execute explains everything of that name: error is a kind of fault, and ERROR a verdict.
func (c explainCommand) execute(w world) (int, error) {
	topics, err := topics(w.kinds)
	if err != nil {
		return exitEnvironment, fmt.Errorf("explain: %w", err)
	}
	if c.Name == "" {
		return w.print(listed(topics))
	}
	var texts []string
	for _, topic := range topics {
		if topic.is(c.Name) {
			texts = append(texts, topic.text())
		}
	}
	if len(texts) == 0 {
		return exitMistake, unknownTopic(c.Name, topics)
	}
	return w.print(strings.Join(texts, "\n"))
}

// topic is something that can be explained.
type topic struct {
	kind    string // metric, fault, sensor, client or verdict
	name    string
	summary string   // one line
	doc     string   // sentences
	facts   []string // one each line
	sample  []string // lines of YAML
}

// topics are all of them, kind by kind.
func topics(clients []producer.Kind) ([]topic, error) {
	var all []topic
	for _, metric := range assertions.Metrics() {
		all = append(all, metricTopic(metric))
	}
	for _, row := range fault.Kinds() {
		all = append(all, faultTopic(row))
	}
	defaults, err := scenarios.Files.ReadFile("defaults.yaml")
	if err != nil {
		return nil, err
	}
	all = append(all, sensorTopics(string(defaults))...)
	for _, client := range clients {
		all = append(all, clientTopic(client))
	}
	return append(all, verdictTopics()...), nil
}

func metricTopic(metric assertions.Metric) topic {
	t := topic{kind: "metric", name: metric.Name, summary: metric.Summary, doc: metric.Doc, facts: []string{"unit: " + metric.Unit}}
	if len(metric.Aggregates) > 0 {
		aggregates := strings.Replace(joined(metric.Aggregates), string(assertions.Percentile), "pN (p50, p99, p99.9, …)", 1)
		t.facts = append(t.facts, "aggregates, of which one is written: "+aggregates)
	}
	t.facts = append(t.facts, "scopes: "+joined(metric.Scopes()))
	return t
}

func faultTopic(row fault.Row) topic {
	t := topic{kind: "fault", name: string(row.Kind), doc: row.Doc, facts: []string{"brokers: " + joined(row.Brokers), "targets: " + joined(row.Targets)}}
	t.summary = row.Doc[:strings.IndexAny(row.Doc+".", ".,:")]
	for _, parameter := range row.Parameters {
		t.facts = append(t.facts, fmt.Sprintf("%s (%s): %s", parameter.Name, parameter.Need, parameter.Doc))
	}
	if row.Repeats() {
		t.facts = append(t.facts, "repeat (optional): {every: 1m, times: 10} has it come again and again; without times as often as fits before the load ends")
	}
	t.facts = append(t.facts, "proof that it bit: "+row.Proof, "proof that it is healed: "+row.Healed)
	return t
}

// sensorTopics takes the sensors out of the text of the defaults, comments and all: what is shown is what stands there,
// and can be copied into a scenario.
func sensorTopics(defaults string) []topic {
	_, section, _ := strings.Cut(defaults, "\nsensors:\n")
	var sensors []topic
	for line := range strings.Lines(section) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "  ") {
			break
		}
		if name, isName := strings.CutSuffix(strings.TrimPrefix(line, "  "), ":"); isName && !strings.HasPrefix(name, " ") {
			sensors = append(sensors, topic{
				kind: "sensor", name: name, summary: "a sensor of scenarios/defaults.yaml",
				doc: "The defaults describe it as below. A scenario changes any of it under sensors." + name + ".",
			})
		}
		last := &sensors[len(sensors)-1]
		last.sample = append(last.sample, line)
	}
	return sensors
}

func clientTopic(client producer.Kind) topic {
	return topic{
		kind: "client", name: client.Name, summary: "a client that can be put under test",
		doc:   "A scenario puts it under test with producer.kind: " + client.Name + ".",
		facts: []string{"version: " + client.Version},
	}
}

// verdictTopics are the verdicts in order of severity. The most severe of a run's parts is the run's.
func verdictTopics() []topic {
	meanings := []struct {
		verdict      assertions.Verdict
		summary, doc string
	}{
		{assertions.Pass, "every expectation holds, and there was enough to see it", "Nothing that was expected was missed, every fault had an effect that was seen, and everything in the log was read back."},
		{assertions.Inconclusive, "nothing failed, but something proves nothing", "Too few samples, a fault without effect, a generator that could not keep its schedule, or a log that could not be read to its end. No data is not a pass."},
		{assertions.Fail, "an expectation was certainly missed", "The report names the expectation, what was got, and the first offenders."},
		{assertions.Error, "the run itself went wrong", "The broker, the disk or the healing of a fault failed, or the accounts of the run contradict each other. It says nothing about the pipeline."},
	}
	var all []topic
	for _, m := range meanings {
		all = append(all, topic{
			kind: "verdict", name: m.verdict.String(), summary: m.summary, doc: m.doc,
			facts: []string{fmt.Sprintf("exit code: %d", exitOf(m.verdict))},
		})
	}
	return all
}

// is says whether the topic goes by a name: its own, in capitals or not, or for a metric one with an aggregate, or with
// the name of an anomaly or a fault in place of NAME.
func (t topic) is(name string) bool {
	if strings.EqualFold(t.name, name) {
		return true
	}
	if t.kind != "metric" {
		return false
	}
	own, parts := strings.Split(t.name, "."), strings.Split(name, ".")
	if len(parts) > len(own) && !slices.Contains(own, "NAME") {
		parts = parts[:len(own)]
	}
	return slices.EqualFunc(own, parts, func(own, part string) bool { return own == part || own == "NAME" })
}

// width is how wide explanations are written.
const width = 100

func (t topic) text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s\n\n", t.name, t.kind, t.summary)
	for _, line := range report.Wrap(t.doc, width-2) {
		fmt.Fprintf(&text, "  %s\n", line)
	}
	text.WriteString("\n")
	for _, fact := range t.facts {
		for i, line := range report.Wrap(fact, width-4) {
			fmt.Fprintf(&text, "  %*s%s\n", min(2*i, 2), "", line)
		}
	}
	for _, line := range t.sample {
		fmt.Fprintf(&text, "  %s\n", line)
	}
	return text.String()
}

// listed names everything that can be explained.
func listed(topics []topic) string {
	var text strings.Builder
	kind := ""
	for _, t := range topics {
		if t.kind != kind {
			kind = t.kind
			fmt.Fprintf(&text, "%ss\n", kind)
		}
		fmt.Fprintf(&text, "  %-*s  %s\n", nameWidth, t.name, t.summary)
	}
	return text.String()
}

// unknownTopic says what may have been meant, with or without an aggregate, and lists what there is.
func unknownTopic(name string, topics []topic) error {
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
	}
	metric, _, _ := strings.Cut(name, ".")
	near := ""
	if likeliest := cmp.Or(harness.Nearest(name, names), harness.Nearest(metric, names)); likeliest != "" {
		near = fmt.Sprintf("did you mean %s? ", likeliest)
	}
	return fmt.Errorf("explain: there is no %q; %sknown: %s", name, near, strings.Join(names, ", "))
}

// joined lists words of any type.
func joined[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}
