package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// probeEvery is how often a batch is compressed: often enough for a graph, too seldom to take part in the load.
const probeEvery = time.Second

// Probe times the compression of a batch of payloads just sent, of so many bytes, once a second until ctx ends. With the
// codec none it returns at once. The error says that the codec is none of Kafka's: none, gzip, snappy, lz4 or zstd.
func (m *Metrics) Probe(ctx context.Context, codec string, batch int) error {
	if m == nil {
		return nil
	}
	compressor, err := compressorOf(codec)
	if err != nil {
		return fmt.Errorf("probe compression: %w", err)
	}
	if compressor == nil {
		return nil
	}
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	var compressed bytes.Buffer
	m.sample.ask(batch)
	defer m.sample.ask(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		payloads := m.sample.take()
		if len(payloads) > 0 {
			compressed.Reset()
			began := time.Now()
			compressor.Compress(&compressed, payloads)
			m.compression.Observe(time.Since(began).Seconds())
		}
		m.sample.ask(batch)
	}
}

// compressorOf returns the oracle's client's implementation of a codec, nil for none. It stands in for the compressor of
// the producer under test, which is out of reach; both compress to the same formats at the default level.
func compressorOf(codec string) (kgo.Compressor, error) {
	switch codec {
	case "none":
		return nil, nil
	case "gzip":
		return kgo.DefaultCompressor(kgo.GzipCompression())
	case "snappy":
		return kgo.DefaultCompressor(kgo.SnappyCompression())
	case "lz4":
		return kgo.DefaultCompressor(kgo.Lz4Compression())
	case "zstd":
		return kgo.DefaultCompressor(kgo.ZstdCompression())
	}
	return nil, fmt.Errorf("unknown codec %q, known are none, gzip, snappy, lz4 and zstd", codec)
}

// sample collects payloads up to the size that was asked for. While nothing is missing, which is nearly always, an offer
// costs one atomic load.
type sample struct {
	missing atomic.Int64 // bytes
	mu      sync.Mutex
	bytes   []byte
}

// offer copies as much of the payload as is still missing.
func (s *sample) offer(payload []byte) {
	if s.missing.Load() <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	piece := payload[:min(int64(len(payload)), max(s.missing.Load(), 0))]
	s.bytes = append(s.bytes, piece...)
	s.missing.Add(-int64(len(piece)))
}

// take stops the collecting and returns what came together. It is valid until the next ask.
func (s *sample) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing.Store(0)
	return s.bytes
}

// ask begins a new collection of so many bytes.
func (s *sample) ask(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = s.bytes[:0]
	s.missing.Store(int64(size))
}
