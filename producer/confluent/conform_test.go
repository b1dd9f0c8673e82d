package confluent

import (
	"testing"

	"github.com/fleetproof/fleetproof/harness/fleettest"
)

func TestConform(t *testing.T) { fleettest.Conform(t, New) }
