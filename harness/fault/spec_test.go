package fault_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fault"
)

func TestRate(t *testing.T) {
	good := map[string]fault.Rate{
		"3/s":       {PerSecond: 3},
		"0.5/s":     {PerSecond: 0.5},
		"1000000/s": {PerSecond: 1e6},
		"30/min":    {PerSecond: 0.5},
		"10%":       {Share: 0.1},
		"100%":      {Share: 1},
		"0.25%":     {Share: 0.0025},
	}
	for text, want := range good {
		var rate fault.Rate
		require.NoError(t, rate.UnmarshalText([]byte(text)))
		assert.InDelta(t, want.PerSecond, rate.PerSecond, 1e-12)
		assert.InDelta(t, want.Share, rate.Share, 1e-12)
	}
	for _, text := range []string{
		"", "3", "/s", "%", "0/s", "0%", "-1/s", "-1%", "101%", "1000001/s", "NaN/s", "NaN%", "Inf/s", "3/h", "x/min", "3 /s", "2x",
	} {
		var rate fault.Rate
		require.EqualError(t, rate.UnmarshalText([]byte(text)), `want a rate above zero, such as 3/s, 30/min or 10%, got "`+text+`"`)
		assert.Zero(t, rate)
	}
}

func FuzzRate(f *testing.F) {
	for _, seed := range []string{"3/s", "30/min", "10%", "0/s", "1e400/s", "0x1p-1074%", "NaN%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rate fault.Rate
		if err := rate.UnmarshalText([]byte(text)); err != nil {
			assert.Zero(t, rate)
			return
		}
		assert.True(t, rate.PerSecond >= 0 && rate.PerSecond <= 1e6, "%v", rate.PerSecond)
		assert.True(t, rate.Share >= 0 && rate.Share <= 1, "%v", rate.Share)
	})
}
