package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/fleettest"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestClosedLoopConforms(t *testing.T) {
	kind := closed(sarama.Kind(), 1000)
	assert.Equal(t, "closed-sarama", kind.Name)
	fleettest.Conform(t, kind.New)
}
