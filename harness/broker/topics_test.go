package broker_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/broker"
)

func TestTopicNames(t *testing.T) {
	for name, legal := range map[string]bool{
		"device-data": true, "A.b_C-9": true, "...": true, strings.Repeat("x", 249): true,
		"": false, ".": false, "..": false, strings.Repeat("x", 250): false, "a b": false, "a/b": false, "straße": false, "a\n": false,
	} {
		assert.Equal(t, legal, broker.LegalTopicName(name), "%q", name)
	}
	for _, pair := range [][2]string{{"a.b", "a_b"}, {"a_b", "a.b"}, {"a.b.c", "a_b.c"}, {"a", "a"}} {
		assert.True(t, broker.CollidingTopicNames(pair[0], pair[1]), pair)
	}
	for _, pair := range [][2]string{{"a.b", "a-b"}, {"a", "b"}, {"a.b", "ab"}} {
		assert.False(t, broker.CollidingTopicNames(pair[0], pair[1]), pair)
	}
}
