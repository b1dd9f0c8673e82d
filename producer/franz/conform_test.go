package franz_test

import (
	"testing"

	"github.com/fleetproof/fleetproof/harness/fleettest"
	"github.com/fleetproof/fleetproof/producer/franz"
)

func TestConform(t *testing.T) { fleettest.Conform(t, franz.New) }
