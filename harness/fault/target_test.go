package fault_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fault"
)

func TestTarget(t *testing.T) {
	good := map[string]fault.Target{
		"all":                        {All: true},
		"broker 1":                   {Broker: 1},
		"broker 12":                  {Broker: 12},
		"leader of device-data/0":    {Leader: true, Topic: "device-data"},
		"leader of a.b_c/2147483647": {Leader: true, Topic: "a.b_c", Partition: 2147483647},
		"controller":                 {Controller: true},
		"device-data/0":              {Topic: "device-data"},
		"a.b_c/7":                    {Topic: "a.b_c", Partition: 7},
		"device-data":                {Topic: "device-data", Whole: true},
		"broker":                     {Topic: "broker", Whole: true}, // no such topic, says Validate
	}
	for text, want := range good {
		var target fault.Target
		require.NoError(t, target.UnmarshalText([]byte(text)))
		assert.Equal(t, want, target)
		assert.Equal(t, text, target.String())
	}
	for _, text := range []string{
		"", "x y", "t\u00f6pic", "broker 0", "broker -1", "broker +1", "broker 01", "broker 1 ", " broker 1", "broker two",
		"leader of x", "leader of /0", "leader of x/", "leader of x/-1", "leader of x/+1", "leader of x/00",
		"leader of x/2147483648", "leader of x/0/1", "broker 99999999999999999999", "leader of leader of x/7", "leader of broker 1/0",
		"/", "/0", "x/", "x/-1", "x/+1", "x/00", "x/2147483648", "x/0/1", "controller ", "all brokers",
		".", "..", "../0", "leader of ./0", strings.Repeat("x", 250), // which Kafka has no topic of
	} {
		target := fault.Target{All: true}
		require.EqualError(t, target.UnmarshalText([]byte(text)), fmt.Sprintf(
			`want "broker 2", "leader of device-data/0", "controller", "device-data/0", "device-data" or "all", got %q`, text))
		assert.Equal(t, fault.Target{All: true}, target, "unchanged by %q", text)
	}
	assert.Equal(t, "nothing", fault.Target{}.String())
	assert.Empty(t, fault.Target{}.Form())
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"all", "broker 2", "leader of device-data/0", "controller", "device-data/3", "device-data", "broker 02", "leader of /1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var target fault.Target
		if err := target.UnmarshalText([]byte(text)); err != nil {
			assert.Zero(t, target)
			return
		}
		assert.NotZero(t, target)
		assert.Equal(t, text, target.String())
	})
}
