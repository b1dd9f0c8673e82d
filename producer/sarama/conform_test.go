package sarama_test

import (
	"testing"

	"github.com/fleetproof/fleetproof/harness/fleettest"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestConform(t *testing.T) { fleettest.Conform(t, sarama.New) }
