package harness

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/generator"
	"github.com/fleetproof/fleetproof/harness/fault"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/scenarios"
)

// The JSON Schema of scenario files is generated here, from the Go types, their comments, their enumerations and
// defaults.yaml, because only a checkout has the comments. The program carries the generated file.

// notation is how a type is written that YAML does not know.
type notation struct {
	pattern  string
	examples []string
	number   bool // a plain number is one too
}

func notations() map[reflect.Type]notation {
	const number = `[0-9]+(\.[0-9]+)?([eE][0-9]+)?`
	const above0 = `(0*\.0*[1-9][0-9]*|0*[1-9][0-9]*(\.[0-9]+)?)([eE][0-9]+)?`
	return map[reflect.Type]notation{
		reflect.TypeFor[time.Duration]():    {`^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, []string{"200ms", "5s", "1m30s"}, false},
		reflect.TypeFor[time.Time]():        {`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`, []string{"2026-01-12T00:00:00Z"}, false},
		reflect.TypeFor[generator.Share]():  {`^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$`, []string{"1%", "0.5%"}, false},
		reflect.TypeFor[generator.Rate]():   {`^` + above0 + `(/s|/min|x)$`, []string{"5000/s", "600/min", "2x"}, false},
		reflect.TypeFor[generator.Change](): {`^-?` + number + `(/s)?$`, []string{"9.5", "2/s"}, true},
		reflect.TypeFor[producer.Size]():    {`^[0-9]+(B|KiB|MiB|GiB)$`, []string{"16KiB", "1MiB"}, false},
		reflect.TypeFor[fault.Target](): {
			`^(broker [1-9][0-9]*|(leader of )?[a-zA-Z0-9._-]+/(0|[1-9][0-9]*)|[a-zA-Z0-9._-]+)$`, // all and controller look like topics
			[]string{"broker 2", "leader of device-data/0", "controller", "device-data/0", "device-data", "all"}, false,
		},
		reflect.TypeFor[fault.Rate](): {`^` + above0 + `(/s|/min|%)$`, []string{"3/s", "30/min", "10%"}, false},
	}
}

// schemaMaker turns what the reflector makes of the types into the schema of a file.
type schemaMaker struct {
	comments  map[string]string // of types, fields and constants, by their full Go names
	constants map[string]string // of the members of an enumeration: type name and value
	defaults  *node
	each      *node
	items     map[string]*jsonschema.Schema // of mappings of named things
}

func generateSchema(t *testing.T) []byte {
	t.Helper()
	text, err := scenarios.Files.ReadFile("defaults.yaml")
	require.NoError(t, err)
	defaults := parse(defaultsFile, text, &collector{})
	m := &schemaMaker{constants: map[string]string{}, defaults: defaults, each: defaults.get("each"), items: map[string]*jsonschema.Schema{}}
	reflector := &jsonschema.Reflector{
		FieldNameTag: "yaml", DoNotReference: true, RequiredFromJSONSchemaTags: true, Anonymous: true, Mapper: m.scalar,
	}
	for _, folder := range []string{".", "./broker", "./fault", "../generator", "../producer"} {
		require.NoError(t, reflector.AddGoComments("github.com/fleetproof/fleetproof/harness", folder, jsonschema.WithFullComment()))
		require.NoError(t, m.readConstants(folder))
	}
	m.comments = reflector.CommentMap
	schema := reflector.Reflect(&Scenario{})
	m.finish(schema, reflect.TypeFor[Scenario](), defaults, "")
	schema.Title = "fleetproof scenario"
	schema.Definitions = jsonschema.Definitions{
		"environment": {
			Type: "string", Pattern: reference.String(), Title: "from the environment",
			Description: "A value, or part of one, from the environment: ${env:NAME} or ${env:NAME:-fallback}.",
		},
	}
	maps.Copy(schema.Definitions, m.items)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(schema))
	return out.Bytes()
}

// scalar describes the types that are single values in YAML and more than that in Go.
func (m *schemaMaker) scalar(t reflect.Type) *jsonschema.Schema {
	if n, found := notations()[t]; found {
		text := &jsonschema.Schema{Type: "string", Pattern: n.pattern}
		for _, example := range n.examples {
			text.Examples = append(text.Examples, example)
		}
		if n.number {
			return or(&jsonschema.Schema{Type: "number"}, text)
		}
		return or(text)
	}
	if choice, found := reflect.Zero(t).Interface().(enumeration); found {
		var members []*jsonschema.Schema
		for _, value := range choice.Known() {
			members = append(members, &jsonschema.Schema{Const: value, Description: m.constants[t.String()+" "+value]})
			if number, err := strconv.Atoi(value); err == nil {
				members = append(members, &jsonschema.Schema{Const: number}) // as YAML reads acks: 1
			}
		}
		return or(members...)
	}
	switch t.Kind() {
	case reflect.Bool:
		return or(&jsonschema.Schema{Type: "boolean"})
	case reflect.Float64:
		return or(&jsonschema.Schema{Type: "number"})
	case reflect.Uint64:
		return or(&jsonschema.Schema{Type: "integer", Minimum: "0"})
	case reflect.Int:
		return or(&jsonschema.Schema{Type: "integer"})
	default:
		return nil
	}
}

// or allows a reference to the environment beside other values.
func or(values ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: append(values, &jsonschema.Schema{Ref: "#/$defs/environment"})}
}

// finish adds what the reflector cannot know: which keys a file must have, what their defaults are, and descriptions.
// under is what the defaults have for the value.
func (m *schemaMaker) finish(s *jsonschema.Schema, t reflect.Type, under *node, path string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		m.named(s, t.Elem(), path)
	case t == reflect.TypeFor[map[string]string](): // settings of somebody else's: a boolean or a number is a text too
		s.AdditionalProperties = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	case t.Kind() == reflect.Map:
		s.Properties = jsonschema.NewProperties()
		for _, trend := range generator.TrendNames() {
			gain := *s.AdditionalProperties
			gain.Description = "gain of the trend " + trend
			s.Properties.Set(trend, &gain)
		}
		s.AdditionalProperties = jsonschema.FalseSchema
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		m.finish(s.Items, t.Elem(), m.each.get(join(path, "*")), join(path, "*"))
	case s.Properties != nil:
		m.structure(s, t, under, path)
	}
}

func (m *schemaMaker) structure(s *jsonschema.Schema, t reflect.Type, under *node, path string) {
	for _, f := range reflect.VisibleFields(t) {
		name := key(f)
		if name == "" {
			continue
		}
		property, _ := s.Properties.Get(name)
		property.Description = cmp.Or(property.Description, m.comments[full(f.Type)], m.comments[full(t)])
		property.Description = strings.Join(strings.Fields(property.Description), " ")
		own, fallback := join(path, name), m.each.get(join(path, name))
		if under != nil && fallback == nil {
			fallback = under.get(name)
		}
		m.finish(property, f.Type, fallback, own)
		if fallback != nil && fallback.kind == scalar && !strings.HasPrefix(fallback.shown, "up to ") {
			property.Default = plain(fallback)
		}
		if essential := slices.Contains([]string{"fleets", "load", "load.stages"}, own); essential || !optional(f) && m.lacks(f.Type, fallback) {
			s.Required = append(s.Required, name)
		}
		if slices.Contains([]string{"fleets", "load.stages", "fleets.*.sensors"}, own) {
			property.MinItems = new(uint64)
			*property.MinItems = 1
		}
	}
}

// lacks says whether a value of the type must have something that the defaults do not.
func (m *schemaMaker) lacks(t reflect.Type, under *node) bool {
	if _, notated := notations()[t]; t.Kind() != reflect.Struct || notated {
		return under == nil
	}
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		if key(f) == "" || optional(f) {
			return false
		}
		if under == nil {
			return m.lacks(f.Type, nil)
		}
		return m.lacks(f.Type, under.get(key(f)))
	})
}

// named describes a mapping of named things: those of the defaults, and any others.
func (m *schemaMaker) named(s *jsonschema.Schema, t reflect.Type, path string) {
	item := s.AdditionalProperties
	m.finish(item, t, nil, join(path, "*"))
	other := &jsonschema.Schema{Ref: "#/$defs/" + path, Required: item.Required, Description: "one of your own"}
	item.Required = nil // the defaults have it
	m.items[path] = item
	s.Properties = jsonschema.NewProperties()
	for _, f := range m.defaults.get(path).fields {
		s.Properties.Set(f.key, &jsonschema.Schema{Ref: "#/$defs/" + path, Description: f.key + ", as in defaults.yaml but for what is given here"})
	}
	s.AdditionalProperties = other
}

// plain is a scalar as JSON has it.
func plain(n *node) any {
	switch {
	case n.quoted:
		return n.text
	case n.text == "true" || n.text == "false":
		return n.text == "true"
	case numeral.MatchString(n.text):
		return json.Number(n.text)
	default:
		return n.text
	}
}

// full is the name under which the reflector keeps a type's comment.
func full(t reflect.Type) string {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.PkgPath() + "." + t.Name()
}

// readConstants collects the comments of the constants of a folder: package.Type and value.
func (m *schemaMaker) readConstants(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".go" || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path.Join(folder, entry.Name()), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			constant, isSpec := n.(*ast.ValueSpec)
			if !isSpec || len(constant.Values) != 1 {
				return true
			}
			value, isLiteral := constant.Values[0].(*ast.BasicLit)
			if typ, isName := constant.Type.(*ast.Ident); isLiteral && isName {
				text, _ := strconv.Unquote(value.Value)
				m.constants[fmt.Sprintf("%s.%s %s", file.Name.Name, typ.Name, text)] = strings.TrimSpace(constant.Comment.Text())
			}
			return true
		})
	}
	return nil
}
