package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/scenarios"
)

func TestParseRefusesWhatIsNotOneDocument(t *testing.T) {
	const invalid = ": is no valid YAML: "
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for text, want := range map[string]string{
		"":                              "x.yaml:1:1: is empty (a scenario needs at least version, name, fleets and load)",
		"# only a comment\n":            "x.yaml:1:1: is empty (a scenario needs at least version, name, fleets and load)",
		"---\n":                         "x.yaml:2:1: want a mapping of keys to values, got nothing (begin with version: 1)",
		"- a\n":                         "x.yaml:1:1: want a mapping of keys to values, got a list (begin with version: 1)",
		"text":                          `x.yaml:1:1: want a mapping of keys to values, got "text" (begin with version: 1)`,
		"a: 1\nb: [1,\n":                "x.yaml:2:1" + invalid + "did not find expected node content (give a value between two commas, and close what was opened)",
		"a: 1\nb:\n  - c\n d: 2\n":      "x.yaml:4:2" + invalid + "did not find expected key (line up the keys of a mapping, one below the other)",
		"a: 1\nb: 2\n\tc: 3\n":          "x.yaml:3:1" + invalid + "found a tab character that violates indentation (indent with spaces)",
		"a: 1\nb: 'x\n":                 "x.yaml:2:1" + invalid + "found unexpected end of stream (close the quote)",
		"a: *nowhere\n":                 "x.yaml:1:1" + invalid + "unknown anchor 'nowhere' referenced (quote a text that begins with an asterisk, or write the value out)",
		"a: 1\nb: \x01\n":               "x.yaml:2:1" + invalid + "control characters are not allowed (save the file as UTF-8 text)",
		"a: \xff\n":                     "x.yaml:1:1" + invalid + "invalid leading UTF-8 octet (save the file as UTF-8 text)",
		strings.Repeat("#", 1<<20+1):    "x.yaml:1:1: is larger than 1 MiB (a scenario is a page or two of YAML)",
		"a: " + strings.Repeat("[", 60): "x.yaml:1:1" + invalid + "did not find expected node content (give a value between two commas, and close what was opened)",
	} {
		_, err := Parse("x.yaml", []byte(text), Overrides{})
		require.EqualError(t, err, want)
	}
	_, err := Parse("x.yaml", []byte("a: b\n"+strings.Repeat("# long\n", 10_000)+"c: [\n- d"), Overrides{})
	require.EqualError(t, err, "x.yaml:10002:1"+invalid+"did not find expected node content (give a value between two commas, and close what was opened)")
	for text, want := range map[string]string{
		minimal + "---\nversion: 2\n":                        "x.yaml:9:1: a second YAML document begins (one file holds one scenario: move it to a file of its own)",
		minimal + "---\n[\n":                                 "x.yaml:10:1" + invalid + "did not find expected node content (give a value between two commas, and close what was opened)",
		minimal + "seed: 2\n":                                "x.yaml:9:1: seed: duplicate key, already given in line 3 (keep one of the two)",
		minimal + "tags: &t [a, *t]\n":                       "x.yaml:9:14: tags[1]: an alias holds itself (write the values out)",
		minimal + "tags: !!set {a, b}\n":                     "x.yaml:9:7: tags: the tag !!set has no meaning here (remove it)",
		minimal + "? [a]\n: b\n":                             "x.yaml:9:3: a key must be a single word",
		minimal + "clock: &c {speed: 2}\noracle: {<<: *c}\n": "x.yaml:10:10: oracle.<<: merge keys have no meaning here (write the fields out)",
		minimal + "tags: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\n": "x.yaml:9:56: tags" + strings.Repeat("[0]", 49) + ": is nested deeper than 50 levels",
	} {
		_, err := Parse("x.yaml", []byte(text), Overrides{})
		require.Error(t, err, text)
		assert.Contains(t, strings.Split(err.Error(), "\n"), want)
	}
	_, err = Parse("x.yaml", []byte(bomb), Overrides{})
	require.ErrorContains(t, err, ": more than 20000 values, with what the aliases stand for (write less, and without aliases)")
	assert.Less(t, len(err.Error()), 5000, "a bomb does not go off in the message either")
}

