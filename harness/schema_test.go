package harness

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	validation "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/scenarios"
)

const schemaFile = "../scenarios/schema.json"

func TestSchemaIsGeneratedFromTheTypes(t *testing.T) {
	schema := generateSchema(t)
	if os.Getenv("FLEETPROOF_UPDATE") != "" {
		require.NoError(t, os.WriteFile(schemaFile, schema, 0o644))
	}
	stored, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(schema), string(stored), "the types have changed: FLEETPROOF_UPDATE=1 go test ./harness")
}

func TestEveryShippedScenarioKeepsToTheSchema(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range Shipped() {
		text, err := scenarios.Files.ReadFile(name + ".yaml")
		require.NoError(t, err)
		assert.NoError(t, schema.Validate(instance(t, string(text))), name)
	}
}

func TestResolvedScenariosKeepToTheSchema(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range Shipped() {
		scenario, err := Load(name, Overrides{})
		require.NoError(t, err)
		assert.NoError(t, schema.Validate(instance(t, string(scenario.YAML()))), name)
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	good := minimal
	require.NoError(t, schema.Validate(instance(t, good)))
	for name, change := range map[string][2]string{
		"unknown key":          {"seed: 1", "sed: 1"},
		"unknown key in item":  {"devices: 3", "device: 3"},
		"missing key":          {"devices: 3, ", ""},
		"no fleet":             {"fleets:", "tags:"},
		"duration, no unit":    {"for: 10s", "for: 10"},
		"rate, no unit":        {"rate: 100/s", "rate: 100"},
		"fraction of a device": {"devices: 3", "devices: 3.5"},
		"text for a number":    {"devices: 3", "devices: many"},
		"unknown fault":        {"seed: 1", "faults: [{name: f, at: 1s, for: 1s, do: latncy, target: all}]"},
		"unknown target":       {"seed: 1", "faults: [{name: f, at: 1s, for: 1s, do: cut, target: brokr 2}]"},
		"unknown trend":        {"seed: 1", "sensors: {temperature: {trends: {dirunal: 1}}}"},
		"sensor without kind":  {"seed: 1", "sensors: {co2: {mean: 400, stddev: 5}}"},
		"wrong size":           {"seed: 1", "producer: {batch: {bytes: 16KB}}"},
		"wrong enumeration":    {"seed: 1", "producer: {acks: some}"},
		"share as a fraction":  {"seed: 1", "delivery: {missing: 0.01}"},
	} {
		require.Contains(t, good, change[0], name)
		text := strings.Replace(good, change[0], change[1], 1)
		require.Error(t, schema.Validate(instance(t, text)), name)
		_, err := Parse("x.yaml", []byte(text), Overrides{})
		require.Error(t, err, "%s: what the schema refuses, loading refuses", name)
	}
	for name, change := range map[string][2]string{
		"number from the environment":  {"devices: 3", `devices: "${env:DEVICES:-5}"`},
		"unit from the environment":    {"for: 10s", `for: "${env:SECONDS:-10}s"`},
		"choice from the environment":  {"seed: 1", "producer: {acks: \"${env:ACKS:-all}\"}"},
		"boolean from the environment": {"seed: 1", "oracle: {rescan: \"${env:RESCAN:-true}\"}"},
		"acks as a number":             {"seed: 1", "producer: {acks: 1, idempotent: false}"},
		"sensor of one's own":          {"seed: 1", "sensors: {co2: {kind: normal, mean: 400, stddev: 5}}"},
	} {
		require.Contains(t, good, change[0], name)
		text := strings.Replace(good, change[0], change[1], 1)
		require.NoError(t, schema.Validate(instance(t, text)), name)
		_, err := Parse("x.yaml", []byte(text), Overrides{})
		assert.NoError(t, err, name)
	}
}

// TestSchemaPatternsAgreeWithTheTypes holds each pattern against the type that reads the notation.
func TestSchemaPatternsAgreeWithTheTypes(t *testing.T) {
	texts := []string{
		"", "0", "7", "-7", "1.5", "1e3", "x", "1%", "0%", "100%", "0.5%", "-1%", "5 %", "%", "1%%",
		"30000/s", "0.5/s", "600/min", "20x", "1.5x", "/s", "x20", "5/h", "2/s", "-4/s",
		"16KiB", "1MiB", "2GiB", "512B", "16KB", "1.5KiB", "B", "-1B",
		"all", "controller", "broker 2", "broker 0", "broker 02", "broker", "broker x", "leader of device-data/0", "leader of /0", "leader of a.b_c-d/23", "leader of t/-1",
		"leader of t/01", "leader of t", "every", "t/0", "t/-1", "t/00", "t/0/0", "/0", "a b",
		"200ms", "5s", "1m30s", "1h", "1.5s", "10us", "3ns", "5sec", "5 s", "s", "1d",
		"2026-01-12T00:00:00Z", "2026-01-12T00:00:00+01:00", "2026-01-12T00:00:00.5Z", "2026-01-12", "2026-01-12 00:00:00",
	}
	for typ, notation := range notations() {
		pattern := regexp.MustCompile(notation.pattern)
		for _, example := range notation.examples {
			assert.Regexp(t, pattern, example, typ)
		}
		for _, text := range slices.Concat(texts, notation.examples) {
			n := &node{text: text, shown: text}
			d := &decoder{collector: &collector{}, found: map[string]*node{}, unsound: newDamage()}
			d.decode(n, reflect.New(typ).Elem(), "x")
			assert.Equal(t, len(d.mistakes) == 0, pattern.MatchString(text), "%s %q: %v", typ, text, d.mistakes)
		}
	}
}

// TestSchemaDescribesEveryKey lets an editor explain each key of the language.
func TestSchemaDescribesEveryKey(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(scenarios.Schema, &schema))
	var visit func(path string, s map[string]any)
	visit = func(path string, s map[string]any) {
		if properties, found := s["properties"].(map[string]any); found {
			for _, name := range slices.Sorted(maps.Keys(properties)) {
				property := properties[name].(map[string]any)
				assert.NotEmpty(t, property["description"], join(path, name))
				visit(join(path, name), property)
			}
		}
		if items, found := s["items"].(map[string]any); found {
			visit(path, items)
		}
	}
	visit("", schema)
	visit("sensors.*", schema["$defs"].(map[string]any)["sensors"].(map[string]any))
}

func compileSchema(t *testing.T) *validation.Schema {
	t.Helper()
	document, err := validation.UnmarshalJSON(bytes.NewReader(scenarios.Schema))
	require.NoError(t, err)
	compiler := validation.NewCompiler()
	require.NoError(t, compiler.AddResource("schema.json", document))
	schema, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

// instance is a YAML text as a JSON value.
func instance(t *testing.T, text string) any {
	t.Helper()
	c := &collector{}
	root := parse("x.yaml", []byte(text), c)
	require.Empty(t, c.mistakes)
	var value func(n *node) any
	value = func(n *node) any {
		switch n.kind {
		case mapping:
			fields := map[string]any{}
			for _, f := range n.fields {
				fields[f.key] = value(f.value)
			}
			return fields
		case list:
			items := []any{}
			for _, item := range n.items {
				items = append(items, value(item))
			}
			return items
		default:
			return plain(n)
		}
	}
	return value(root)
}
