package fault_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
)

func TestKindsAreDocumented(t *testing.T) {
	fields := map[string]bool{}
	spec := reflect.TypeFor[fault.Spec]()
	for i := range spec.NumField() {
		name, _, _ := strings.Cut(spec.Field(i).Tag.Get("yaml"), ",")
		fields[name] = true
	}
	for _, row := range fault.Kinds() {
		found, ok := row.Kind.Row()
		assert.True(t, ok)
		assert.Equal(t, row, found)
		assert.NotEmpty(t, row.Doc, row.Kind)
		assert.NotEmpty(t, row.Proof, row.Kind)
		assert.NotEmpty(t, row.Healed, row.Kind)
		assert.NotEmpty(t, row.Brokers, row.Kind)
		assert.NotEmpty(t, row.Targets, row.Kind)
		for _, parameter := range row.Parameters {
			assert.NotEmpty(t, parameter.Doc, parameter.Name)
			assert.True(t, fields[parameter.Name], "%s is a field of a fault", parameter.Name)
			assert.Contains(t, []fault.Need{fault.Required, fault.Optional, fault.AnyOf}, parameter.Need)
		}
	}
	assert.Equal(t, []string{
		"latency", "cut", "lose_ack", "error", "crash",
		"kill", "stop", "restart", "rolling_restart", "pause", "isolate",
		"elect_leader", "move_leader", "add_partitions", "shrink_isr",
	}, fault.Kind("").Known())
	_, ok := fault.Kind("explode").Row()
	assert.False(t, ok)
}

func TestKindsOfFault(t *testing.T) {
	both := []broker.Kind{broker.Embedded, broker.Docker}
	tests := map[fault.Kind]struct {
		brokers            []broker.Kind
		link, moves, grows bool
	}{
		fault.Latency:        {both, true, false, false},
		fault.Cut:            {both, true, false, false},
		fault.LoseAck:        {both, true, false, false},
		fault.Error:          {both[:1], false, false, false},
		fault.Crash:          {both[:1], false, false, false}, // an embedded broker keeps its partitions
		fault.Kill:           {both[1:], false, true, false},
		fault.Stop:           {both[1:], false, true, false},
		fault.Restart:        {both[1:], false, true, false},
		fault.RollingRestart: {both[1:], false, true, false},
		fault.Pause:          {both[1:], false, true, false},
		fault.Isolate:        {both[1:], false, true, false},
		fault.ElectLeader:    {both, false, true, false},
		fault.MoveLeader:     {both, false, true, false},
		fault.AddPartitions:  {both, false, false, true},
		fault.ShrinkISR:      {both, false, true, false},
	}
	for _, row := range fault.Kinds() {
		want, found := tests[row.Kind]
		require.True(t, found, row.Kind)
		specs := []fault.Spec{{Do: fault.Crash}, {Do: row.Kind}}
		assert.Equal(t, want.brokers, row.Brokers, row.Kind)
		assert.Equal(t, want.link, fault.NeedsLink(specs), row.Kind)
		assert.Equal(t, want.moves, fault.MovesLeaders(specs), row.Kind)
		assert.Equal(t, want.grows, fault.GrowsPartitions(specs), row.Kind)
	}
	assert.False(t, fault.NeedsLink(nil))
}
