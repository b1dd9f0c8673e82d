package harness

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

// taken is a record written as the load writes it.
func taken(s *slabs, value []byte, header byte) *producer.Record {
	record := s.take()
	record.Value = s.keep(append(s.room(), value...))
	record.Headers[0] = producer.Header{Value: s.keep(append(s.room(), header, header))}
	return record
}

func TestSlabsKeepRecordsApart(t *testing.T) {
	var s slabs
	var records []*producer.Record
	var want [][]byte
	for i := range 5000 {
		value := bytes.Repeat([]byte{byte(i)}, i%700)
		if i%1000 == 999 {
			value = bytes.Repeat([]byte{byte(i)}, slabBytes+1) // larger than a slab
		}
		record := taken(&s, value, byte(i))
		require.Equal(t, len(record.Value), cap(record.Value), "nobody can append into what follows")
		require.Equal(t, 1, cap(record.Headers))
		records, want = append(records, record), append(want, value)
	}
	for i, record := range records {
		require.True(t, bytes.Equal(want[i], record.Value), "value %d", i)
		require.Equal(t, []producer.Header{{Value: []byte{byte(i), byte(i)}}}, record.Headers)
	}
}

func TestSlabsAreUsedAgain(t *testing.T) {
	var s slabs
	first := taken(&s, make([]byte, 100), 1)
	s.give(first.Token)
	others := 1
	for ; others <= 10*slabRecords; others++ {
		record := taken(&s, make([]byte, 100), 2)
		if record == first {
			break
		}
		s.give(record.Token)
	}
	assert.Equal(t, (1+slabsRest)*slabRecords, others, "after its slab and those after which it rests")
}

func TestSlabsWaitForTheLastRecord(t *testing.T) {
	var s slabs
	kept := taken(&s, []byte("kept"), 1)
	for range 20 * slabRecords {
		record := taken(&s, make([]byte, 1000), 2) // so large that slabs are closed before all their records are taken
		require.NotSame(t, kept, record)
		s.give(record.Token)
	}
	assert.Equal(t, "kept", string(kept.Value))
}

func TestSlabsKeepNoMoreThanTheyNeed(t *testing.T) {
	var s slabs
	var tokens []producer.Token
	for range 2 * slabsMost * slabRecords {
		tokens = append(tokens, taken(&s, nil, 1).Token)
	}
	for _, token := range tokens {
		s.give(token)
	}
	assert.Len(t, s.rested, slabsMost)
	s.give(producer.Token{}) // one that nobody has taken
}

// Records go round between one goroutine that takes and others that give.
func TestSlabsAreSafeForGivers(t *testing.T) {
	var s slabs
	sent := make(chan *producer.Record, 64)
	var giving sync.WaitGroup
	for range 4 {
		giving.Go(func() {
			for record := range sent {
				if len(record.Value) != 1 || record.Value[0] != record.Headers[0].Value[0] {
					t.Errorf("somebody else wrote into a record: %v, %v", record.Value, record.Headers[0].Value)
				}
				s.give(record.Token)
			}
		})
	}
	for i := range 100 * slabRecords {
		sent <- taken(&s, []byte{byte(i)}, byte(i))
	}
	close(sent)
	giving.Wait()
}

func TestSlabsCostNothing(t *testing.T) {
	var s slabs
	payload := bytes.Repeat([]byte("x"), 230)
	round := func() { s.give(taken(&s, payload, 'x').Token) }
	for range 10 * slabRecords {
		round()
	}
	assert.Zero(t, testing.AllocsPerRun(100*slabRecords, round), "allocations per record")
}
