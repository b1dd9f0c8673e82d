package generator

import (
	"encoding/binary"
	"math"
	"slices"
)

// The tags of the fields in reading.proto: eight times the number, and how the field lies on the wire.
const (
	tagDevice   = 1<<3 | wireBytes
	tagTime     = 2<<3 | wireBytes
	tagLocation = 3<<3 | wireBytes
	tagReadings = 4<<3 | wireBytes
	tagStatus   = 5<<3 | wireVarint

	tagSeconds = 1<<3 | wireVarint // of google.protobuf.Timestamp
	tagNanos   = 2<<3 | wireVarint

	tagBuilding = 1<<3 | wireVarint
	tagFloor    = 2<<3 | wireVarint
	tagRoom     = 3<<3 | wireVarint

	tagSensor      = 1<<3 | wireBytes
	tagValue       = 2<<3 | wireFixed64
	tagUnit        = 3<<3 | wireBytes
	tagValueStatus = 4<<3 | wireVarint
)

// How fields lie on the wire: https://protobuf.dev/programming-guides/encoding.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2 // a length, and as many bytes
)

// statusNumber is the number of StatusOK in reading.proto. Those of the others follow.
const statusNumber = 1

// protobufWriter writes what google.golang.org/protobuf makes of a Reading, its fields in order of their numbers. What the
// readings of a fleet, of a sensor or of a second have in common is written once and copied from then on.
type protobufWriter struct {
	fleets  []protobufFleet
	seconds seconds
}

// protobufFleet is what the readings of a fleet have in common.
type protobufFleet struct {
	device  []byte // up to the device's index, without tag and length
	sensors []protobufSensor
}

// protobufSensor is what the values of a sensor have in common.
type protobufSensor struct {
	value  []byte                // up to the value
	status [len(statuses)][]byte // all after the value, by status
	zero   [len(statuses)][]byte // the whole where the value is 0, which proto3 leaves out
}

func newProtobufWriter(spec Spec) *protobufWriter {
	w := &protobufWriter{}
	for _, fleet := range spec.Fleets {
		f := protobufFleet{device: []byte(validText(fleet.Name) + "-")}
		for _, name := range fleet.Sensors {
			f.sensors = append(f.sensors, newProtobufSensor(name, spec.Sensors[name].Unit))
		}
		w.fleets = append(w.fleets, f)
	}
	return w
}

func newProtobufSensor(name, unit string) protobufSensor {
	var s protobufSensor
	sensor := appendText(nil, tagSensor, name)
	for i := range statuses {
		s.status[i] = append(appendText(nil, tagUnit, unit), tagValueStatus, byte(i)+statusNumber)
		s.zero[i] = appendBytes(nil, tagReadings, slices.Concat(sensor, s.status[i]))
	}
	const value = 1 + 8 // its tag and a float64
	s.value = binary.AppendUvarint([]byte{tagReadings}, uint64(len(sensor)+value+len(s.status[0])))
	s.value = append(append(s.value, sensor...), tagValue)
	return s
}

func (w *protobufWriter) append(dst []byte, m *measured) []byte {
	fleet := &w.fleets[m.fleet]
	dst = append(dst, tagDevice)
	dst = binary.AppendUvarint(dst, uint64(len(fleet.device)+indexDigits(m.index)))
	dst = append(dst, fleet.device...)
	dst = appendIndex(dst, m.index)
	dst = w.time(dst, m)
	dst = append(dst, tagLocation, 0)
	begin := len(dst)
	dst = binary.AppendUvarint(append(dst, tagBuilding), uint64(m.place.Building))
	dst = binary.AppendUvarint(append(dst, tagFloor), uint64(m.place.Floor))
	dst = binary.AppendUvarint(append(dst, tagRoom), uint64(m.place.Room))
	dst[begin-1] = byte(len(dst) - begin) // three numbers: never as long as to need another byte
	for i := range m.values {
		v := &m.values[i]
		sensor := &fleet.sensors[v.sensor]
		if v.hundredths == 0 {
			dst = append(dst, sensor.zero[v.status]...)
			continue
		}
		dst = append(dst, sensor.value...)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v.hundredths)/100))
		dst = append(dst, sensor.status[v.status]...)
	}
	return append(dst, tagStatus, byte(m.status)+statusNumber)
}

// time appends the event time as a google.protobuf.Timestamp.
func (w *protobufWriter) time(dst []byte, m *measured) []byte {
	second, millis := w.seconds.of(m)
	if len(second.written) == 0 {
		second.written = append(second.written, tagTime, 0)
		if second.unix != 0 {
			second.written = binary.AppendUvarint(append(second.written, tagSeconds), uint64(second.unix))
		}
	}
	dst = append(dst, second.written...)
	begin := len(dst) - len(second.written) + 2
	if millis > 0 {
		dst = binary.AppendUvarint(append(dst, tagNanos), uint64(millis)*1_000_000)
	}
	dst[begin-1] = byte(len(dst) - begin)
	return dst
}

// appendText appends a field of text, unless it is empty.
func appendText(dst []byte, tag byte, text string) []byte {
	if text == "" {
		return dst
	}
	return appendBytes(dst, tag, []byte(validText(text)))
}

func appendBytes(dst []byte, tag byte, content []byte) []byte {
	dst = binary.AppendUvarint(append(dst, tag), uint64(len(content)))
	return append(dst, content...)
}

// validText replaces what is not UTF-8, which proto3 forbids, as encoding/json does.
func validText(text string) string { return string([]rune(text)) }
