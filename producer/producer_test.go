package producer

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStateString(t *testing.T) {
	for state, want := range map[State]string{
		Acked: "acked", Failed: "failed", Unknown: "unknown", 0: "invalid state", Unknown + 1: "invalid state",
	} {
		assert.Equal(t, want, state.String())
	}
}
