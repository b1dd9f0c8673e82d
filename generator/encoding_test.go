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
	"google.golang.org/protobuf/proto"
)

var encodings = []Encoding{JSON, Protobuf}

func TestDecodeIsTheInverseOfAppend(t *testing.T) {
	for _, encoding := range encodings {
		g := New(busySpec(200).as(encoding))
		var decoded Reading
		var payload []byte
		for _, d := range all(g) {
			payload, _ = g.Append(payload[:0], d)
			require.NoError(t, encoding.Decode(payload, &decoded), "into what the one before left")
			require.Equal(t, g.Reading(d), decoded)
		}
	}
}

// What differs is the bytes, never what they say: also of late readings, of copies, of sensors that have dropped out, and
// of values that an encoding leaves out.
func TestEncodingsSayTheSame(t *testing.T) {
	seen := map[string]int{}
	for _, spec := range []Spec{busySpec(200), plainSpec(50), awkwardSpec(50)} {
		spec.Delivery = Delivery{Duplicate: 0.1, Late: Late{Rate: 0.1, By: 5 * time.Second}}
		if temperature, found := spec.Sensors["temperature"]; found {
			temperature.Thresholds.Warning = new(30.)
			spec.Sensors["temperature"] = temperature
		}
		text, binary := New(spec), New(spec.as(Protobuf))
		due := all(text)
		require.Equal(t, due, all(binary))
		for _, d := range due {
			one, traits := text.Append(nil, d)
			other, same := binary.Append(nil, d)
			require.Equal(t, traits, same)
			var want, got Reading
			require.NoError(t, JSON.Decode(one, &want))
			require.NoError(t, Protobuf.Decode(other, &got))
			require.Equal(t, want, got)
			count(seen, d, traits, got)
		}
	}
	for _, kind := range []string{
		"late", "copy", "ok", "warning", "error", "all dropped out", "negative", "zero", "unit of none", "name of none", "sensors: 5",
	} {
		assert.Positive(t, seen[kind], kind)
	}
}

// count notes of which kinds a reading is.
func count(seen map[string]int, due Due, traits Traits, reading Reading) {
	for kind, is := range map[string]bool{"late": traits.Late, "copy": due.Copy, "all dropped out": len(reading.Values) == 0} {
		if is {
			seen[kind]++
		}
	}
	seen[fmt.Sprintf("sensors: %d", len(reading.Values))]++
	for _, v := range reading.Values {
		seen[v.Status]++
		for kind, is := range map[string]bool{
			"negative": v.Value < 0, "zero": v.Value == 0, "unit of none": v.Unit == "", "name of none": v.Sensor == "",
		} {
			if is {
				seen[kind]++
			}
		}
	}
}

// What was decoded does not hold on to the payload, whose memory is used again.
func TestDecodeCopies(t *testing.T) {
	for _, encoding := range encodings {
		g := New(busySpec(10).as(encoding))
		payload, _ := g.Append(nil, Due{Device: 3})
		var decoded Reading
		require.NoError(t, encoding.Decode(payload, &decoded))
		clear(payload)
		assert.Equal(t, g.Reading(Due{Device: 3}), decoded)
	}
}

func TestDecodeAllocatesNothingForTheSameDevice(t *testing.T) {
	for _, encoding := range encodings {
		g := New(busySpec(10).as(encoding))
		one, _ := g.Append(nil, Due{Device: 3, Index: 1})
		other, _ := g.Append(nil, Due{Device: 3, Index: 2})
		var decoded Reading
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if encoding.Decode(one, &decoded) != nil || encoding.Decode(other, &decoded) != nil {
				panic("decode")
			}
		}), encoding)
	}
}

// FuzzAppend: whatever the texts and the numbers, the payload is what encoding/json or google.golang.org/protobuf makes of
// the reading, and Decode reads it back.
func FuzzAppend(f *testing.F) {
	for _, text := range awkward {
		f.Add("climate", text, text, int64(1768176000123), uint32(42), uint32(3), 25.129)
		f.Add(text, "current", "A", int64(-1), uint32(4_294_967_295), uint32(1<<30), -1e300)
		f.Add(text, "switch", "", int64(0), uint32(10_000), uint32(2), 0.)
	}
	published := schema(f)
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
		text, err := json.Marshal(g.spoken(fmt.Sprintf("%s-%04d", fleet, index), time.UnixMilli(m.millis).UTC()))
		require.NoError(t, err)
		var reference Reading // in which what was no UTF-8 has been replaced
		require.NoError(t, json.Unmarshal(text, &reference))
		binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(message(t, published, reference))
		require.NoError(t, err)

		for encoding, want := range map[Encoding][]byte{JSON: text, Protobuf: binary} {
			got := encoding.writer(spec).append([]byte("x"), m)
			require.Equal(t, "x"+string(want), string(got), encoding)
			var decoded Reading
			require.NoError(t, encoding.Decode(got[1:], &decoded), encoding)
			require.Empty(t, cmp.Diff(reference, decoded), encoding)
			assert.Equal(t, reference.Values, decoded.Values, "%s to the last bit", encoding)
		}
	})
}
