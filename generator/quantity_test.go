package generator

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShareText(t *testing.T) {
	for text, want := range map[string]Share{"0%": 0, "1%": 0.01, "0.2%": 0.002, "100%": 1, "1e1%": 0.1} {
		var share Share
		require.NoError(t, share.UnmarshalText([]byte(text)), text)
		assert.InDelta(t, float64(want), float64(share), 1e-15, text)
	}
	for _, text := range []string{"", "%", "1", "0.01", "-1%", "100.1%", "1 %", "1%%", "NaN%", "Inf%", "one%"} {
		share := Share(0.5)
		require.EqualError(t, share.UnmarshalText([]byte(text)), `want a share between 0% and 100%, such as 1%, got "`+text+`"`)
		assert.InDelta(t, 0.5, float64(share), 0, "left alone")
	}
}

func TestRateText(t *testing.T) {
	for text, want := range map[string]Rate{
		"5000/s": {PerSecond: 5000}, "0.5/s": {PerSecond: 0.5}, "600/min": {PerSecond: 10}, "20x": {Multiple: 20}, "1.5x": {Multiple: 1.5},
	} {
		var rate Rate
		require.NoError(t, rate.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, rate, text)
	}
	for _, text := range []string{"", "/s", "x", "5000", "0/s", "-1/s", "5000/h", "5000 /s", "NaN/s", "Inf/s", "5000/s/s", "20X", "xx", "1e999/s"} {
		rate := Rate{Multiple: 3}
		require.EqualError(t, rate.UnmarshalText([]byte(text)),
			`want a rate above zero, such as 5000/s, 600/min or 2x (of the fleets' own pace), got "`+text+`"`)
		assert.Equal(t, Rate{Multiple: 3}, rate, "left alone")
	}
	assert.InDelta(t, 56_000., Rate{Multiple: 20}.Of(2800), 0)
	assert.InDelta(t, 30_000., Rate{PerSecond: 30_000}.Of(2800), 0)
}

func TestChangeText(t *testing.T) {
	for text, want := range map[string]Change{
		"9.5": {Amount: 9.5}, "-3": {Amount: -3}, "2/s": {Amount: 2, PerSecond: true}, "-0.1/s": {Amount: -0.1, PerSecond: true},
	} {
		var change Change
		require.NoError(t, change.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, change, text)
	}
	for _, text := range []string{"", "/s", "2/min", "two", "NaN", "Inf/s", "2 /s", "2/s/s"} {
		change := Change{Amount: 3}
		require.EqualError(t, change.UnmarshalText([]byte(text)),
			`want an amount, such as 9.5, or an amount per second, such as 2/s, got "`+text+`"`)
		assert.Equal(t, Change{Amount: 3}, change, "left alone")
	}
}

// FuzzQuantities: whatever is read is a number that can be reckoned with.
func FuzzQuantities(f *testing.F) {
	for _, text := range []string{"1%", "100%", "5000/s", "600/min", "20x", "9.5", "2/s", "NaN%", "-Inf/s", "0x1p-2/s", "1e-322/min", "1_000/s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var share Share
		if share.UnmarshalText([]byte(text)) == nil {
			require.True(t, share >= 0 && share <= 1)
		}
		var rate Rate
		if rate.UnmarshalText([]byte(text)) == nil {
			records := rate.Of(1)
			require.True(t, records > 0 && !math.IsInf(records, 0), "%v", records)
		}
		var change Change
		if change.UnmarshalText([]byte(text)) == nil {
			require.False(t, math.IsNaN(change.Amount) || math.IsInf(change.Amount, 0))
		}
	})
}

func TestKnownNames(t *testing.T) {
	assert.Equal(t, []string{"normal", "switch"}, Normal.Known())
	assert.Equal(t, []string{"none", "linear"}, RampNone.Known())
	assert.Equal(t, []string{"diurnal", "seasonal", "weather", "usage", "load"}, TrendNames())
}
