package generator

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestChosen holds who may be befallen against who is.
func TestChosen(t *testing.T) {
	spec := plainSpec(200)
	sensor := spec.Fleets[0].Sensors[0]
	first := Anomaly{
		Name: "first", At: 0, Where: Where{Devices: 0.3}, Sensor: sensor, Do: Spike, Rate: 1, To: new(1e3),
	}
	second := first
	second.Name, second.Where.Devices = "second", 0.1
	spec.Anomalies = []Anomaly{first, second}
	g := New(spec)
	befallen := map[uint32]uint64{}
	for due := g.Next(time.Minute, make([]Due, 0, 1000)); len(due) > 0; due = g.Next(time.Minute, due[:0]) {
		for _, d := range due {
			_, traits := g.Append(nil, d)
			befallen[d.Device] |= traits.Anomalies
		}
	}
	require.NotEmpty(t, befallen)
	var chosen int
	for number := range uint32(200) {
		got := g.Chosen(number)
		assert.Zero(t, befallen[number]&^got, "device %d", number)
		if got != 0 {
			chosen++
		}
	}
	assert.InDelta(t, 74, chosen, 25, "0.3 and 0.1 of 200 devices")
	assert.Zero(t, New(plainSpec(3)).Chosen(2))
}

// TestChosenTouchesNobody is for the race detector. It asks from another goroutine while readings are made: what is read does not depend on who asks.
func TestChosenTouchesNobody(t *testing.T) {
	spec := plainSpec(200)
	spec.Anomalies = []Anomaly{{
		Name: "half", At: 0, Where: Where{Devices: 0.5}, Sensor: spec.Fleets[0].Sensors[0], Do: Spike, Rate: 0.5, To: new(1e3),
	}}
	read := func(g *Generator) (payloads []byte) {
		for n := range uint32(20_000) {
			payloads, _ = g.Append(payloads, Due{Device: n % 200, Index: int64(n / 200), At: time.Duration(n) * time.Millisecond})
		}
		return payloads
	}
	want := read(New(spec))
	g := New(spec)
	var asking sync.WaitGroup
	done := make(chan struct{})
	asking.Go(func() {
		for n := uint32(0); ; n++ {
			select {
			case <-done:
				return
			default:
				g.Chosen(n % 200)
			}
		}
	})
	got := read(g)
	close(done)
	asking.Wait()
	assert.True(t, bytes.Equal(want, got))
}
