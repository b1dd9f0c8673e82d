package harness

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/scenarios"
)

// minimal is a scenario that says no more than it must, on lines of its own for tests to change.
const minimal = `version: 1
name: minimal
seed: 1
fleets:
  - {name: climate, devices: 3, interval: 1s, sensors: [temperature]}
load:
  stages:
    - {name: hold, for: 10s, rate: 100/s}
`

// everything says all that can be said with an embedded broker; the others say what theirs have.
const (
	everything = "../testdata/scenarios/everything.yaml"
	docker     = "../testdata/scenarios/docker.yaml"
	external   = "../testdata/scenarios/external.yaml"
)

func loadEverything(t *testing.T) (*Resolved, string) {
	t.Helper()
	text, err := os.ReadFile(everything)
	require.NoError(t, err)
	resolved, err := Parse("everything.yaml", text, Overrides{})
	require.NoError(t, err)
	return resolved, string(text)
}

func ptr[T any](v T) *T { return &v }

func TestParseReadsEveryKey(t *testing.T) {
	r, _ := loadEverything(t)
	assert.Equal(t, "everything.yaml", r.File)
	assert.Equal(t, uint64(18446744073709551615), r.Seed)
	assert.Equal(t, "Every key of the language, over two lines.\n", r.Description)
	assert.Equal(t, time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), r.Clock.Start)
	assert.InDelta(t, 0.125, float64(r.Fleets[0].Jitter), 0)
	assert.Equal(t, 19*time.Hour+30*time.Minute, r.Trends.Usage.Close)
	assert.Equal(t, generator.Stage{
		Name: "warmup", For: 2 * time.Second, Rate: generator.Rate{PerSecond: 10}, Ramp: generator.RampNone,
	}, r.Load.Stages[0])
	assert.Equal(t, generator.Anomaly{
		Name: "leak", At: 2 * time.Second, For: ptr(2 * time.Second),
		Where:  generator.Where{Fleet: "climate", Devices: 0.5},
		Sensor: "co2", Do: generator.Drift, Rate: 1, By: &generator.Change{Amount: -2.5, PerSecond: true},
	}, r.Anomalies[2])
	assert.Equal(t, ptr(50*time.Millisecond), r.Faults[0].Jitter)
	assert.Equal(t, "leader of readings/3", r.Faults[1].Target.String())
	assert.Equal(t, 1<<30, int(r.Oracle.LedgerMemory))
	assert.Equal(t, generator.Sensor{
		Kind: generator.Normal, Unit: "°C", Mean: ptr(21.), Stddev: ptr(5.),
		Thresholds: generator.Thresholds{Min: ptr(-10.), Max: ptr(60.), Warning: ptr(40.), Error: ptr(50.)},
		Trends:     map[string]float64{"diurnal": 3, "weather": -1.5},
	}, r.Sensors["temperature"], "a sensor is laid over its default")
	assert.Equal(t, []assertions.Stated{
		{Text: "promised", Origin: "everything.yaml:76"},
		{Text: "acked_lost == 0", Origin: "everything.yaml:77"},
		{Text: "ack_latency.p99.9 < 250ms within 1s after fault slow", Origin: "everything.yaml:78"},
	}, r.Stated)
}

// TestEverythingSaysEverything keeps the scenario of that name, and with it the tests that use it, complete, but for what
// only other brokers have: that is in their own.
func TestEverythingSaysEverything(t *testing.T) {
	var roots []*node
	for _, file := range []string{everything, docker, external} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		roots = append(roots, parse(file, text, &collector{}))
	}
	var missing func(typ reflect.Type, nodes []*node, path string) []string
	missing = func(typ reflect.Type, nodes []*node, path string) (paths []string) {
		switch {
		case typ.Kind() == reflect.Pointer:
			return missing(typ.Elem(), nodes, path)
		case typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map:
			var items []*node
			for _, n := range nodes {
				items = append(items, n.items...)
				for _, f := range n.fields {
					items = append(items, f.value)
				}
			}
			return missing(typ.Elem(), items, path)
		case typ.Kind() != reflect.Struct || len(nodes) > 0 && nodes[0].kind == scalar:
			return nil
		}
		for _, name := range keysOf(typ) {
			field, _ := typ.FieldByNameFunc(func(f string) bool {
				sf, _ := typ.FieldByName(f)
				return key(sf) == name
			})
			var values []*node
			for _, n := range nodes {
				if value := n.get(name); value != nil {
					values = append(values, value)
				}
			}
			if len(values) == 0 {
				paths = append(paths, join(path, name))
				continue
			}
			paths = append(paths, missing(field.Type, values, join(path, name))...)
		}
		return paths
	}
	// Where the defaults are wanted, the tests of the defaults look at them.
	assert.Equal(t, []string{"alerts.partitions", "sensors.thresholds.max", "sensors.thresholds.error"},
		missing(reflect.TypeFor[Scenario](), roots, ""))
}

