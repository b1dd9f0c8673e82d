package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/generator"
)

func TestShrunkKeepsProportions(t *testing.T) {
	devices := func(fleets []generator.Fleet) (all []int) {
		for _, fleet := range fleets {
			all = append(all, fleet.Devices)
		}
		return all
	}
	large := []generator.Fleet{{Devices: 750_000}, {Devices: 250_000}, {Devices: 1}}
	assert.Equal(t, []int{29_999, 9_999, 1}, devices(shrunk(large, 40_000)))
	assert.Equal(t, []int{750_000, 250_000, 1}, devices(large), "those of the scenario")
	assert.Equal(t, []int{750_000, 250_000, 1}, devices(shrunk(large, 2_000_000)), "few enough")
}
