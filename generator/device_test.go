package generator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDevices(t *testing.T) {
	spec := plainSpec(1)
	spec.Location = Location{Buildings: 2, Floors: 3, Rooms: 4}
	spec.Fleets = []Fleet{fleetOf("climate", 3, time.Second, 0), fleetOf("power", 30, time.Second, 0), fleetOf("door", 1, time.Second, 0)}
	g := New(spec)
	assert.Equal(t, 34, g.Devices())
	for key, want := range map[string]Device{
		"climate-0000": {Number: 0, Fleet: 0, Index: 0, Place: Place{1, 1, 1}},
		"climate-0001": {Number: 1, Fleet: 0, Index: 1, Place: Place{2, 1, 1}},
		"climate-0002": {Number: 2, Fleet: 0, Index: 2, Place: Place{1, 2, 1}},
		"power-0000":   {Number: 3, Fleet: 1, Index: 0, Place: Place{1, 1, 1}},
		"power-0006":   {Number: 9, Fleet: 1, Index: 6, Place: Place{1, 1, 2}},
		"power-0023":   {Number: 26, Fleet: 1, Index: 23, Place: Place{2, 3, 4}},
		"power-0024":   {Number: 27, Fleet: 1, Index: 24, Place: Place{1, 1, 1}},
		"door-0000":    {Number: 33, Fleet: 2, Index: 0, Place: Place{1, 1, 1}},
	} {
		assert.Equal(t, want, g.Device(want.Number))
		assert.Equal(t, key, g.Key(want.Number))
	}
}

func TestDevicesAreSpreadEvenly(t *testing.T) {
	for _, devices := range []int{1, 7, 100, 300, 499, 500, 501, 1000, 10_000} {
		g := New(plainSpec(devices))
		buildings, floors, rooms := map[int]int{}, map[[2]int]int{}, map[Place]int{}
		for number := range uint32(devices) {
			place := g.Device(number).Place
			buildings[place.Building]++
			floors[[2]int{place.Building, place.Floor}]++
			rooms[place]++
		}
		even(t, devices, 2, buildings)
		even(t, devices, 20, floors)
		even(t, devices, 500, rooms)
	}
}

// even checks that so many devices in so many places make no two places differ by more than one.
func even[K comparable](t *testing.T, devices, places int, counts map[K]int) {
	t.Helper()
	require.Len(t, counts, min(devices, places))
	for _, count := range counts {
		require.True(t, count == devices/places || count == (devices+places-1)/places, "%d of %d in one of %d places", count, devices, places)
	}
}

// A key is a function of the fleet's name and the index; its width has nothing to do with the fleet's size.
func TestKeys(t *testing.T) {
	const devices = 1_000_001
	spec := plainSpec(devices)
	g := New(spec)
	require.Equal(t, "climate", spec.Fleets[0].Name)
	for _, index := range []int{0, 1, 42, 9_999, 10_000, 10_001, 99_999, 100_000, 123_456, 999_999, 1_000_000, devices - 1} {
		assert.Equal(t, fmt.Sprintf("climate-%04d", index), g.Key(uint32(index)))
		assert.Len(t, appendIndex(nil, index), indexDigits(index))
	}
	assert.Equal(t, "climate-0042", New(plainSpec(43)).Key(42))
	key := make([]byte, 0, 32)
	assert.Zero(t, testing.AllocsPerRun(100, func() { key = g.AppendKey(key[:0], 123_456) }))
}