func TestDerivedParts(t *testing.T) {
	r, _ := loadEverything(t)
	alarms := broker.Topic{Name: "alarms", Partitions: 6, ReplicationFactor: 2, MinInsyncReplicas: 1}
	assert.Equal(t, []broker.Topic{r.Topic, alarms}, r.topics())
	assert.Equal(t, alarms, r.alertsTopic())
	assert.Equal(t, 10*time.Second, r.Load.length())
	assert.InDelta(t, 60./3+8/0.5, r.ownPace(), 1e-9)
	assert.Equal(t, assertions.Setting{
		Acks: "1", Partitioner: "failover", ReplicationFactor: 2, MinInsyncReplicas: 1, Faults: true, Alerts: true, Rescan: true,
	}, r.Setting())
	assert.Equal(t, generator.Spec{
		Seed: r.Seed, Clock: r.Clock, Location: r.Location, Fleets: r.Fleets, Sensors: r.Sensors, Trends: r.Trends,
		Delivery: r.Delivery, Anomalies: r.Anomalies, Stages: r.Load.Stages, Encoding: generator.Protobuf,
	}, r.Generator())

	small, err := Parse("x.yaml", []byte(minimal), Overrides{})
	require.NoError(t, err)
	assert.Equal(t, []broker.Topic{small.Topic}, small.topics())
	assert.Equal(t, []assertions.Stated{{Text: "promised", Origin: "scenarios/defaults.yaml:" + strconv.Itoa(small.found["expect[0]"].origin.line)}}, small.Stated)
}

// TestTheFiveSensorsHaveTheFiguresOfTheSeed pins what the product was asked for.
func TestTheFiveSensorsHaveTheFiguresOfTheSeed(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{})
	require.NoError(t, err)
	normal := func(unit string, mean, stddev, low, high, warning, alarm float64) generator.Sensor {
		return generator.Sensor{
			Kind: generator.Normal, Unit: unit, Mean: &mean, Stddev: &stddev,
			Thresholds: generator.Thresholds{Min: &low, Max: &high, Warning: &warning, Error: &alarm},
		}
	}
	want := map[string]generator.Sensor{
		"temperature": normal("°C", 25, 5, -10, 60, 45, 50),
		"humidity":    normal("%", 60, 10, 0, 100, 30, 20),
		"pressure":    normal("hPa", 1013, 20, 950, 1050, 1030, 1040),
		"switch":      {Kind: generator.Switch, P: ptr(0.8), Hold: ptr(time.Minute)},
		"current":     normal("A", 2.5, 0.5, 0, 10, 6, 8),
	}
	assert.Empty(t, cmp.Diff(want, r.Sensors))
}

