package generator

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPayloadIsWhatEncodingJSONWrites(t *testing.T) {
	for name, spec := range map[string]Spec{"busy": busySpec(500), "awkward": awkwardSpec(50)} {
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
