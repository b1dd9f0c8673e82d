package fault_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fault"
)

func TestKindsAreDocumented(t *testing.T) {
	fields := map[string]bool{}
	spec := reflect.TypeFor[fault.Spec]()
	for i := range spec.NumField() {
		fields[spec.Field(i).Tag.Get("yaml")] = true
	}
	for _, row := range fault.Kinds() {
		found, ok := row.Kind.Row()
		assert.True(t, ok)
		assert.Equal(t, row, found)
		assert.NotEmpty(t, row.Doc, row.Kind)
		assert.NotEmpty(t, row.Proof, row.Kind)
		assert.NotEmpty(t, row.Healed, row.Kind)
		assert.NotEmpty(t, row.Brokers, row.Kind)
		for _, parameter := range row.Parameters {
			assert.NotEmpty(t, parameter.Doc, parameter.Name)
			assert.True(t, fields[parameter.Name], "%s is a field of a fault", parameter.Name)
			assert.Contains(t, []fault.Need{fault.Required, fault.Optional, fault.AnyOf}, parameter.Need)
		}
	}
	assert.Equal(t, []string{"latency", "cut", "lose_ack", "error", "crash"}, fault.Kind("").Known())
	_, ok := fault.Kind("kill").Row()
	assert.False(t, ok)
}

func TestNeedsLinkAndMovesLeaders(t *testing.T) {
	needs := map[fault.Kind]bool{fault.Latency: true, fault.Cut: true, fault.LoseAck: true, fault.Error: false, fault.Crash: false}
	for _, row := range fault.Kinds() {
		crash := fault.Spec{Do: fault.Crash}
		specs := []fault.Spec{crash, {Do: row.Kind}}
		assert.Equal(t, needs[row.Kind], fault.NeedsLink(specs), row.Kind)
		assert.False(t, fault.MovesLeaders(specs), "an embedded broker keeps its partitions: %s", row.Kind)
		assert.Equal(t, []broker.Kind{broker.Embedded}, row.Brokers)
	}
	assert.False(t, fault.NeedsLink(nil))
}