// TestNoOtherDefaultExists takes each value out of defaults.yaml: then it must be missing, or absent where its type says
// that it may be. Nothing else may supply it.
func TestNoOtherDefaultExists(t *testing.T) {
	text, err := scenarios.Files.ReadFile("defaults.yaml")
	require.NoError(t, err)
	scenario := strings.NewReplacer("seed: 1\n", "", "interval: 1s, ", "").Replace(minimal) + "alerts: {}\nanomalies: [{name: a, do: stuck}]\nfaults: [{name: f, at: 1s, for: 1s, do: cut, target: all}]\n"
	kinds := map[string]string{"broker.image": "docker", "broker.heap": "docker", "broker.prefix": "external"}
	resolveAs := func(kind string, defaults []byte) (*Resolved, error) {
		text := scenario
		switch kind {
		case "docker":
			text = minimal + "broker: {kind: docker}\n"
		case "external":
			text = minimal + "broker: {kind: external, bootstrap: [kafka-1:9092], cluster_id: abc, caps: {rate: 1000/s, bytes: 1MiB, duration: 1m}}\n"
		}
		return resolve("x.yaml", []byte(text), defaults, Overrides{})
	}
	items := map[string]string{
		"each.fleets.*": "fleets[0]", "each.load.stages.*": "load.stages[0]", "each.faults.*": "faults[0]",
		"each.anomalies.*": "anomalies[0]", "each.alerts": "alerts",
	}
	var absent, leaves []string
	parse(defaultsFile, text, &collector{}).walk("", func(path string, n *node) {
		if n.kind == scalar && !strings.Contains(path, "[") || n.kind == list {
			leaves = append(leaves, path)
		}
	})
	require.Greater(t, len(leaves), 60)
	for _, leaf := range leaves {
		defaults := parse(defaultsFile, text, &collector{})
		remove(defaults, leaf)
		path := leaf
		for section, item := range items {
			if rest, found := strings.CutPrefix(leaf, section+"."); found {
				path = item + "." + rest
			}
		}
		whole, err := resolveAs(kinds[path], text)
		require.NoError(t, err)
		require.NotNil(t, whole.found[path], "%s has no default at %s", path, leaf)
		got, err := resolveAs(kinds[path], toYAML(defaults))
		if err != nil {
			var mistakes Mistakes
			require.ErrorAs(t, err, &mistakes)
			require.Equal(t, path, mistakes[0].Path, leaf)
			require.Equal(t, "missing", mistakes[0].Problem, leaf)
			continue
		}
		require.Nil(t, got.found[path], leaf)
		absent = append(absent, leaf)
	}
	assert.Equal(t, []string{
		"sensors.temperature.unit",
		"sensors.temperature.thresholds.min", "sensors.temperature.thresholds.max",
		"sensors.temperature.thresholds.warning", "sensors.temperature.thresholds.error",
		"sensors.humidity.unit",
		"sensors.humidity.thresholds.min", "sensors.humidity.thresholds.max",
		"sensors.humidity.thresholds.warning", "sensors.humidity.thresholds.error",
		"sensors.pressure.unit",
		"sensors.pressure.thresholds.min", "sensors.pressure.thresholds.max",
		"sensors.pressure.thresholds.warning", "sensors.pressure.thresholds.error",
		"sensors.current.unit",
		"sensors.current.thresholds.min", "sensors.current.thresholds.max",
		"sensors.current.thresholds.warning", "sensors.current.thresholds.error",
		"trends.load.points", "expect",
	}, absent, "what a scenario can do without")
}

// TestNothingIsSuppliedWithoutDefaults lists what a scenario must say when defaults.yaml says nothing.
func TestNothingIsSuppliedWithoutDefaults(t *testing.T) {
	_, err := resolve("x.yaml", []byte(minimal), []byte("{}"), Overrides{Expect: []string{"promised"}})
	var mistakes Mistakes
	require.ErrorAs(t, err, &mistakes)
	var paths []string
	for _, mistake := range mistakes {
		assert.Equal(t, "x.yaml", mistake.File)
		paths = append(paths, mistake.Path)
	}
	assert.Equal(t, []string{
		"clock.start", "clock.speed", "broker.kind",
		"topic.name", "topic.partitions", "topic.replication_factor", "topic.min_insync_replicas",
		"producer.acks", "producer.idempotent", "producer.compression", "producer.partitioner",
		"producer.batch.bytes", "producer.batch.linger", "producer.max_in_flight",
		"producer.retry.max", "producer.retry.backoff",
		"producer.timeout.dial", "producer.timeout.read", "producer.timeout.request", "producer.encoding",
		"location.buildings", "location.floors", "location.rooms",
		"trends.diurnal.peak", "trends.seasonal.peak", "trends.weather.grid", "trends.weather.correlation",
		"trends.usage.open", "trends.usage.close",
		"delivery.missing", "delivery.duplicate", "delivery.late.rate", "delivery.late.by",
		"oracle.rescan", "oracle.start_timeout", "oracle.drain_timeout", "oracle.read_timeout", "oracle.heal_timeout",
		"oracle.ledger_memory", "oracle.achieved_floor", "oracle.lag_limit", "oracle.stall_limit", "oracle.slope_length",
		"producer.kind",
		"fleets[0].jitter", "fleets[0].sensors[0]", "load.stages[0].ramp", "load.stages[0].judged",
	}, paths)
}

