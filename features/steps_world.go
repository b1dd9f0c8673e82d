package features

import (
	"strconv"
	"strings"
)

// worldSteps say who takes part.
func worldSteps() []step {
	return []step{
		{
			pattern: `the scenario {string}`,
			doc:     "Begins with a scenario that is written as YAML: a shipped one by its name, or a file, seen from the feature, in the folder that is played. Later steps override it; the first step about the load replaces its whole load; expectations are added to its own.",
			example: `the scenario "quickstart"`,
			same:    "all that scenarios/quickstart.yaml says",
			do:      func(s *script, arg []string) { s.load(arg[0]) },
		},
		{
			pattern: `the settings:`,
			doc:     "Takes a doc string of YAML, for everything that has no step. It lies over what was said before: mappings are merged key by key, lists are replaced.",
			example: `the settings:`,
			same:    "the YAML of the doc string",
			takes:   true,
			do:      func(s *script, _ []string) { s.settings() },
		},
		{
			pattern: `a Kafka cluster with {int} broker(s)`,
			doc:     "Real Kafka, in Docker. Tag the scenario @docker, so that it can be left out where there is none.",
			example: `a Kafka cluster with 3 brokers`,
			same:    "broker: {kind: docker, brokers: 3}",
			do: func(s *script, arg []string) {
				s.set("broker.kind", "docker")
				s.set("broker.brokers", arg[0])
			},
		},
		{
			pattern: `an embedded broker`,
			doc:     "Kafka in the same process, with as many brokers as the defaults say. It is what a scenario has that says nothing.",
			example: `an embedded broker`,
			same:    "broker: {kind: embedded}",
			do:      func(s *script, _ []string) { s.set("broker.kind", "embedded") },
		},
		{
			pattern: `{int} embedded broker(s)`,
			doc:     "Kafka in the same process, with so many brokers.",
			example: `3 embedded brokers`,
			same:    "broker: {kind: embedded, brokers: 3}",
			do: func(s *script, arg []string) {
				s.set("broker.kind", "embedded")
				s.set("broker.brokers", arg[0])
			},
		},
		{
			pattern: `a topic {string} with {int} partition(s)[ and replication factor {int}]`,
			doc:     "The topic of the readings.",
			example: `a topic "device-data" with 24 partitions and replication factor 3`,
			same:    "topic: {name: device-data, partitions: 24, replication_factor: 3}",
			do: func(s *script, arg []string) {
				s.set("topic.name", quoted(arg[0]))
				s.set("topic.partitions", arg[1])
				s.setIf("topic.replication_factor", arg[2])
			},
		},
		{
			pattern: `the random seed {int}`,
			doc:     "Everything random follows from it.",
			example: `the random seed 42`,
			same:    "seed: 42",
			do:      func(s *script, arg []string) { s.set("seed", arg[0]) },
		},
		{
			pattern: `the clock starts at {string} and runs {int} times faster`,
			doc:     "Event time: the weather and the days that the readings follow.",
			example: `the clock starts at "2026-01-12T00:00:00Z" and runs 144 times faster`,
			same:    "clock: {start: 2026-01-12T00:00:00Z, speed: 144}",
			do: func(s *script, arg []string) {
				s.set("clock.start", quoted(arg[0]))
				s.set("clock.speed", arg[1])
			},
		},
		{
			pattern: `{int} building(s) of {int} floor(s) with {int} room(s) each`,
			doc:     "The places, over which the devices are spread evenly.",
			example: `2 buildings of 10 floors with 25 rooms each`,
			same:    "location: {buildings: 2, floors: 10, rooms: 25}",
			do: func(s *script, arg []string) {
				s.set("location.buildings", arg[0])
				s.set("location.floors", arg[1])
				s.set("location.rooms", arg[2])
			},
		},
		{
			pattern: `a fleet {string} of {int} device(s) with sensor(s) {string}[ every {duration}]`,
			doc:     "A fleet, and how often each of its devices reports. A fleet of the same name is replaced.",
			example: `a fleet "climate" of 6000 devices with sensors "temperature, humidity" every 5s`,
			same:    "fleets: [{name: climate, devices: 6000, sensors: [temperature, humidity], interval: 5s}]",
			do: func(s *script, arg []string) {
				names := list(arg[2])
				for i, name := range names {
					names[i] = quoted(name)
				}
				s.add("fleets", field{"name", quoted(arg[0])}, field{"devices", arg[1]},
					field{"sensors", "[" + strings.Join(names, ", ") + "]"}, field{"interval", arg[3]})
			},
		},
		{
			pattern: `the fleet {string} has {int} device(s)`,
			doc:     "Another size for a fleet that is there already.",
			example: `the fleet "climate" has 100 devices`,
			same:    "--set fleets.climate.devices=100",
			do:      func(s *script, arg []string) { s.set("fleets."+arg[0]+".devices", arg[1]) },
		},
		{
			pattern: `sensor {string} is normal with mean {float} and standard deviation {float}`,
			doc:     "A sensor whose readings are drawn from a normal distribution: one of the five, or one of your own.",
			example: `sensor "temperature" is normal with mean 21 and standard deviation 0.4`,
			same:    "sensors: {temperature: {kind: normal, mean: 21, stddev: 0.4}}",
			do: func(s *script, arg []string) {
				s.set("sensors."+arg[0]+".kind", "normal")
				s.set("sensors."+arg[0]+".mean", arg[1])
				s.set("sensors."+arg[0]+".stddev", arg[2])
			},
		},
		{
			pattern: `sensor {string} is on with probability {float}[, drawn every {duration}]`,
			doc:     "A switch. One of your own also needs to know how often it is drawn, in event time.",
			example: `sensor "door" is on with probability 0.3, drawn every 1m`,
			same:    "sensors: {door: {kind: switch, p: 0.3, hold: 1m}}",
			do: func(s *script, arg []string) {
				s.set("sensors."+arg[0]+".kind", "switch")
				s.set("sensors."+arg[0]+".p", arg[1])
				s.setIf("sensors."+arg[0]+".hold", arg[2])
			},
		},
		{
			pattern: `sensor {string} follows the {string} trend with gain {float}`,
			doc:     "Adds gain × trend to each reading. Trends move between -1 and 1.",
			example: `sensor "temperature" follows the "diurnal" trend with gain 3`,
			same:    "sensors: {temperature: {trends: {diurnal: 3}}}",
			do:      func(s *script, arg []string) { s.set("sensors."+arg[0]+".trends."+arg[1], arg[2]) },
		},
		{
			pattern: `the producer is {string}`,
			doc:     "The client under test, one of those at hand; sarama unless something is said.",
			example: `the producer is "sarama"`,
			same:    "producer: {kind: sarama}",
			do:      func(s *script, arg []string) { s.set("producer.kind", quoted(arg[0])) },
		},
		{
			pattern: `the producer uses acks {word}`,
			doc:     "How many replicas must have a record before the broker acknowledges it: all, 1 or 0. Anything but all needs a producer without idempotence.",
			example: `the producer uses acks all`,
			same:    "producer: {acks: all}",
			do:      func(s *script, arg []string) { s.set("producer.acks", arg[0]) },
		},
		{
			pattern: `(an idempotent producer|a producer without idempotence)`,
			doc:     "Whether a record that is sent again is stored once.",
			example: `a producer without idempotence`,
			same:    "producer: {idempotent: false}",
			do: func(s *script, arg []string) {
				s.set("producer.idempotent", strconv.FormatBool(arg[0] == "an idempotent producer"))
			},
		},
		{
			pattern: `{word} compression`,
			doc:     "none, gzip, snappy, lz4 or zstd.",
			example: `zstd compression`,
			same:    "producer: {compression: zstd}",
			do:      func(s *script, arg []string) { s.set("producer.compression", arg[0]) },
		},
		{
			pattern: `alerts are published to {string}[ with {int} partition(s)]`,
			doc:     "Readings beyond their sensor's error threshold are published a second time, to this topic.",
			example: `alerts are published to "alerts" with 6 partitions`,
			same:    "alerts: {topic: alerts, partitions: 6}",
			do: func(s *script, arg []string) {
				s.set("alerts.topic", quoted(arg[0]))
				s.setIf("alerts.partitions", arg[1])
			},
		},
	}
}

// quoted writes a text as YAML, whatever it contains.
func quoted(text string) string { return strconv.Quote(text) }
