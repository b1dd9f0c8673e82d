package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
)

// TestReadsAgainWithAnotherLibrary: the client under test is built on the reader's library, so that Sarama reads it all once
// more. What it does not find was not stored, whatever the first reader saw.
func TestReadsAgainWithAnotherLibrary(t *testing.T) {
	kinds := []producer.Kind{{Name: "franz", Version: "v0.0.0", New: connectSecond}}
	text := with(t, "topic:", "producer: {kind: franz}\ntopic:")
	result, evidence := runKept(t, text, Options{Producers: kinds})
	assert.Equal(t, assertions.Pass, result.Verdict)
	assert.True(t, evidence.Readback.Rescan)

	seen := map[int32]map[int64]bool{}
	result, _ = runKept(t, text, Options{Producers: kinds, tamper: func(r *kgo.Record) []*kgo.Record {
		if seen[r.Partition] == nil {
			seen[r.Partition] = map[int64]bool{}
		}
		again := seen[r.Partition][r.Offset]
		seen[r.Partition][r.Offset] = true
		if again && r.Partition == 1 && r.Offset == 7 {
			return nil // only the first reader sees it
		}
		return []*kgo.Record{r}
	}})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 1, result.Counts["truncated"])
	assert.EqualValues(t, 1, result.Counts["acked_lost"])
}
