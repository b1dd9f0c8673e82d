package fleettest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
)

// TestMalformedOutcomes: what no outcome may say is told in words.
func TestMalformedOutcomes(t *testing.T) {
	broken := errors.New("broken")
	for want, outcome := range map[string]producer.Outcome{
		"":                               {State: producer.Acked, Offset: 3},
		"the state is 9":                 {State: 9},
		"acked with the error broken":    {State: producer.Acked, Err: broken},
		"failed without an error":        {State: producer.Failed, Offset: producer.OffsetUnset},
		"the offset is -7":               {State: producer.Acked, Offset: -7},
		"partition -2 of a topic with 4": {State: producer.Acked, Partition: -2},
		"unknown with the offset 5, not OffsetUnset": {State: producer.Unknown, Err: broken, Offset: 5},
	} {
		assert.Equal(t, want, malformed(outcome))
	}
}

// TestChangedRecords: each part of a record is compared, in memory and as it is stored.
func TestChangedRecords(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456, time.UTC)
	sent := producer.Record{
		Topic: "t", Key: []byte("k"), Value: []byte("v"), Timestamp: at,
		Headers: []producer.Header{{Key: "h", Value: []byte("1")}},
	}
	for _, test := range []struct {
		change         func(r *producer.Record)
		inMemory, kept string
	}{
		{func(*producer.Record) {}, "", ""},
		{func(r *producer.Record) { r.Topic = "u" }, `the topic is "u", and was "t"`, ""},
		{func(r *producer.Record) { r.Key = nil }, `the key is "", and was "k"`, `the key is "", sent was "k"`},
		{func(r *producer.Record) { r.Value = []byte("w") }, `the value is "w", and was "v"`, `the value is "w", sent was "v"`},
		{
			func(r *producer.Record) { r.Timestamp = at.Add(time.Second) },
			"the timestamp is 2026-03-01 12:00:01.000123456 +0000 UTC, and was 2026-03-01 12:00:00.000123456 +0000 UTC",
			"the timestamp is 2026-03-01 12:00:01 +0000 UTC, sent was 2026-03-01 12:00:00.000123456 +0000 UTC",
		},
		{func(r *producer.Record) { r.Headers = nil }, `the headers are [], and were [{"h" "1"}]`, `the headers are [], sent were [{"h" "1"}]`},
	} {
		is := sent
		test.change(&is)
		assert.Equal(t, test.inMemory, changed(sent, is))
		stored := &kgo.Record{Key: is.Key, Value: is.Value, Timestamp: is.Timestamp.Truncate(time.Millisecond)}
		for _, header := range is.Headers {
			stored.Headers = append(stored.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
		}
		assert.Equal(t, test.kept, differs(stored, sent))
	}
}

// TestStrangeOutcomes: an outcome that names no record of the book, or not as it was sent, is remembered as such.
func TestStrangeOutcomes(t *testing.T) {
	b := &book{topic: "t", of: map[*producer.Record]*entry{}}
	entries := b.add(2)
	assert.Same(t, entries[1], b.find(entries[1].record))
	assert.Empty(t, b.strange)

	assert.Nil(t, b.find(nil))
	assert.Nil(t, b.find(&producer.Record{Token: producer.Token{Sequence: 7}}))
	other := *entries[1].record
	assert.Same(t, entries[1], b.find(&other))
	entries[0].record.Token.Sequence = 1
	assert.Same(t, entries[0], b.find(entries[0].record))
	want := []string{"Outcome.Record is nil", "a record that was never sent", "is not the pointer that Send got", "its token was"}
	for i, strange := range b.strange {
		assert.Contains(t, strange, want[i])
	}
	assert.Len(t, b.strange, len(want))
}
