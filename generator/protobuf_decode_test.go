package generator

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
)

// goldenProtobuf is the reading of goldenJSON.
const goldenProtobuf = "0a 0c 636c696d6174652d30303432" + // device: climate-0042
	" 12 0c 08 80f390cb06 10 80cab5ee01" + // time: seconds, nanos
	" 1a 06 0801 1002 1803" + // location
	" 22 1d 0a 0b 74656d7065726174757265 11 0000000000803540 1a 03 c2b043 20 01" + // temperature, 21.5, °C, ok
	" 28 01" // status: ok

// unhex reads hexadecimal digits with spaces.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	bytes, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return bytes
}

func TestDecodeProtobufErrors(t *testing.T) {
	var reading, same Reading
	require.NoError(t, Protobuf.Decode(unhex(t, goldenProtobuf), &reading))
	require.NoError(t, JSON.Decode([]byte(goldenJSON), &same))
	require.Equal(t, same, reading)
	for _, test := range []struct{ old, new, message string }{
		{goldenProtobuf, "", "0: want the device, got []"},
		{"0a 0c", "08 0c", "0: want the device, got [08 0c 63 6c 69 6d 61 74]"},
		{"0a 0c", "0a 7f", "1: want the device with a length within the message, got [7f 63 6c 69 6d 61 74 65]"},
		{"0a 0c", "0a ffffffffffffffffff02", "1: want the device with a length within the message, got [ff ff ff ff ff ff ff ff]"},
		{"63", "ff", "2: want the device in UTF-8, got [ff 6c 69 6d 61 74 65 2d]"},
		{"12 0c", "1a 0c", "14: want the time, got [1a 0c 08 80 f3 90 cb 06]"},
		{"12 0c", "12 0b", "23: want the nanos as a varint, got [80 ca b5 ee]"},
		{"12 0c 08 80f390cb06", "12 0c 08 8083d1ffaf07", "16: want the seconds from -62135596800 to 253402300799, got [08 80 83 d1 ff af 07 10]"},
		{"12 0c 08 80f390cb06", "12 11 08 ff91b8c398feffffff01", "16: want the seconds from -62135596800 to 253402300799, got [08 ff 91 b8 c3 98 fe ff]"},
		{"12 0c 08 80f390cb06 10 80cab5ee01", "12 0c 08 80f390cb06 10 8094ebdc03", "22: want the nanos from 0 to 999999999, got [10 80 94 eb dc 03]"},
		{"10 80cab5ee01", "18 80cab5ee01", "22: want the end of the time, got [18 80 ca b5 ee 01]"},
		{" 1a 06 0801 1002 1803", "", "28: want the location, got [22 1d 0a 0b 74 65 6d 70]"},
		{"0801", "0800", "30: want the building from 1 to 2147483647, got [08 00 10 02 18 03]"},
		{"0801 1002", "0801 0802", "32: want the floor from 1 to 2147483647, got [08 02 18 03]"},
		{"1a 06 0801 1002 1803", "1a 04 0801 1002", "34: want the room from 1 to 2147483647, got []"},
		{"1a 06 0801", "1a 0a 08 8080808008", "30: want the building from 1 to 2147483647, got [08 80 80 80 80 08 10 02]"},
		{"22 1d", "22 1c", "66: want the status as a varint, got []"},
		{"22 1d", "22 1e", "67: want the end of a reading, got [28]"},
		{"22 1d", "22 20", "37: want a reading with a length within the message, got [20 0a 0b 74 65 6d 70 65]"},
		{"22 1d", "22 ff", "37: want a reading with a length within the message, got [ff 0a 0b 74 65 6d 70 65]"},
		{"c2b043", "c2c243", "62: want the unit in UTF-8, got [c2 c2 43 20 01]"},
		{"0000000000803540", "000000000000f07f", "52: want a value of 8 bytes, and not beyond any sensor's, got [00 00 00 00 00 00 f0 7f]"},
		{"0000000000803540", "000000000000f8ff", "52: want a value of 8 bytes, and not beyond any sensor's, got [00 00 00 00 00 00 f8 ff]"},
		{"0000000000803540", "010000000000d0c2", "52: want a value of 8 bytes, and not beyond any sensor's, got [01 00 00 00 00 00 d0 c2]"},
		{"20 01 28 01", "20 04 28 01", "65: want the status from 1 to 3, got [20 04]"},
		{" 28 01", "", "67: want the status from 1 to 3, got []"},
		{"28 01", "28", "68: want the status as a varint, got []"},
		{"28 01", "28 00", "67: want the status from 1 to 3, got [28 00]"},
		{"28 01", "28 01 28 01", "69: want the end of the payload, got [28 01]"},
		{"22 1d 0a 0b 74656d7065726174757265 11 0000000000803540 1a 03 c2b043 20 01 28 01", "22 04 11 000000", "39: want a value of 8 bytes, and not beyond any sensor's, got [00 00 00]"},
	} {
		text := goldenProtobuf
		require.Contains(t, text, test.old)
		text = replaceOnce(text, test.old, test.new)
		assert.EqualError(t, Protobuf.Decode(unhex(t, text), &reading), "decode reading: at byte "+test.message, text)
	}
}

func TestDecodeProtobufRefusesWhatIsCutOff(t *testing.T) {
	payload := unhex(t, goldenProtobuf)
	var reading Reading
	for length := range payload {
		require.Error(t, Protobuf.Decode(payload[:length], &reading), length)
	}
}

// FuzzDecodeProtobuf: whatever is accepted, google.golang.org/protobuf reads in the same way.
func FuzzDecodeProtobuf(f *testing.F) {
	published := schema(f)
	g := New(busySpec(5).as(Protobuf))
	for _, d := range all(g) {
		payload, _ := g.Append(nil, d)
		f.Add(payload)
	}
	f.Add(unhex(f, goldenProtobuf))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var decoded Reading
		if Protobuf.Decode(payload, &decoded) != nil {
			return
		}
		reference := dynamicpb.NewMessage(published)
		require.NoError(t, proto.Unmarshal(payload, reference))
		want := message(t, published, decoded)
		require.True(t, proto.Equal(want, reference), "%s instead of %s", want, reference)
	})
}
