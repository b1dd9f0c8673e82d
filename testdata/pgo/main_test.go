package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

func profileOf(t *testing.T, strings ...string) []byte {
	t.Helper()
	var plain []byte
	for _, text := range strings {
		plain = protowire.AppendTag(plain, 12, protowire.VarintType) // the period, between them
		plain = protowire.AppendVarint(plain, 10)
		plain = protowire.AppendTag(plain, stringTable, protowire.BytesType)
		plain = protowire.AppendString(plain, text)
	}
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, err := writer.Write(plain)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return zipped.Bytes()
}

func unzip(t *testing.T, profile []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(profile))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return plain
}

func TestPathsAreLeftOut(t *testing.T) {
	got, err := withoutPaths(profileOf(t, "", "/home/someone/fleetproof", "main.main", "example.com/m/main.go"))
	require.NoError(t, err)
	assert.Equal(t, unzip(t, profileOf(t, "", "", "main.main", "example.com/m/main.go")), unzip(t, got))
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	for name, profile := range map[string][]byte{
		"no gzip":     []byte("profile"),
		"cut short":   profileOf(t, "main.main")[:20],
		"no protobuf": func() []byte { p := profileOf(t); return p[:len(p)-3] }(),
	} {
		_, err := withoutPaths(profile)
		assert.Error(t, err, name)
	}
}

// TestTheProfileTellsNothingOfTheMachine reads the one that the command is compiled with.
func TestTheProfileTellsNothingOfTheMachine(t *testing.T) {
	committed, err := os.ReadFile("../../cmd/fleetproof/default.pgo")
	require.NoError(t, err)
	plain := unzip(t, committed)
	assert.Contains(t, string(plain), "github.com/fleetproof/fleetproof/harness.(*run).outcome")
	again, err := withoutPaths(committed)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(plain, unzip(t, again)), "no absolute path is left to be emptied")
}
