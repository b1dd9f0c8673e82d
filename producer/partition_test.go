package producer

import (
	"fmt"
	"hash/fnv"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMurmur2 holds the vectors of Kafka's own UtilsTest.testMurmur2, and one or more for each length of the tail.
func TestMurmur2(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
		"":    275646681,
		// The golden values that librdkafka's rdmurmur2.c holds against the Java client.
		"kafka":             -798503068,
		"giberish123456789": -1890243828,
		"1234":              -1614185708,
		"234":               -406844982,
		"34":                -2026295078,
	} {
		assert.Equal(t, want, int32(murmur2([]byte(key))), "murmur2 of %q", key)
	}
}

// TestFNV1a holds the vectors that the authors of the hash publish.
func TestFNV1a(t *testing.T) {
	for key, want := range map[string]uint32{
		"":       0x811c9dc5,
		"a":      0xe40c292c,
		"b":      0xe70c2de5,
		"fo":     0x6222e842,
		"foobar": 0xbf9cf968,
	} {
		assert.Equal(t, want, fnv1a([]byte(key)), "FNV-1a of %q", key)
	}
}

func TestPartition(t *testing.T) {
	const all = math.MaxInt32
	for _, c := range []struct {
		partitioner Partitioner
		key         string
		partitions  int32
		want        int32
	}{
		// 123456789 is the check input of the CRC catalogue; CRC-32/ISO-HDLC gives cbf43926.
		{PartitionerCRC32, "123456789", 16, 0x6},
		{PartitionerCRC32, "123456789", 12, 0xcbf43926 % 12},
		{PartitionerCRC32, "123456789", all, 0xcbf43926 % all},
		// What the Java client does with the vectors above: toPositive clears the sign bit.
		{PartitionerMurmur2, "foobar", 50, 16},
		{PartitionerMurmur2, "21", all, -973932308 & all},
		{PartitionerMurmur2, "abc", 12, 479470107 % 12},
		// FNV-1a of foobar is bf9cf968, as a signed number -1080231576.
		{PartitionerHash, "foobar", 12, 1080231576 % 12},
		{PartitionerReferenceHash, "foobar", 12, 0x3f9cf968 % 12},
		{PartitionerFailover, "foobar", 12, 1080231576 % 12},
		// These hash to 80000000, the number whose absolute value is itself.
		{PartitionerHash, "climate-0401003027", 12, 8},
		{PartitionerFailover, "climate-0401003027", 12, 8},
		{PartitionerReferenceHash, "climate-0401003027", 12, 0},
		{PartitionerMurmur2, "climate-20253y0c", 12, 0},
		{PartitionerCRC32, "climate-004450666", 12, 8},
		{PartitionerHash, "climate-0001", 1, 0},
		{PartitionerHash, "climate-0001", 0, -1},
		{PartitionerMurmur2, "climate-0001", -3, -1},
		{"round_robin", "climate-0001", 12, -1},
		{"", "climate-0001", 12, -1},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.partitioner, c.key, c.partitions), func(t *testing.T) {
			assert.Equal(t, c.want, c.partitioner.Partition([]byte(c.key), c.partitions))
		})
	}
}

func TestPartitionerFixed(t *testing.T) {
	assert.Equal(t, []string{"hash", "reference_hash", "murmur2", "crc32", "failover"}, Partitioner("").Known())
	for _, known := range Partitioner("").Known() {
		assert.Equal(t, known != "failover", Partitioner(known).Fixed(), known)
	}
	assert.False(t, Partitioner("round_robin").Fixed())
}

func TestPartitionAllocatesNothing(t *testing.T) {
	key := []byte("climate-0042")
	for _, known := range Partitioner("").Known() {
		partitioner := Partitioner(known)
		require.Zero(t, testing.AllocsPerRun(100, func() { partitioner.Partition(key, 24) }), known)
	}
}

// FuzzPartition holds what every partitioner promises: one of the partitions, always the same. The hash is held against
// the standard library's too.
func FuzzPartition(f *testing.F) {
	f.Add([]byte("climate-0042"), int32(12))
	f.Add([]byte("climate-0401003027"), int32(12))
	f.Add([]byte("climate-20253y0c"), int32(1))
	f.Add([]byte(nil), int32(24))
	f.Add([]byte{0xff}, int32(math.MaxInt32))
	f.Add([]byte("x"), int32(0))
	f.Fuzz(func(t *testing.T, key []byte, partitions int32) {
		h := fnv.New32a()
		h.Write(key)
		require.Equal(t, h.Sum32(), fnv1a(key))
		for _, known := range Partitioner("").Known() {
			got := Partitioner(known).Partition(key, partitions)
			if partitions < 1 {
				require.EqualValues(t, -1, got, known)
				continue
			}
			require.GreaterOrEqual(t, got, int32(0), known)
			require.Less(t, got, partitions, known)
			require.Equal(t, got, Partitioner(known).Partition(key, partitions), known)
		}
	})
}

func BenchmarkPartition(b *testing.B) {
	key := []byte("climate-0042")
	for _, known := range Partitioner("").Known() {
		b.Run(known, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Partitioner(known).Partition(key, 24)
			}
		})
	}
}
