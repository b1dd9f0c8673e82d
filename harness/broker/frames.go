package broker

import (
	"encoding/binary"
	"fmt"
)

// MaxFrame is the longest request or response that is taken for one: Kafka's own default of socket.request.max.bytes.
const MaxFrame = 100 << 20

const (
	// RequestHead is how many bytes after the length of a request are its API key (2), version (2) and correlation id (4).
	RequestHead = 8
	// ResponseHead is how many bytes after the length of a response are its correlation id.
	ResponseHead = 4
)

// Frames follows a stream of Kafka requests or responses as its bytes pass by, in chunks of any size, and finds where
// each frame begins. It reads no more than a frame's length and its Head first bytes, and keeps nothing else.
//
// https://kafka.apache.org/protocol#protocol_common: a frame is its length in 4 bytes, big endian, and so many bytes.
type Frames struct {
	Head int // RequestHead or ResponseHead

	begun [4 + RequestHead]byte
	have  int // bytes in begun
	left  int // bytes of the present frame behind its head
}

// Next finds the next frame that begins, or whose head is completed, in chunk. The frame starts at chunk[start], or at 0
// when it started in an earlier chunk; its head ends before chunk[end], and chunk[end:] is what to look at next. A nil
// head says that the chunk ended first. The head is valid until the next call. An error says that this is not Kafka's
// protocol; nothing can be found from there on.
func (f *Frames) Next(chunk []byte) (start, end int, head []byte, err error) {
	start = min(f.left, len(chunk))
	f.left -= start
	if f.left > 0 {
		return start, start, nil, nil
	}
	n := copy(f.begun[f.have:4+f.Head], chunk[start:])
	f.have += n
	end = start + n
	if f.have < 4 {
		return start, end, nil, nil
	}
	length := int64(int32(binary.BigEndian.Uint32(f.begun[:])))
	if length < int64(f.Head) || length > MaxFrame {
		return start, end, nil, fmt.Errorf("a frame of %d bytes", length)
	}
	if f.have < 4+f.Head {
		return start, end, nil, nil
	}
	f.have = 0
	f.left = int(length) - f.Head
	return start, end, f.begun[4 : 4+f.Head], nil
}
