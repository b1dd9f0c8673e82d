package harness

import (
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
)

// maxHeap bounds the heap of a broker: none needs so much, and no sum of so many can overflow.
const maxHeap = 64 << 30 // bytes

// broker checks where Kafka comes from: that the scenario says what a broker of its kind needs, and nothing that only
// others have.
func (v *validator) broker() {
	if !v.sound("broker.kind") {
		return
	}
	v.foreignFields()
	v.neededFields()
	switch v.Broker.Kind {
	case broker.Docker:
		v.dockerBroker()
	case broker.External:
		v.externalBroker()
	case broker.Embedded:
		v.from1("broker.brokers", v.Broker.Brokers, maxBrokers)
	}
}

// aBroker names a kind of broker in a sentence: a docker broker.
func aBroker(kind broker.Kind) string {
	article := "a"
	if strings.ContainsAny(string(kind[0]), "aeiou") {
		article = "an"
	}
	return fmt.Sprintf("%s %s broker", article, kind)
}

// foreignFields refuses what only brokers of another kind have. What the defaults have of it was taken out before.
func (v *validator) foreignFields() {
	for _, name := range keysOf(reflect.TypeFor[broker.Spec]()) {
		at := join("broker", name)
		if v.found[at] == nil || slices.Contains(v.Broker.Kind.Fields(), name) {
			continue
		}
		var having []string
		for _, kind := range v.Broker.Kind.Known() {
			if slices.Contains(broker.Kind(kind).Fields(), name) {
				having = append(having, kind)
			}
		}
		v.wrong(at, "has no meaning for "+aBroker(v.Broker.Kind), "remove it; brokers that have it: "+strings.Join(having, ", "))
	}
}

// neededFields wants everything that a broker of the kind has, but for settings of one's own.
func (v *validator) neededFields() {
	ways := map[string]string{
		"brokers":    "give a whole number",
		"image":      "give one that is started like apache/kafka:4.3.1",
		"heap":       "give a size, such as 512MiB",
		"bootstrap":  "give the host:port of some of its brokers: [kafka-1:9092]",
		"cluster_id": "give what the cluster must call itself, as kafka-cluster.sh cluster-id shows it",
		"prefix":     "give what the names of the run's topics begin with",
		"caps":       "give what the run may do to the cluster: {rate, bytes, duration}",
	}
	for _, name := range v.Broker.Kind.Fields() {
		at := join("broker", name)
		if way, needed := ways[name]; needed && v.found[at] == nil {
			v.check(rule{false, at, "missing", aBroker(v.Broker.Kind) + " needs it: " + way, []string{"broker.kind"}})
		}
	}
}

func (v *validator) dockerBroker() {
	spec := v.Broker
	v.check(rule{
		slices.Contains([]int{1, 3, 5}, spec.Brokers), "broker.brokers", "must be 1, 3 or 5",
		"each is a controller and a JVM too: an even number survives no more failures than one fewer, and more than five starve a machine", nil,
	})
	if strings.TrimSpace(spec.Image) == "" {
		v.wrong("broker.image", "must not be empty", "name one that is started like apache/kafka:4.3.1")
	}
	v.check(rule{
		spec.Heap >= broker.MinimumHeap && spec.Heap <= maxHeap, "broker.heap",
		fmt.Sprintf("must be between %s and %s", producer.Size(broker.MinimumHeap), producer.Size(maxHeap)), "", nil,
	})
	for _, name := range slices.Sorted(maps.Keys(spec.Config)) {
		at := join("broker.config", name)
		if err := broker.CheckConfig(map[string]string{name: spec.Config[name]}); err != nil {
			v.wrong(at, err.Error(), "remove it")
		} else if reason := overruled(name); reason != "" {
			v.wrong(at, "has no effect on the run's topics: "+reason, "remove it")
		}
	}
}

// overruled says what decides in place of a setting of the brokers when the run creates its topics; empty: nothing does.
func overruled(setting string) string {
	switch setting {
	case "min.insync.replicas":
		return "topic.min_insync_replicas decides"
	case "num.partitions":
		return "topic.partitions decides"
	case "default.replication.factor":
		return "topic.replication_factor decides"
	case "log.retention.ms", "log.retention.minutes", "log.retention.hours", "log.retention.bytes":
		return "every record is kept until it was read back"
	case "log.message.timestamp.before.max.ms", "log.message.timestamp.after.max.ms":
		return "records carry event times, which may be of any age"
	default:
		return ""
	}
}

// runID stands for the identity of a run, of which only the length is known before.
const runID = "0123456789abcdef"

func (v *validator) externalBroker() {
	spec := v.Broker
	if at := "broker.bootstrap"; v.found[at] != nil && len(spec.Bootstrap) == 0 {
		v.wrong(at, "must name some broker of the cluster", "write [kafka-1:9092]")
	}
	for i, address := range spec.Bootstrap {
		host, port, err := net.SplitHostPort(address)
		number, bad := strconv.ParseUint(port, 10, 16)
		v.check(rule{
			err == nil && host != "" && bad == nil && number > 0, index("broker.bootstrap", i), "must be the host:port of a broker",
			"such as kafka-1:9092", nil,
		})
	}
	if strings.TrimSpace(spec.ClusterID) == "" {
		v.wrong("broker.cluster_id", "must not be empty", "kafka-cluster.sh cluster-id shows what to write")
	}
	spec.Run = runID
	length := 0
	for _, topic := range v.topics() {
		length = max(length, len(spec.TopicName(topic.Name)))
	}
	v.check(
		rule{
			length <= broker.MaxTopicName, "broker.prefix",
			fmt.Sprintf("must leave the names of topics at most %d characters long: prefix, run and name make %d", broker.MaxTopicName, length), "",
			[]string{"topic.name", "alerts"},
		},
		rule{
			spec.Prefix != "" && broker.LegalTopicName(spec.Prefix+"x"), "broker.prefix", "must be letters, digits, dots, dashes and underscores", "",
			nil,
		},
	)
	if spec.Caps != nil {
		v.check(rule{spec.Caps.Bytes >= 1, "broker.caps.bytes", "must be at least 1B", "", nil})
		v.between("broker.caps.duration", spec.Caps.Duration, time.Millisecond, longest)
	}
}

// caps holds what is planned against what the owner of an external cluster allows.
func (v *validator) caps() {
	limits := v.Broker.Caps
	if limits == nil || v.Broker.Kind != broker.External || !v.sound("broker.caps", "load", "fleets", "delivery", "alerts") {
		return
	}
	excessive := func(field string, excess []string) {
		for _, text := range excess {
			v.wrong(join("broker.caps", field), "the plan is "+text, "plan for less, or ask the owner of the cluster for more")
		}
	}
	own := v.ownPace()
	excessive("rate", limits.Exceeded(v.busiest(), own, 0, 0))
	if v.sound("seed", "clock", "location", "sensors", "trends", "anomalies") {
		excessive("bytes", limits.Exceeded(0, own, v.payload(generator.New(v.Generator())), 0))
	}
	excessive("duration", limits.Exceeded(0, own, 0, v.Load.length()))
}
