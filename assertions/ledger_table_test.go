package assertions

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestTableAgreesWithAMap(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 2))
		var table table
		want := make(map[identity]time.Duration)
		for step := range 3000 {
			id := identity{random.Uint32N(40), random.Uint64N(20)}
			e := table.find(id.device, id.sequence)
			due, there := want[id]
			require.Equal(t, there, e != nil, "seed %d step %d", seed, step)
			if there {
				require.Equal(t, due, e.due)
				table.remove(id.device, id.sequence)
				delete(want, id)
			} else {
				due := time.Duration(step)
				table.add(id.device, entry{sequence: id.sequence, due: due, state: entryOpen})
				want[id] = due
			}
			require.Equal(t, len(want), table.used)
		}
		for id, due := range want {
			e := table.find(id.device, id.sequence)
			require.NotNil(t, e)
			require.Equal(t, due, e.due)
		}
	}
}

func TestTableGivesBackWhatAnOutageTook(t *testing.T) {
	var table table
	for n := range uint64(100_000) {
		table.add(0, entry{sequence: n, state: entryOpen})
	}
	require.Len(t, table.slots, 1<<18)
	for n := range uint64(100_000) {
		table.remove(0, n)
	}
	for n := range uint64(3 << 18) {
		table.add(0, entry{sequence: n, state: entryOpen})
		table.remove(0, n)
	}
	require.Len(t, table.slots, tableFirst)
}

func TestTableKeepsItsSizeWhileBatchesComeAndGo(t *testing.T) {
	var table table
	for round := range 100 {
		for n := range uint64(600) {
			table.add(0, entry{sequence: n, state: entryOpen})
		}
		for n := range uint64(600) {
			table.remove(0, n)
		}
		require.Len(t, table.slots, 1024, "round %d", round)
	}
}

func TestSizesOfWhatThereAreManyOf(t *testing.T) {
	require.EqualValues(t, 64, unsafe.Sizeof(device{}), "a cache line")
	require.EqualValues(t, 40, unsafe.Sizeof(slot{}))
	require.EqualValues(t, 64, unsafe.Offsetof(shard{}.ledger), "what every record writes to is a cache line")
	l := NewLedger(LedgerConfig{Devices: 1000})
	for i := range l.shards {
		s := &l.shards[i]
		require.Zero(t, uintptr(unsafe.Pointer(s))%64)
		require.Zero(t, uintptr(unsafe.Pointer(&s.devices[0]))%64)
	}
	require.EqualValues(t, 16, runSize)
}
