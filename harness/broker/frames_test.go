package broker_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// frameOf writes a frame with the given content.
func frameOf(content string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
}

// scan gives a stream to Frames in chunks of so many bytes and returns the heads and where in the stream they ended.
func scan(t *testing.T, head, size int, stream []byte) (heads []string, ends []int, strange error) {
	t.Helper()
	frames := broker.Frames{Head: head}
	for at := 0; at < len(stream); {
		chunk := stream[at:min(at+size, len(stream))]
		for len(chunk) > 0 {
			start, end, head, err := frames.Next(chunk)
			require.LessOrEqual(t, 0, start)
			require.LessOrEqual(t, start, end)
			require.LessOrEqual(t, end, len(chunk))
			if err != nil {
				return heads, ends, err
			}
			if head == nil {
				require.Equal(t, len(chunk), end, "a chunk without a head is used up")
			} else {
				heads = append(heads, string(head))
				ends = append(ends, at+end)
			}
			chunk, at = chunk[end:], at+end
		}
	}
	return heads, ends, nil
}

func TestFrames(t *testing.T) {
	stream := bytes.Join([][]byte{frameOf("headHEAD"), frameOf("abcdEFGH and a body"), frameOf("12345678")}, nil)
	for size := 1; size <= len(stream); size++ {
		heads, ends, err := scan(t, broker.RequestHead, size, stream)
		require.NoError(t, err)
		assert.Equal(t, []string{"headHEAD", "abcdEFGH", "12345678"}, heads)
		assert.Equal(t, []int{12, 24, 47}, ends)

		heads, _, err = scan(t, broker.ResponseHead, size, stream)
		require.NoError(t, err)
		assert.Equal(t, []string{"head", "abcd", "1234"}, heads)
	}
}

func TestFramesStart(t *testing.T) {
	frames := broker.Frames{Head: broker.ResponseHead}
	chunk := append(frameOf("1234 body"), frameOf("5678")[:2]...)
	start, end, head, err := frames.Next(chunk)
	require.NoError(t, err)
	assert.Equal(t, []any{0, 8, "1234"}, []any{start, end, string(head)})
	start, end, head, err = frames.Next(chunk[8:]) // the body and the beginning of a length
	require.NoError(t, err)
	assert.Equal(t, []any{5, 7, []byte(nil)}, []any{start, end, head})
	start, end, head, err = frames.Next(frameOf("5678")[2:]) // a frame that started before this chunk
	require.NoError(t, err)
	assert.Equal(t, []any{0, 6, "5678"}, []any{start, end, string(head)})
}

func TestFramesOfAnotherProtocol(t *testing.T) {
	for stream, want := range map[string]string{
		"\xff\xff\xff\xff": "a frame of -1 bytes",
		"\x00\x00\x00\x07": "a frame of 7 bytes",
		"\x06\x40\x00\x01": "a frame of 104857601 bytes",
		"GET / HTTP/1.1":   "a frame of 1195725856 bytes",
	} {
		_, _, err := scan(t, broker.RequestHead, 100, []byte(stream))
		require.EqualError(t, err, want)
	}
	_, _, err := scan(t, broker.RequestHead, 100, []byte("\x06\x40\x00\x00"))
	require.NoError(t, err, "the longest frame there is")
}

// FuzzFrames holds that the size of the chunks changes nothing.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(nil), 1)
	f.Add(bytes.Join([][]byte{frameOf("headHEAD and body"), frameOf("headHEAD")}, nil), 3)
	f.Add([]byte("GET / HTTP/1.1\r\n"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || len(stream) == 0 {
			return
		}
		wholeHeads, wholeEnds, wholeErr := scan(t, broker.RequestHead, len(stream), stream)
		heads, ends, err := scan(t, broker.RequestHead, size, stream)
		assert.Equal(t, wholeHeads, heads)
		assert.Equal(t, wholeEnds, ends)
		assert.Equal(t, wholeErr, err)
	})
}