// remove takes a value out of a tree.
func remove(root *node, path string) {
	parts := strings.Split(path, ".")
	n := root
	for i := 0; i < len(parts); i++ {
		for j, f := range n.fields {
			if rest := strings.Join(parts[i:], "."); f.key == rest {
				n.fields = append(n.fields[:j], n.fields[j+1:]...)
				return
			} else if strings.HasPrefix(rest, f.key+".") {
				n = f.value
				i += strings.Count(f.key, ".")
				break
			}
		}
	}
}

// TestResolvedScenariosNeedNoDefaults loads what was resolved again, over nothing.
func TestResolvedScenariosNeedNoDefaults(t *testing.T) {
	again := func(t *testing.T, r *Resolved, overrides Overrides) {
		t.Helper()
		got, err := resolve("again.yaml", r.YAML(), []byte("{}"), overrides)
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(r.Scenario, got.Scenario))
		assert.Equal(t, strings.ReplaceAll(string(r.YAML()), r.File, "again.yaml"), string(got.YAML()))
	}
	for _, name := range append(Shipped(), docker, external) {
		t.Run(strings.TrimPrefix(name, "../testdata/scenarios/"), func(t *testing.T) {
			r, err := Load(name, Overrides{})
			require.NoError(t, err)
			again(t, r, Overrides{})
		})
	}
	t.Run("everything", func(t *testing.T) {
		r, _ := loadEverything(t)
		again(t, r, Overrides{})
	})
	t.Run("environment and overrides", func(t *testing.T) {
		env := Overrides{Env: func(name string) (string, bool) {
			value, found := map[string]string{"DEVICES": "7", "TOPIC": "secret-topic"}[name]
			return value, found
		}}
		overrides := Overrides{
			Env:    env.Env,
			Set:    []string{"fleets.climate.devices=${env:DEVICES}", "topic.name=${env:TOPIC}", "tags=[a,b]", "description='a: b'"},
			Expect: []string{"acked_lost == 0"},
		}
		r, err := Parse("x.yaml", []byte(minimal), overrides)
		require.NoError(t, err)
		assert.Equal(t, 7, r.Fleets[0].Devices)
		assert.Equal(t, "secret-topic", r.Topic.Name)
		again(t, r, env)
	})
}

func TestReplicationYieldsToTheNumberOfBrokers(t *testing.T) {
	for _, test := range []struct {
		set               []string
		factor, minInsync int
	}{
		{nil, 3, 2},
		{[]string{"broker.brokers=1"}, 1, 1},
		{[]string{"broker.brokers=2"}, 2, 2},
		{[]string{"broker.brokers=5"}, 3, 2},
		{[]string{"topic.replication_factor=1"}, 1, 1},
		{[]string{"topic.min_insync_replicas=1"}, 3, 1},
	} {
		r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: test.set})
		require.NoError(t, err)
		assert.Equal(t, test.factor, r.Topic.ReplicationFactor, "%v", test.set)
		assert.Equal(t, test.minInsync, r.Topic.MinInsyncReplicas, "%v", test.set)
	}
	_, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{"topic.replication_factor=up to 3"}})
	assert.ErrorContains(t, err, `want a whole number, got "up to 3"`, "only the defaults yield")
}

