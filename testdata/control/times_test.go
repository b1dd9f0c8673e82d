package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMergeCountsBoth(t *testing.T) {
	var all, some, others times
	for range 3 {
		some.record(10 * time.Millisecond)
		others.record(time.Second)
	}
	all.merge(&some)
	assert.InDelta(t, 0.01, all.quantile(0.9), 1e-9)
	all.merge(&others)
	assert.InDelta(t, 0.01, all.quantile(0.4), 1e-9)
	assert.InDelta(t, 1, all.quantile(0.9), 1e-9)
}
