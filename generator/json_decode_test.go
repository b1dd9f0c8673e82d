package generator

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const goldenJSON = `{"device":"climate-0042","time":"2026-01-12T00:00:00.5Z","location":{"building":1,"floor":2,"room":3},` +
	`"readings":[{"sensor":"temperature","value":21.5,"unit":"°C","status":"ok"}],"status":"ok"}`

func TestDecodeJSONErrors(t *testing.T) {
	var reading Reading
	require.NoError(t, JSON.Decode([]byte(goldenJSON), &reading))
	for _, test := range []struct{ old, new, message string }{
		{goldenJSON, ``, "0: want `{\"device\":`, got ``"},
		{goldenJSON, `null`, "0: want `{\"device\":`, got `null`"},
		{`{"device"`, `{"Device"`, "0: want `{\"device\":`, got `{\"Device\":\"climate-0`"},
		{`{"device"`, ` {"device"`, "0: want `{\"device\":`, got ` {\"device\":\"climate-`"},
		{`"climate-0042"`, `42`, "10: want a string, got `42,\"time\":\"2026-01-1`"},
		{`"climate-0042"`, `"climate\x"`, "10: invalid character 'x' in string escape code"},
		{`12T00`, `12 00`, `32: parsing time "2026-01-12 00:00:00.5Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 00:00:00.5Z" as "T"`},
		{`"building":1`, `"building":"1"`, "80: want a whole number of at most 9 digits, got `\"1\",\"floor\":2,\"room\"`"},
		{`"floor":2`, `"floor":02`, "90: want a whole number of at most 9 digits, got `02,\"room\":3},\"readin`"},
		{`"room":3`, `"room":1234567890`, "99: want a whole number of at most 9 digits, got `1234567890},\"reading`"},
		{`21.5`, `.5`, "146: want a number with two decimals at most and 14 digits before them, got `.5,\"unit\":\"°C\",\"sta`"},
		{`21.5`, `21.`, "148: want a number with two decimals at most and 14 digits before them, got `.,\"unit\":\"°C\",\"stat`"},
		{`21.5`, `-`, "147: want a number with two decimals at most and 14 digits before them, got `,\"unit\":\"°C\",\"statu`"},
		{`21.5`, `21.501`, "151: want `,\"unit\":`, got `1,\"unit\":\"°C\",\"stat`"},
		{`21.5`, `2e1`, "147: want `,\"unit\":`, got `e1,\"unit\":\"°C\",\"sta`"},
		{`21.5`, `70368744177664.01`, "163: want a smaller number before this, got `,\"unit\":\"°C\",\"statu`"},
		{`"ok"}],`, `"ok"},],`, "179: want `{\"sensor\":`, got `],\"status\":\"ok\"}`"},
		{`"ok"}],`, `"ok"}`, "178: want `,`, got `\"status\":\"ok\"}`"},
		{`"status":"ok"}],"status":"ok"}`, `"status":"ok`, "173: want a string, got `\"ok`"},
		{`],"status":"ok"}`, `],"status":"ok"} `, "194: want the end, got ` `"},
	} {
		text := goldenJSON
		require.Contains(t, text, test.old)
		text = replaceOnce(text, test.old, test.new)
		require.EqualError(t, JSON.Decode([]byte(text), &reading), "decode reading: at byte "+test.message)
	}
}

// FuzzDecodeJSON: whatever is accepted, encoding/json reads in the same way, and writes again in a form that says the
// same.
func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(goldenJSON))
	g := New(busySpec(5))
	for _, d := range all(g) {
		payload, _ := g.Append(nil, d)
		f.Add(payload)
	}
	for _, change := range [][2]string{
		{`°C`, `\u00b0C`}, {`°C`, "\xff"}, {`°C`, `\`}, {`21.5`, `-0`}, {`21.5`, `21.50`}, {`21.5`, `1e2`}, {`21.5`, `007`},
		{`"floor":2`, `"floor":-2`}, {`.5Z`, `+08:00`}, {`"ok"}]`, `"ok"},{}]`}, {`"ok"}]`, "\"o\tk\"}]"}, {`:1,`, `: 1,`},
	} {
		f.Add([]byte(replaceOnce(goldenJSON, change[0], change[1])))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var decoded, reference Reading
		if JSON.Decode(payload, &decoded) != nil {
			return
		}
		require.NoError(t, json.Unmarshal(payload, &reference))
		require.Empty(t, cmp.Diff(reference, decoded))

		written, err := json.Marshal(decoded)
		require.NoError(t, err)
		var again Reading
		require.NoError(t, JSON.Decode(written, &again))
		require.Empty(t, cmp.Diff(decoded, again))
	})
}

func replaceOnce(text, old, new string) string { return strings.Replace(text, old, new, 1) }
