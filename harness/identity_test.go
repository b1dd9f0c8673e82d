package harness

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someone = identity{
	Stream: streamAlerts, Run: 0xfeedfacecafebeef, Session: 3, Device: 41_999, Sequence: 1 << 40,
	Due: 4100 * time.Millisecond, Of: 118, Anomalies: 1<<63 | 1,
}

// identityRoom is the most that a header can take.
const identityRoom = identityStart + binary.MaxVarintLen16 + binary.MaxVarintLen32 + 4*binary.MaxVarintLen64 + identityEnd

func TestIdentityTravelsUnchanged(t *testing.T) {
	key, value := []byte("climate-0042"), []byte(`{"device":"climate-0042"}`)
	header := someone.append([]byte("before"), key, value)
	require.LessOrEqual(t, len(header), len("before")+identityRoom)

	got, intact, err := parseIdentity(header[len("before"):], key, value)
	require.NoError(t, err)
	assert.True(t, intact)
	assert.Equal(t, someone, got)
}

// What a record of a usual run costs on the wire, and what it can cost at most.
func TestIdentityIsSmall(t *testing.T) {
	usual := identity{Run: math.MaxUint64, Device: 9_999, Sequence: 200, Due: 10 * time.Minute}
	assert.Len(t, usual.append(nil, nil, nil), 33)
	largest := identity{
		Stream: math.MaxUint8, Run: math.MaxUint64, Session: math.MaxUint16, Device: math.MaxUint32, Sequence: math.MaxUint64,
		Due: -1, Of: math.MaxUint64, Anomalies: math.MaxUint64,
	}
	header := largest.append(nil, nil, nil)
	assert.Len(t, header, identityRoom)
	got, intact, err := parseIdentity(header, nil, nil)
	require.NoError(t, err)
	assert.True(t, intact)
	assert.Equal(t, largest, got)
}

func TestIdentityKnowsADamagedPayload(t *testing.T) {
	header := someone.append(nil, []byte("key"), []byte("value"))
	for name, payload := range map[string][2]string{
		"another key":      {"kex", "value"},
		"another value":    {"key", "valuf"},
		"a byte moved":     {"keyv", "alue!"},
		"nothing at all":   {"", ""},
		"a shorter value":  {"key", "valu"},
		"key and value of": {"value", "key"},
	} {
		got, intact, err := parseIdentity(header, []byte(payload[0]), []byte(payload[1]))
		require.NoError(t, err, name)
		assert.False(t, intact, name)
		assert.Equal(t, someone, got, "the identity survives: "+name)
	}
}

func TestIdentityIsNeverMistaken(t *testing.T) {
	header := someone.append(nil, []byte("key"), []byte("value"))
	for position := 2; position < len(header); position++ {
		for bit := range 8 {
			damaged := append([]byte(nil), header...)
			damaged[position] ^= 1 << bit
			_, _, err := parseIdentity(damaged, []byte("key"), []byte("value"))
			require.ErrorIs(t, err, errGarbled, "byte %d, bit %d", position, bit)
		}
	}
	for name, foreign := range map[string][]byte{"none": nil, "one byte": {'F'}, "another product's": []byte("traceparent")} {
		_, _, err := parseIdentity(foreign, nil, nil)
		require.ErrorIs(t, err, errNoIdentity, name)
	}
	_, _, err := parseIdentity(header[:20], nil, nil)
	require.ErrorIs(t, err, errGarbled, "cut short")

	// With a checksum that fits, and a content that cannot be.
	for name, content := range map[string][]byte{
		"too few numbers":    {0, 1, 2, 3, 4},
		"too many":           {0, 1, 2, 3, 4, 5, 6},
		"an endless one":     {0, 1, 2, 3, 4, 0x80},
		"a session too high": {0x80, 0x80, 4, 1, 2, 3, 4, 5},
		"a device too high":  {0, 0x80, 0x80, 0x80, 0x80, 16, 2, 3, 4, 5},
	} {
		made := append([]byte{'F', 'P', identityVersion, 0, 1, 2, 3, 4, 5, 6, 7, 8}, content...)
		made = binary.BigEndian.AppendUint32(made, payloadChecksum(nil, nil))
		made = binary.BigEndian.AppendUint32(made, crc32.Checksum(made, castagnoli))
		_, _, err := parseIdentity(made, nil, nil)
		require.ErrorIs(t, err, errGarbled, name)
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add(someone.append(nil, []byte("key"), []byte("value")), []byte("key"), []byte("value"))
	f.Add([]byte("FP"), []byte(nil), []byte(nil))
	f.Add([]byte{}, []byte("key"), []byte("value"))
	f.Fuzz(func(t *testing.T, header, key, value []byte) {
		id, intact, err := parseIdentity(header, key, value)
		if err != nil {
			assert.Zero(t, id)
			assert.False(t, intact)
			return
		}
		if intact { // a varint may be written longer than it needs to be, so that the bytes may differ
			again, intact, err := parseIdentity(id.append(nil, key, value), key, value)
			require.NoError(t, err)
			assert.True(t, intact)
			assert.Equal(t, id, again, "what parses is what was written")
		}
	})
}
