package harness

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

// write writes a record as the load does.
func write(record *producer.Record, value []byte, header byte) {
	record.Value = append(record.Value, value...)
	record.Headers[0].Value = append(record.Headers[0].Value, bytes.Repeat([]byte{header}, identityRoom)...)
}

func TestPoolKeepsRecordsApart(t *testing.T) {
	var p pool
	var taken []*producer.Record
	for i := range 3 * poolChunk {
		record := p.take()
		require.NotContains(t, taken, record)
		write(record, bytes.Repeat([]byte{byte(i)}, i*2), byte(i)) // the last are larger than their room
		taken = append(taken, record)
	}
	for i, record := range taken {
		require.Equal(t, bytes.Repeat([]byte{byte(i)}, i*2), record.Value)
		require.Len(t, record.Headers, 1)
		require.Equal(t, identityHeader, record.Headers[0].Key)
		require.Equal(t, bytes.Repeat([]byte{byte(i)}, identityRoom), record.Headers[0].Value)
	}
}

func TestPoolLetsRecordsRest(t *testing.T) {
	var p pool
	first := p.take()
	write(first, make([]byte, 1000), 1)
	p.give(first)
	given := 0
	for given <= 4*poolRest {
		record := p.take()
		if record == first {
			break
		}
		p.give(record)
		given++
	}
	require.GreaterOrEqual(t, given, poolRest)
	require.LessOrEqual(t, given, 4*poolRest, "it comes round again")
	assert.Empty(t, first.Value)
	assert.GreaterOrEqual(t, cap(first.Value), 1000, "with the room it has got")
	assert.Empty(t, first.Headers[0].Value)
	assert.Equal(t, identityRoom, cap(first.Headers[0].Value))
}

func TestPoolKeepsNoMoreThanItNeeds(t *testing.T) {
	var p pool
	var taken []*producer.Record
	for range 2 * poolMost {
		taken = append(taken, p.take())
	}
	for _, record := range taken {
		p.give(record)
	}
	assert.Len(t, p.resting, poolMost)
}

// Records go round between one goroutine that takes and others that give.
func TestPoolIsSafeForGivers(t *testing.T) {
	var p pool
	sent := make(chan *producer.Record, 64)
	var giving sync.WaitGroup
	for range 4 {
		giving.Go(func() {
			for record := range sent {
				if len(record.Value) != 1 || record.Value[0] != record.Headers[0].Value[0] {
					t.Errorf("somebody else wrote into a record: %v, %v", record.Value, record.Headers[0].Value)
				}
				p.give(record)
			}
		})
	}
	for i := range 20 * poolRest {
		record := p.take()
		write(record, []byte{byte(i)}, byte(i))
		sent <- record
	}
	close(sent)
	giving.Wait()
}

func TestPoolCostsNothing(t *testing.T) {
	var p pool
	payload, header := make([]byte, 230), make([]byte, identityRoom)
	round := func() {
		record := p.take()
		record.Value = append(record.Value, payload...)
		record.Headers[0].Value = append(record.Headers[0].Value, header...)
		p.give(record)
	}
	for range 4 * poolRest {
		round()
	}
	assert.Zero(t, testing.AllocsPerRun(10*poolRest, round), "allocations per record")
}
