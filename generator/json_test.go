package generator

import (
	"encoding/json"
	"fmt"
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
		sameNumber(t, n)
	}
	for _, n := range []int64{0, 1, 10, 29, 110, 99_99, 999_999_99, 1_000_000_00, 123_4567_8900, greatest * 100, greatest*100 - 1} {
		sameNumber(t, n)
		sameNumber(t, -n)
	}
}

func sameNumber(t *testing.T, n int64) {
	t.Helper()
	want, err := json.Marshal(float64(n)/100 + 0) // a negative zero would show
	require.NoError(t, err)
	require.Equal(t, string(want), string(appendHundredths(nil, n)))
}

func TestRoundIsThatOfMath(t *testing.T) {
	for _, value := range []float64{0, 0.49999999999999994, 0.5, 1.5, 2.5, 1e15 + 0.5, 1<<53 - 1, 1 << 60, 2.4, 2.6} {
		assert.Equal(t, int64(math.Round(value)), round(value), "%v", value)
		assert.Equal(t, int64(math.Round(-value)), round(-value), "%v", -value)
	}
}

// FuzzAppend: whatever the texts and the numbers, the payload is what encoding/json makes of the reading, and Decode
// reads it back.
func FuzzAppend(f *testing.F) {
	for _, text := range awkward {
		f.Add("climate", text, text, int64(1768176000123), uint32(42), uint32(3), 25.129)
		f.Add(text, "current", "A", int64(-1), uint32(4_294_967_295), uint32(1<<30), -1e300)
	}
	f.Fuzz(func(t *testing.T, fleet, sensor, unit string, millis int64, index, place uint32, value float64) {
		const years9999 = 253402300800000
		spec := plainSpec(1)
		spec.Fleets[0].Name, spec.Fleets[0].Sensors = fleet, []string{sensor, sensor}
		spec.Sensors[sensor] = Sensor{Kind: Normal, Unit: unit, Mean: new(0.), Stddev: new(1.)}
		g := New(spec)
		if math.IsNaN(value) {
			value = 0
		}
		hundredths := g.fleets[0].sensors[0].written(value)
		m := &g.measured
		*m = measured{
			index: int(index), millis: floorMod(millis, years9999), late: millis%2 == 0, status: warning,
			place: g.location.place(int(place)),
		}
		for n := range int(place % 3) {
			m.values = append(m.values, shown{sensor: n, hundredths: hundredths, status: status(n)})
		}
		reading := g.spoken(fmt.Sprintf("%s-%04d", fleet, index), time.UnixMilli(m.millis).UTC())
		want, err := json.Marshal(reading)
		require.NoError(t, err)
		got := g.writer.append([]byte("x"), m)
		require.Equal(t, "x"+string(want), string(got))

		var decoded, reference Reading
		require.NoError(t, Decode(got[1:], &decoded))
		require.NoError(t, json.Unmarshal(want, &reference))
		require.Empty(t, cmp.Diff(reference, decoded))
		assert.Equal(t, reference.Values, decoded.Values, "to the last bit")
	})
}