func TestLoadFindsScenarios(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "own.yaml")
	require.NoError(t, os.WriteFile(file, []byte(minimal), 0o644))
	r, err := Load(file, Overrides{})
	require.NoError(t, err)
	assert.Equal(t, file, r.File)

	r, err = Load("quickstart", Overrides{})
	require.NoError(t, err)
	assert.Equal(t, "scenarios/quickstart.yaml", r.File)

	t.Chdir(folder)
	require.NoError(t, os.WriteFile("bare", []byte(minimal), 0o644))
	r, err = Load("bare", Overrides{})
	require.NoError(t, err)
	assert.Equal(t, "bare", r.File)

	defaults, err := readDefaults()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("defaults.yaml", defaults, 0o644))
	require.NoError(t, os.WriteFile("huge.yaml", []byte(strings.Repeat("# ten megabytes\n", 10<<20/16)), 0o644))
	for name, want := range map[string]string{
		"quikstart":                 "quikstart: is neither a file nor a shipped scenario (did you mean quickstart? known: " + strings.Join(Shipped(), ", ") + ")",
		"defaults":                  "defaults: is neither a file nor a shipped scenario (known: " + strings.Join(Shipped(), ", ") + ")",
		"defaults.yaml":             "defaults.yaml:1:1: is no scenario: these are the defaults, which lie under every one (leave it out)",
		"gone.yaml":                 "gone.yaml: cannot be read: no such file or directory",
		"scenarios/quickstart.yaml": "scenarios/quickstart.yaml: cannot be read: no such file or directory (the shipped scenario is run by its bare name: quickstart)",
		"./":                        "./: cannot be read: is a directory",
		"huge.yaml":                 "huge.yaml:1:1: is larger than 1 MiB (a scenario is a page or two of YAML)",
	} {
		_, err := Load(name, Overrides{})
		var mistakes Mistakes
		require.ErrorAs(t, err, &mistakes)
		require.EqualError(t, mistakes, want)
	}
}

func TestShippedScenariosIntroduceThemselves(t *testing.T) {
	assert.Equal(t, []string{
		"acks-one-loses", "anomaly-burst", "broker-crash-embedded", "broker-isolated", "five-sensors", "fleet-10000",
		"kafka-smoke", "known-bad", "leader-crash", "leader-election", "leader-pause", "lost-acks", "lost-acks-at-least-once",
		"overload", "partition-growth", "quickstart", "rolling-restart", "slow-network", "slow-network-docker",
		"soak", "truncation", "under-min-isr",
	}, Shipped())
	for _, name := range Shipped() {
		text, err := scenarios.Files.ReadFile(name + ".yaml")
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(text), "# Proves: "), name)
		assert.Contains(t, string(text), "\n# yaml-language-server: $schema=schema.json\nversion: 1\n", name)
		r, err := Load(name, Overrides{})
		require.NoError(t, err)
		assert.Equal(t, name, r.Name)
		if !slices.Contains(r.Tags, "soak") {
			assert.LessOrEqual(t, r.Load.length(), 95*time.Second, "%s: two minutes with the start of brokers and a second reading", name)
		}
		real := r.Broker.Kind == broker.Docker
		assert.Equal(t, real, slices.Contains(r.Tags, "docker"), name)
		assert.False(t, real && r.Load.Stages[0].Judged, "%s: a JVM is slow at first", name)
		assert.Equal(t, "promised", r.Expect[0], name)
		assert.Greater(t, len(r.Expect), 2, name)
	}
}

func TestClient(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal+"producer: {kind: \"${env:CLIENT}\"}\n"), Overrides{
		Env: func(string) (string, bool) { return "second", true },
	})
	require.NoError(t, err)
	kinds := []producer.Kind{{Name: "first", Version: "v1"}, {Name: "second", Version: "v2"}, {Name: "second", Version: "v3"}}
	got, err := r.Client(kinds)
	require.NoError(t, err)
	assert.Equal(t, "v2", got.Version, "the first of its name")

	_, err = r.Client(kinds[:1])
	line := 1 + strings.Count(minimal, "\n")
	want := Mistakes{{
		File: "x.yaml", Line: line, Column: 18, Path: "producer.kind", Problem: "unknown client \"${env:CLIENT}\"", Remedy: "known: first",
	}}
	assert.Equal(t, want, err)
	_, err = Run(t.Context(), r, Options{Producers: kinds[:1]})
	assert.Equal(t, want, err, "nothing was started")
}
