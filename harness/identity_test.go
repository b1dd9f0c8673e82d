package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someone = identity{
	Stream: streamAlerts, Run: 0xfeedfacecafebeef, Session: 3, Device: 41_999, Sequence: 1 << 40,
	Due: 4100 * time.Millisecond, Of: 118, Anomalies: 1<<63 | 1,
}

func TestIdentityTravelsUnchanged(t *testing.T) {
	key, value := []byte("climate-0042"), []byte(`{"device":"climate-0042"}`)
	header := someone.append([]byte("before"), key, value)
	require.Len(t, header, len("before")+identitySize)

	got, intact, err := parseIdentity(header[len("before"):], key, value)
	require.NoError(t, err)
	assert.True(t, intact)
	assert.Equal(t, someone, got)
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
	assert.ErrorIs(t, err, errGarbled, "cut short")
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
		if intact {
			assert.Equal(t, header, id.append(nil, key, value), "what parses is what was written")
		}
	})
}
