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

// profileOf is a profile of these strings, with another field before each.
func profileOf(strings ...string) (plain []byte) {
	const period = 12
	for _, text := range strings {
		plain = protowire.AppendTag(plain, period, protowire.VarintType)
		plain = protowire.AppendVarint(plain, 10)
		plain = protowire.AppendTag(plain, stringTable, protowire.BytesType)
		plain = protowire.AppendString(plain, text)
	}
	return plain
}

func zip(t *testing.T, plain []byte) []byte {
	t.Helper()
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, err := writer.Write(plain)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return zipped.Bytes()
}

func unzip(t *testing.T, zipped []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(zipped))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return plain
}

func TestPathsAreLeftOut(t *testing.T) {
	got, err := withoutPaths(zip(t, profileOf("", "/home/someone/fleetproof", "main.main", "example.com/m/main.go")))
	require.NoError(t, err)
	assert.Equal(t, profileOf("", "", "main.main", "example.com/m/main.go"), unzip(t, got))
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	for name, profile := range map[string][]byte{
		"no gzip":       []byte("profile"),
		"gzip cut off":  zip(t, profileOf("main.main"))[:20],
		"a field alone": zip(t, []byte{stringTable<<3 | byte(protowire.BytesType), 0xff}),
		"no field":      zip(t, []byte{0xff}),
	} {
		_, err := withoutPaths(profile)
		assert.Error(t, err, name)
	}
}

// TestTheProfileOfTheCommand reads the one that the command is compiled with.
func TestTheProfileOfTheCommand(t *testing.T) {
	committed, err := os.ReadFile("../../cmd/fleetproof/default.pgo")
	require.NoError(t, err)
	plain := unzip(t, committed)
	assert.Contains(t, string(plain), "github.com/fleetproof/fleetproof/harness.(*run).outcome")
	again, err := withoutPaths(committed)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(plain, unzip(t, again)), "no path is left to be emptied")
}
