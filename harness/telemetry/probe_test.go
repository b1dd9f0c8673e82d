package telemetry

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestProbeCompressesOneBatchASecond(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := New()
				ctx, cancel := context.WithCancel(t.Context())
				finished := make(chan error)
				go func() { finished <- m.Probe(ctx, codec, 1<<10) }()
				if codec == "none" {
					require.NoError(t, <-finished, "there is nothing to time")
					cancel()
					return
				}
				synctest.Wait()
				payload := []byte(strings.Repeat("reading ", 40))
				for second, want := range []uint64{1, 2, 2, 3} {
					if second != 2 { // a second without any payload has nothing to compress
						for range 10 {
							m.Sent(payload)
						}
					}
					<-time.After(probeEvery)
					synctest.Wait()
					assert.Equal(t, want, histogramOf(t, m, "fleetproof_compression_latency_seconds", "").GetSampleCount())
				}
				cancel()
				require.NoError(t, <-finished)
				m.Sent(payload)
				assert.Empty(t, m.sample.take(), "nothing is collected when nobody probes")
			})
		})
	}
}

func TestProbeRefusesAnUnknownCodec(t *testing.T) {
	err := New().Probe(t.Context(), "brotli", 1<<10)
	require.EqualError(t, err, `probe compression: unknown codec "brotli", known are none, gzip, snappy, lz4 and zstd`)
}

func TestCompressorsCompressToTheirFormat(t *testing.T) {
	codecs := map[string]kgo.CompressionCodecType{
		"gzip":   kgo.CodecGzip,
		"snappy": kgo.CodecSnappy,
		"lz4":    kgo.CodecLz4,
		"zstd":   kgo.CodecZstd,
	}
	payload := []byte(strings.Repeat("temperature ", 1000))
	for codec, kind := range codecs {
		compressor, err := compressorOf(codec)
		require.NoError(t, err)
		compressed, used := compressor.Compress(new(bytes.Buffer), payload)
		assert.Equal(t, kind, used)
		assert.Less(t, len(compressed), len(payload)/4, codec)
		back, err := kgo.DefaultDecompressor().Decompress(compressed, kind)
		require.NoError(t, err, codec)
		assert.Equal(t, payload, back, codec)
	}
}

func TestSampleHoldsABatchAndNoMore(t *testing.T) {
	var s sample
	s.offer([]byte("nobody asked"))
	assert.Empty(t, s.take())
	s.ask(10)
	s.offer([]byte("123456"))
	s.offer([]byte("7890ab"))
	s.offer([]byte("too late"))
	assert.Equal(t, "1234567890", string(s.take()))
	s.ask(4)
	s.offer([]byte("new"))
	assert.Equal(t, "new", string(s.take()), "a batch that did not fill up within the second is taken as it is")
	s.offer([]byte("x"))
	assert.Equal(t, "new", string(s.take()), "what was taken is not added to")
}
