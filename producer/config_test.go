package producer

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0B":                   0,
		"512B":                 512,
		"1KiB":                 1 << 10,
		"16KiB":                16 << 10,
		"1MiB":                 1 << 20,
		"3GiB":                 3 << 30,
		"1025B":                1025,
		"0KiB":                 0,
		"007KiB":               7 << 10,
		"8191PiB":              -1,
		"8589934591GiB":        math.MaxInt - 1<<30 + 1,
		"8589934592GiB":        -1,
		"9223372036854775807B": math.MaxInt,
		"9223372036854775808B": -1,
		"":                     -1,
		"B":                    -1,
		"KiB":                  -1,
		"16":                   -1,
		"16K":                  -1,
		"16KB":                 -1,
		"16kiB":                -1,
		"16 KiB":               -1,
		" 16KiB":               -1,
		"16KiB ":               -1,
		"-1KiB":                -1,
		"+1KiB":                -1,
		"1.5MiB":               -1,
		"0x10B":                -1,
		"1_000B":               -1,
		"1e3B":                 -1,
	} {
		t.Run(text, func(t *testing.T) {
			size := Size(-7)
			err := size.UnmarshalText([]byte(text))
			if want < 0 {
				require.Error(t, err)
				assert.Contains(t, err.Error(), "want a whole number of bytes with its unit, such as 16KiB, 1MiB or 512B, got ")
				assert.Equal(t, Size(-7), size, "a refused text leaves the size as it was")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, want, size)
		})
	}
}

func TestSizeString(t *testing.T) {
	for size, want := range map[Size]string{
		0: "0B", 1: "1B", 1023: "1023B", 1 << 10: "1KiB", 1025: "1025B", 1536: "1536B", 16 << 10: "16KiB", 1 << 20: "1MiB",
		1<<20 + 1<<10: "1025KiB", 1 << 30: "1GiB", 1 << 40: "1024GiB", math.MaxInt: "9223372036854775807B",
	} {
		assert.Equal(t, want, size.String())
	}
}

func FuzzSize(f *testing.F) {
	for _, seed := range []string{"16KiB", "0B", "8589934591GiB", "9223372036854775807B", "-1B", "1.5MiB", "KiB", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var size Size
		if size.UnmarshalText([]byte(text)) != nil {
			return
		}
		require.GreaterOrEqual(t, size, Size(0))
		var again Size
		require.NoError(t, again.UnmarshalText([]byte(size.String())))
		require.Equal(t, size, again)
	})
}

func TestKnown(t *testing.T) {
	assert.Equal(t, []string{"all", "1", "0"}, Acks("").Known())
	assert.Equal(t, []string{"none", "gzip", "snappy", "lz4", "zstd"}, Compression("").Known())
	assert.Equal(t, []string{"json", "protobuf"}, Encoding("").Known())
}
