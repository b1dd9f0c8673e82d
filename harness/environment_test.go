package harness

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func variablesOf(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := values[name]
		return value, found
	}
}

func TestReferencesToTheEnvironment(t *testing.T) {
	env := map[string]string{"SEED": "77", "EMPTY": "", "TOPIC": "orders", "_x1": "b"}
	for value, want := range map[string]string{
		"${env:TOPIC}":                  "orders",
		`"${env:TOPIC}"`:                "orders",
		"${env:TOPIC:-other}":           "orders",
		"${env:UNSET:-other}":           "other",
		"${env:EMPTY:-other}":           "other",
		"a-${env:TOPIC}-${env:_x1}":     "a-orders-b",
		"a${env:EMPTY}":                 "a",
		"${env:UNSET:-}a":               "a",
		"${env:TOPIC}${env:TOPIC:-x:-}": "ordersorders",
	} {
		r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{"topic.name=" + value}, Env: variablesOf(env)})
		require.NoError(t, err, value)
		assert.Equal(t, want, r.Topic.Name, value)
	}
	r, err := Parse("x.yaml", []byte(strings.Replace(minimal, "seed: 1", "seed: ${env:SEED}", 1)), Overrides{Env: variablesOf(env)})
	require.NoError(t, err)
	assert.Equal(t, uint64(77), r.Seed)
	assert.Equal(t, "environment SEED, x.yaml:3", r.found["seed"].from())
}

func TestReferencesThatLeadNowhere(t *testing.T) {
	for value, want := range map[string]string{
		"${env:UNSET}":    "x.yaml:3:7: seed: the environment has no variable UNSET (set it, or write ${env:UNSET:-fallback})",
		"${UNSET}":        "x.yaml:3:7: seed: ${UNSET} is no reference to the environment (write ${env:NAME} or ${env:NAME:-fallback})",
		"${env:}":         "x.yaml:3:7: seed: ${env:} is no reference to the environment (write ${env:NAME} or ${env:NAME:-fallback})",
		"${env:A B}":      "x.yaml:3:7: seed: ${env:A B} is no reference to the environment (write ${env:NAME} or ${env:NAME:-fallback})",
		`"${env:A"`:       "x.yaml:3:7: seed: ${env:A is no reference to the environment (write ${env:NAME} or ${env:NAME:-fallback})",
		"${env:TEXT}":     `x.yaml:3:7: seed: want a whole number, not negative, got "${env:TEXT}"`,
		"${env:TEXT:-1}":  `x.yaml:3:7: seed: want a whole number, not negative, got "${env:TEXT:-1}"`,
		"${env:UNSET:-}":  `x.yaml:3:7: seed: want a whole number, not negative, got "${env:UNSET:-}"`,
		"${env:TEXT}${x}": "x.yaml:3:7: seed: ${x} is no reference to the environment (write ${env:NAME} or ${env:NAME:-fallback})",
	} {
		text := strings.Replace(minimal, "seed: 1", "seed: "+value, 1)
		_, err := Parse("x.yaml", []byte(text), Overrides{Env: variablesOf(map[string]string{"TEXT": "geheim"})})
		require.EqualError(t, err, want, value)
	}
	_, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{"seed=${env:HOME}"}})
	assert.EqualError(t, err, "--set seed=${env:HOME}: seed: the environment has no variable HOME (set it, or write ${env:HOME:-fallback})",
		"without an environment there are no variables")
}

// TestValuesFromTheEnvironmentAreNeverPrinted replaces every value of a scenario, one after the other, by a reference to
// the environment: to a variable that holds the value, and to one that holds something else.
func TestValuesFromTheEnvironmentAreNeverPrinted(t *testing.T) {
	_, text := loadEverything(t)
	root := parse("everything.yaml", []byte(text), &collector{})
	scalars := 0
	root.walk("", func(path string, n *node) {
		if n.kind != scalar {
			return
		}
		scalars++
		original := *n
		for _, secret := range []string{"Geheim-4711", "-4711", "geheim < 4711", n.text} {
			n.text, n.shown, n.quoted = "${env:SECRET}", "${env:SECRET}", true
			changed := toYAML(root)
			*n = original
			r, err := Parse("everything.yaml", changed, Overrides{Env: variablesOf(map[string]string{"SECRET": secret})})
			if err != nil {
				if strings.Contains(secret, "4711") {
					assert.NotContains(t, err.Error(), secret, path)
					assert.NotContains(t, err.Error(), "4711", path)
				}
				continue
			}
			assert.Contains(t, string(r.YAML()), "${env:SECRET}", path)
			assert.NotContains(t, string(r.YAML()), "4711", path)
			var plan strings.Builder
			require.NoError(t, r.WritePlan(&plan))
			if _, values, _ := strings.Cut(plan.String(), "\nvalues"); !strings.HasPrefix(path, "expect") && !strings.HasPrefix(path, "trends.load.points") {
				assert.Contains(t, values, "${env:SECRET}", path)
				assert.NotContains(t, values, "4711", path)
			}
			if strings.HasPrefix(strings.ToLower(secret), "geheim") {
				assert.NotContains(t, plan.String(), secret, path)
			}
		}
	})
	assert.Greater(t, scalars, 150)
}

func TestMaskedTextsShowReferences(t *testing.T) {
	text := strings.Replace(minimal, "name: minimal", "name: ${env:A}\ndescription: ${env:B}\ntags: [\"${env:C}\"]", 1)
	r, err := Parse("x.yaml", []byte(text), Overrides{Env: variablesOf(map[string]string{"A": "abcd", "B": "abcdef", "C": "abc"})})
	require.NoError(t, err)
	assert.Equal(t, "${env:B} ${env:A} abc", r.Masked("abcdef abcd abc"), "the longest first, the shortest not at all")
	assert.Equal(t, "abcd", r.Name)
	assert.Equal(t, "${env:B}", r.Description, "a text that is only ever printed keeps its reference")
	assert.Equal(t, []string{"${env:C}"}, r.Tags)
}

// TestShortValuesAreNoSecretsInMistakes: found everywhere, they would garble what is said.
func TestShortValuesAreNoSecretsInMistakes(t *testing.T) {
	text := minimal + "expect: [\"ack_latency.p99 < ${env:LIMIT}\"]\n"
	said := func(value string) string {
		_, err := Parse("x.yaml", []byte(text), Overrides{Env: variablesOf(map[string]string{"LIMIT": value})})
		require.Error(t, err)
		return err.Error()
	}
	assert.Contains(t, said("5"), "such as 50ms")
	assert.NotContains(t, said("geheim"), "geheim")
}

// TestDefaultsDoNotDependOnTheEnvironment keeps them the same for everybody.
func TestDefaultsDoNotDependOnTheEnvironment(t *testing.T) {
	text, err := os.ReadFile("../scenarios/defaults.yaml")
	require.NoError(t, err)
	assert.NotRegexp(t, `(?m)^[^#]*\$\{`, string(text))
}
