package harness

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSlabKeepsEveryPieceApart(t *testing.T) {
	var s slab
	var kept, want [][]byte
	for i := range 5000 {
		text := bytes.Repeat([]byte{byte(i)}, i%700)
		if i%1000 == 999 {
			text = bytes.Repeat([]byte{byte(i)}, slabBytes+1) // larger than a whole piece
		}
		piece := s.keep(append(s.start(), text...))
		kept, want = append(kept, piece), append(want, text)
		require.Equal(t, len(piece), cap(piece), "nobody can append into the next piece")
	}
	for i := range kept {
		require.True(t, bytes.Equal(want[i], kept[i]), "piece %d", i)
	}
}

func TestSlabRecordsAreFreshAndDistinct(t *testing.T) {
	var s slab
	seen := map[any]bool{}
	for range 3 * slabRecords {
		record := s.record()
		require.Zero(t, *record)
		require.False(t, seen[record])
		seen[record] = true
		record.Headers = s.header([]byte("x"))
		require.Len(t, record.Headers, 1)
		require.Equal(t, 1, cap(record.Headers))
	}
}

func TestSlabCostsLittle(t *testing.T) {
	var s slab
	payload := bytes.Repeat([]byte("x"), 230)
	allocations := testing.AllocsPerRun(10_000, func() {
		s.keep(append(s.start(), payload...))
		s.record().Headers = s.header(append(s.start(), payload[:identitySize]...))
	})
	assert.Less(t, allocations, 0.1, "allocations per record")
}

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
