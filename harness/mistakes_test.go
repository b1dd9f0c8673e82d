package harness

import (
	"encoding"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMistakesSayWhereWhatAndWhatToDo(t *testing.T) {
	assert.Equal(t, "a.yaml:31:7: fleets[0].devices: must be at least 1, got 0 (leave the fleet out)", Mistake{
		File: "a.yaml", Line: 31, Column: 7, Path: "fleets[0].devices", Problem: "must be at least 1, got 0", Remedy: "leave the fleet out",
	}.Error())
	assert.Equal(t, "a.yaml: cannot be read: permission denied", Mistake{File: "a.yaml", Problem: "cannot be read: permission denied"}.Error())
	assert.Equal(t, "a: x\nb: y", Mistakes{{File: "a", Problem: "x"}, {File: "b", Problem: "y"}}.Error())
}

func TestMistakesAreSortedAsTheirReaderCorrectsThem(t *testing.T) {
	m := Mistakes{
		{File: "--set b=1", Problem: "1"},
		{File: "x.yaml", Line: 7, Column: 3, Problem: "2"},
		{File: "--set a=1", Problem: "3"},
		{File: "x.yaml", Line: 7, Column: 1, Problem: "4"},
		{File: "x.yaml", Line: 2, Column: 9, Problem: "5"},
		{File: "--set b=1", Problem: "6"},
	}
	m.sort("x.yaml")
	var order string
	for _, mistake := range m {
		order += mistake.Problem
	}
	assert.Equal(t, "542163", order)
}

func TestNearestName(t *testing.T) {
	names := []string{"latency", "cut", "lose_ack", "crash"}
	for got, want := range map[string]string{
		"latency": "latency", "latncy": "latency", "latnecy": "latency", "LATENCY": "latency", "lateny": "latency",
		"cutt": "cut", "ct": "cut", "cat": "cut", "lose-ack": "lose_ack", "loseack": "lose_ack", "crush": "crash",
		"": "", "kill": "", "x": "", "latitude": "", "lossy": "",
	} {
		assert.Equal(t, want, Nearest(got, names), got)
	}
}

func TestDistanceCountsEdits(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1},
		{"abc", "ab", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		assert.Equal(t, test.want, distance(test.a, test.b), "%s %s", test.a, test.b)
		assert.Equal(t, test.want, distance(test.b, test.a), "%s %s", test.b, test.a)
	}
}

func TestSuggestionsFitIntoAMessage(t *testing.T) {
	assert.Equal(t, "there is none", suggest("a", nil))
	assert.Equal(t, "known: b, c", suggest("xyz", []string{"b", "c"}))
	assert.Equal(t, "did you mean devices? known: devices, name", suggest("device", []string{"devices", "name"}))
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("NAME_%02d", i))
	}
	assert.Equal(t, "did you mean NAME_42? among 60: NAME_42, NAME_02, NAME_12, NAME_22, NAME_32, NAME_40, NAME_41, NAME_43, …",
		suggest("NAME_4_2", many))
}

// TestNotationsDescribeThemselves holds the types of other packages to what the decoder's messages rest on: an
// UnmarshalText that fails says "want …, got …".
func TestNotationsDescribeThemselves(t *testing.T) {
	found := 0
	var visit func(typ reflect.Type)
	visit = func(typ reflect.Type) {
		value, isText := reflect.New(typ).Interface().(encoding.TextUnmarshaler)
		switch {
		case typ == reflect.TypeFor[time.Time]():
		case isText:
			found++
			err := value.UnmarshalText([]byte("\x00bad"))
			require.Error(t, err, typ)
			assert.Regexp(t, `^want [^\x00]+, got "\\x00bad"$`, err.Error(), typ)
		case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map:
			visit(typ.Elem())
		case typ.Kind() == reflect.Struct:
			for _, f := range reflect.VisibleFields(typ) {
				if key(f) != "" {
					visit(f.Type)
				}
			}
		}
	}
	visit(reflect.TypeFor[Scenario]())
	assert.Greater(t, found, 10)
}
