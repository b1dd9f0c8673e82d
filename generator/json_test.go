package generator

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Names and units that need every kind of escape.
var awkward = []string{
	"", "°C", "%", "m³/h", `a"b\c`, "<&>", "\x00\x1f\x7f\b\f\n\r\t", "\u2028\u2029", "\xff\xc3", "é\xe2\x80", "𝄞", "\u2027\u202a",
}

func TestPayloadIsWhatEncodingJSONWrites(t *testing.T) {
	awkwardSpec := plainSpec(50)
	awkwardSpec.Fleets[0].Sensors = nil
	for _, name := range awkward {
		awkwardSpec.Fleets[0].Sensors = append(awkwardSpec.Fleets[0].Sensors, name)
		awkwardSpec.Sensors[name] = Sensor{Kind: Normal, Unit: name, Mean: new(0.), Stddev: new(math.Pow(10, float64(len(name))))}
	}
	awkwardSpec.Fleets[0].Name = "<°\">"
	for name, spec := range map[string]Spec{"busy": busySpec(500), "awkward": awkwardSpec} {
		t.Run(name, func(t *testing.T) {
			g := New(spec)
			due := all(g)
			require.Greater(t, len(due), 900)
			var payload []byte
			for _, d := range due {
				payload, _ = g.Append(payload[:0], d)
				want, err := json.Marshal(g.Reading(d))
				require.NoError(t, err)
				require.Equal(t, string(want), string(payload))
			}
		})
	}
}

func TestHundredths(t *testing.T) {
	for n := int64(-100_100); n <= 100_100; n += 7 {
		sameNumber(t, hundredths(float64(n)/100))
	}
	for _, value := range []float64{0, 0.01, 0.1, 0.29, 1.1, 10, 99.99, 100, -0.01, -0.5, -1013.25, greatest, greatest - 0.01, -greatest} {
		sameNumber(t, hundredths(value))
	}
}

func sameNumber(t *testing.T, value float64) {
	t.Helper()
	want, err := json.Marshal(value)
	require.NoError(t, err)
	require.Equal(t, string(want), string(appendHundredths(nil, value)))
}

// anyReading makes a reading as the generator might, of arbitrary parts.
func anyReading(device, sensor, unit, status string, millis int64, building, floor, room, count uint8, value float64) Reading {
	const years9999 = 253402300800000
	if math.IsNaN(value) {
		value = 0
	}
	r := Reading{
		Device:   device,
		Time:     time.UnixMilli(floorMod(millis, years9999)).UTC(),
		Location: Place{int(building), int(floor), int(room)},
		Values:   []Value{},
		Status:   status,
	}
	for n := range count % 5 {
		v := hundredths(min(max(value*float64(n), -greatest), greatest))
		r.Values = append(r.Values, Value{Sensor: sensor, Value: v, Unit: unit, Status: status})
	}
	return r
}

func FuzzAppend(f *testing.F) {
	for _, text := range awkward {
		f.Add("climate-0042", text, text, text, int64(1768176000123), uint8(1), uint8(2), uint8(3), uint8(3), 25.129)
		f.Add(text, "current", "A", "ok", int64(-1), uint8(0), uint8(255), uint8(100), uint8(2), -1e300)
	}
	f.Fuzz(func(t *testing.T, device, sensor, unit, status string, millis int64, building, floor, room, count uint8, value float64) {
		r := anyReading(device, sensor, unit, status, millis, building, floor, room, count, value)
		want, err := json.Marshal(r)
		require.NoError(t, err)
		got := appendJSON([]byte("x"), &r)
		require.Equal(t, "x"+string(want), string(got))

		var decoded, reference Reading
		require.NoError(t, Decode(got[1:], &decoded))
		require.NoError(t, json.Unmarshal(want, &reference))
		require.Empty(t, cmp.Diff(reference, decoded))
		assert.Equal(t, reference.Values, decoded.Values, "to the last bit")
	})
}
