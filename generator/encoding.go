package generator

// Encoding names a format of payloads.
type Encoding string

// The encodings.
const (
	JSON     Encoding = "json"     // what encoding/json makes of a Reading
	Protobuf Encoding = "protobuf" // the message Reading of reading.proto, which says the same
)

// Decode reads a payload that Append wrote in this encoding: the same fields in the same order, which makes it fast. On
// everything it accepts it agrees with encoding/json, or google.golang.org/protobuf. It reuses into: its values' memory, and
// its strings where they stay the same, so that reading on allocates little more than the devices' names. The error says
// what was expected and at which byte; into is then half filled.
func (e Encoding) Decode(payload []byte, into *Reading) error {
	switch e {
	case Protobuf:
		return decodeProtobuf(payload, into)
	default:
		return decodeJSON(payload, into)
	}
}

// writer appends payloads in one encoding.
type writer interface {
	append(dst []byte, m *measured) []byte
}

// writer makes the one for the readings of a Spec.
func (e Encoding) writer(spec Spec) writer {
	switch e {
	case Protobuf:
		return newProtobufWriter(spec)
	default:
		return newJSONWriter(spec)
	}
}

// seconds are the last ones as they are written, of readings in time and of late ones: each kind comes in order of time.
type seconds [2]second

// second is a second of event time.
type second struct {
	unix    int64
	written []byte // empty: not yet
}

// of is the second of a reading, still to be written where it is another than the last, and the milliseconds after it.
func (s *seconds) of(m *measured) (current *second, millis int64) {
	millis = floorMod(m.millis, 1000)
	unix := (m.millis - millis) / 1000
	current = &s[0]
	if m.late {
		current = &s[1]
	}
	if current.unix != unix {
		current.unix, current.written = unix, current.written[:0]
	}
	return current, millis
}

// another makes room for one value more. What an earlier reading left there lends its strings.
func another(values []Value) []Value {
	if len(values) < cap(values) {
		return values[:len(values)+1]
	}
	return append(values, Value{})
}