// TestSyntaxErrorsSayWhatToDo holds what is wrong with the usual slips, and the remedy.
func TestSyntaxErrorsSayWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\n\tb: 2\n":        "x.yaml:2:1: is no valid YAML: found a tab character that violates indentation (indent with spaces)",
		"a: [1, 2\nb: 3\n":      "x.yaml:1:1: is no valid YAML: did not find expected ',' or ']' (put a comma between two values and close the bracket)",
		"a: {b: ${env:X}}\n":    "x.yaml:1:1: is no valid YAML: did not find expected ',' or '}' (put a comma between two values, close the brace, and quote what has braces of its own, as in \"${env:NAME}\")",
		"a: {b: 1\n":            "x.yaml:1:1: is no valid YAML: did not find expected ',' or '}' (put a comma between two values, close the brace, and quote what has braces of its own, as in \"${env:NAME}\")",
		"a: 1\nb 2\nc: 3\n":     "x.yaml:2:1: is no valid YAML: could not find expected ':' (write a colon and a space behind the key)",
		"a: 1\n  b: 2\n":        "x.yaml:2:3: is no valid YAML: mapping values are not allowed in this context (write one key a line, and quote a text with a colon in it)",
		"a: b: c\n":             "x.yaml:1:1: is no valid YAML: mapping values are not allowed in this context (write one key a line, and quote a text with a colon in it)",
		"a:\n  - b\n c: d\n":    "x.yaml:3:2: is no valid YAML: did not find expected key (line up the keys of a mapping, one below the other)",
		"a:\n  - b\n  c: d\n":   "x.yaml:3:3: is no valid YAML: did not find expected '-' indicator (begin every item of a list with a dash, one below the other)",
		"a: 'b\n":               "x.yaml:1:1: is no valid YAML: found unexpected end of stream (close the quote)",
		"a: \"\\q\"\n":          "x.yaml:1:1: is no valid YAML: found unknown escape character (use single quotes, or write two backslashes)",
		"a: @b\n":               "x.yaml:1:1: is no valid YAML: found character that cannot start any token (indent with spaces instead of tabs, and quote a text that begins with a special character)",
		"a: *b\n":               "x.yaml:1:1: is no valid YAML: unknown anchor 'b' referenced (quote a text that begins with an asterisk, or write the value out)",
		"a: \xff\n":             "x.yaml:1:1: is no valid YAML: invalid leading UTF-8 octet (save the file as UTF-8 text)",
		minimal + "...\nb: 2\n": "x.yaml:10:1: is no valid YAML: did not find expected <document start> (remove what follows the end of the document)",
	} {
		_, err := Parse("x.yaml", []byte(text), Overrides{})
		assert.EqualError(t, err, want)
	}
}

func TestAliasesStandForValues(t *testing.T) {
	text := strings.Replace(minimal, "sensors: [temperature]}", "sensors: &all [temperature, switch]}\n  - {name: other, devices: 1, interval: 1s, sensors: *all}", 1)
	r, err := Parse("x.yaml", []byte(text), Overrides{})
	require.NoError(t, err)
	assert.Equal(t, []string{"temperature", "switch"}, r.Fleets[1].Sensors)
}

// TestYAMLKeepsScalars writes values that YAML would read as something else without quotes.
func TestYAMLKeepsScalars(t *testing.T) {
	for _, value := range []string{`"100"`, `"true"`, `"null"`, `""`, `'~'`, `"a: b"`, `"# no comment"`, `"- a"`, "\"two\\nlines\"", `"${env:A:-b}"`, `" padded "`, `"ü°"`, "plain text", "1.0", "0x10", "2026-01-12"} {
		text := minimal + "description: " + value + "\n"
		r, err := Parse("x.yaml", []byte(text), Overrides{})
		require.NoError(t, err, value)
		again, err := resolve("x.yaml", r.YAML(), []byte("{}"), Overrides{})
		require.NoError(t, err, value)
		assert.Equal(t, r.Description, again.Description)
		assert.Equal(t, string(r.YAML()), string(again.YAML()))
	}
}

// FuzzParse feeds the loader arbitrary text: it gives a scenario or mistakes with positions, and what it accepts it
// writes so that it reads the same again.
func FuzzParse(f *testing.F) {
	f.Add(minimal)
	for _, name := range Shipped() {
		text, err := scenarios.Files.ReadFile(name + ".yaml")
		require.NoError(f, err)
		f.Add(string(text))
	}
	files, err := filepath.Glob("../testdata/scenarios/*.yaml")
	require.NoError(f, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	for _, text := range []string{"", "a", "a: &a [*a]", "a: {<<: {b: c}}", "---\n---\n", "fleets: [{name: 1}]", "load: {stages: {a: b}}", "seed: ${env:X:-1}", "? a", "sensors: {a: {thresholds: 1}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// What costs time by its size is not what is looked for here.
		overrides := Overrides{Env: func(string) (string, bool) { return "", false }}
		r, err := Parse("x.yaml", []byte(text), overrides)
		if err != nil {
			var mistakes Mistakes
			require.ErrorAs(t, err, &mistakes)
			require.NotEmpty(t, mistakes)
			for _, m := range mistakes {
				require.Positive(t, m.Line, m.Error())
				require.Positive(t, m.Column, m.Error())
				require.NotEmpty(t, m.Problem)
			}
			return
		}
		again, err := resolve("x.yaml", r.YAML(), []byte("{}"), overrides)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(r.Scenario, again.Scenario))
	})
}
