package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// TestEveryKindHasItsEffect: a row of the table without a case of newEffect, or with that of another kind, would be played
// as something else than what the report says.
func TestEveryKindHasItsEffect(t *testing.T) {
	links, err := Listen(1, 7)
	require.NoError(t, err)
	defer func() { require.NoError(t, links.Close()) }()
	stopped, led, refused := &containerEffect{}, &leaderEffect{}, &errorEffect{}
	want := map[Kind]struct{ embedded, docker effect }{
		Latency:        {&latencyEffect{}, &latencyEffect{}},
		Cut:            {&cutEffect{}, &cutEffect{}},
		LoseAck:        {&lossEffect{}, &lossEffect{}},
		Error:          {refused, nil},
		Crash:          {&crashEffect{}, nil},
		Kill:           {nil, stopped},
		Stop:           {nil, stopped},
		Restart:        {nil, stopped},
		RollingRestart: {nil, rollingEffect{}},
		Pause:          {nil, stopped},
		Isolate:        {nil, stopped},
		ElectLeader:    {led, led},
		MoveLeader:     {led, led},
		AddPartitions:  {&growthEffect{}, &growthEffect{}},
		ShrinkISR:      {refused, &shrinkEffect{}},
	}
	for _, row := range Kinds() {
		for _, kind := range row.Brokers {
			field := Field{World: World{Broker: kind}, Links: links, Clock: func() time.Duration { return 0 }}
			spec := Spec{Do: row.Kind, Latency: new(time.Second), To: new(2)}
			made, err := newEffect(spec, []int{0}, field, rand.New(rand.NewPCG(7, 7)))
			require.NoError(t, err, row.Kind)
			wanted := want[row.Kind].embedded
			if kind == broker.Docker {
				wanted = want[row.Kind].docker
			}
			assert.IsType(t, wanted, made, "%s on %s", row.Kind, kind)
		}
	}
}
