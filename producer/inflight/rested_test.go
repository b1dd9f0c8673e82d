package inflight

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRestedTakesOneOfTheLatest(t *testing.T) {
	var r Rested[int]
	assert.Nil(t, r.Take())
	for i := range Rest + 2 {
		r.Give(&i)
	}
	assert.Equal(t, 1, *r.Take(), "as many were given back after it as it has to rest for")
	assert.Equal(t, 0, *r.Take())
	assert.Nil(t, r.Take())
}

func TestRestedKeepsNoMoreThanItNeeds(t *testing.T) {
	var r Rested[int]
	for range 2 * RestMost {
		r.Give(new(int))
	}
	assert.Len(t, r.pieces, RestMost)
}
