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

	// again tampers with one record as it is read for the second time.
	again := func(tamper func(*kgo.Record) []*kgo.Record) func(*kgo.Record) []*kgo.Record {
		seen := false
		return func(r *kgo.Record) []*kgo.Record {
			if r.Partition != 1 || r.Offset != 7 {
				return []*kgo.Record{r}
			}
			if !seen {
				seen = true
				return []*kgo.Record{r}
			}
			return tamper(r)
		}
	}
	result, _ = runKept(t, text, Options{Producers: kinds, tamper: again(func(*kgo.Record) []*kgo.Record { return nil })})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 1, result.Counts["truncated"])
	assert.EqualValues(t, 1, result.Counts["acked_lost"])

	result, _ = runKept(t, text, Options{Producers: kinds, tamper: again(func(r *kgo.Record) []*kgo.Record {
		r.Value[len(r.Value)/2] ^= 1
		return []*kgo.Record{r}
	})})
	assert.Equal(t, assertions.Fail, result.Verdict)
	assert.EqualValues(t, 1, result.Counts["corrupt"])
	assert.Zero(t, result.Counts["truncated"])
}
