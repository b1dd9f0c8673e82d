package fault

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/harness/broker"
)

func TestInFlight(t *testing.T) {
	var f inFlight
	answer := func(correlation uint32) any {
		key, known := f.answer(correlation)
		if !known {
			return nil
		}
		return key
	}
	assert.Nil(t, answer(1), "nothing was asked")
	f.ask(3, 1)
	f.ask(0, 2)
	f.ask(0, 3)
	f.ask(18, 4)
	assert.Equal(t, int16(3), answer(1))
	assert.Nil(t, answer(1), "answered once")
	assert.Equal(t, int16(0), answer(3))
	assert.Nil(t, answer(2), "a request before one that was answered has no answer")
	assert.Equal(t, int16(18), answer(4))
}

func TestInFlightIsBounded(t *testing.T) {
	var f inFlight
	for correlation := range uint32(10 * maxInFlight) { // as with acks=0: never answered
		f.ask(apiProduce, correlation)
	}
	assert.Len(t, f.asked, maxInFlight)
	assert.LessOrEqual(t, cap(f.asked), 2*maxInFlight)
	_, known := f.answer(9*maxInFlight - 1)
	assert.False(t, known)
	_, known = f.answer(9 * maxInFlight)
	assert.True(t, known)
}

// passing gives a stream of answers, in chunks of so many bytes, to a link with a loss, and returns what the client
// gets. Every answer in it is to a Produce request.
func passing(stream []byte, size int, loses bool) (got []byte, swallowed bool) {
	var client bytes.Buffer
	p := &passage{link: newLink(nil), line: newLine(&client)}
	p.link.change(func(f *linkFaults) { f.losses = []*loss{{strike: func() bool { return loses }}} })
	for correlation := range uint32(4) {
		p.asked.ask(apiProduce, correlation)
	}
	answers := answers{passage: p, frames: broker.Frames{Head: broker.ResponseHead}}
	for len(stream) > 0 && !swallowed {
		n := min(size, len(stream))
		swallowed = answers.pass(stream[:n])
		stream = stream[n:]
	}
	return client.Bytes(), swallowed
}

func TestAnswersAreSwallowed(t *testing.T) {
	stream := "\x00\x00\x00\x06\x00\x00\x00\x09xx" + "\x00\x00\x00\x05\x00\x00\x00\x01y" + "\x00\x00\x00\x04\x00\x00\x00\x02"
	for size := range len(stream) {
		got, swallowed := passing([]byte(stream), size+1, false)
		assert.Equal(t, stream, string(got))
		assert.False(t, swallowed)

		// The first answer is to nothing that was asked. Of the second, nothing whole arrives, nor anything behind it.
		got, swallowed = passing([]byte(stream), size+1, true)
		assert.True(t, swallowed)
		assert.GreaterOrEqual(t, len(got), 10)
		assert.Less(t, len(got), 19)
		assert.Equal(t, stream[:len(got)], string(got))
	}
}

// FuzzAnswers holds that a link changes no byte of what it passes on, whatever it is, and only leaves out the end.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x00\x00\x00\x01y\x00\x00\x00\x04\x00\x00\x00\x02"), 3)
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\n"), 1)
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\xff\xff\xff\xff"), 100)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 {
			return
		}
		got, swallowed := passing(stream, size, false)
		assert.Equal(t, string(stream), string(got))
		assert.False(t, swallowed)
		got, swallowed = passing(stream, size, true)
		assert.Equal(t, string(stream[:len(got)]), string(got))
		assert.Equal(t, swallowed, len(got) < len(stream))
	})
}
