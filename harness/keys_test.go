package harness

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeys(t *testing.T) {
	var k keys
	for i := range 12_000 {
		k.add(fmt.Sprintf("climate-%04d", i))
	}
	for _, i := range []uint32{0, 1, 42, 9999, 10_000, 11_999} {
		key := k.of(i)
		assert.Equal(t, fmt.Sprintf("climate-%04d", i), string(key))
		assert.Equal(t, len(key), cap(key))
	}
}
