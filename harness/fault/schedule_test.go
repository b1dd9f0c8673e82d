package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPhaseAt(t *testing.T) {
	spec := Spec{At: 40 * time.Second, For: 15 * time.Second}
	tests := []struct {
		elapsed time.Duration
		now     phase
		left    time.Duration
	}{
		{-time.Second, ahead, 41 * time.Second},
		{0, ahead, 40 * time.Second},
		{40*time.Second - 1, ahead, 1},
		{40 * time.Second, inForce, 15 * time.Second},
		{50 * time.Second, inForce, 5 * time.Second},
		{55*time.Second - 1, inForce, 1},
		{55 * time.Second, over, 0},
		{time.Hour, over, 0},
	}
	for _, test := range tests {
		now, left := spec.phaseAt(test.elapsed)
		assert.Equal(t, test.now, now, test.elapsed)
		assert.Equal(t, test.left, left, test.elapsed)
	}
}
