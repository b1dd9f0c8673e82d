package generator

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// The seconds that a google.protobuf.Timestamp may have: from the beginning of the year 1 to the end of 9999.
const firstSecond, lastSecond = -62_135_596_800, 253_402_300_799

func decodeProtobuf(payload []byte, into *Reading) error {
	w := wire{message: payload}
	if w.text(tagDevice, "the device", &into.Device); into.Device == "" {
		w.fail("the device")
	}
	w.time(&into.Time)
	w.place(&into.Location)
	w.values(into)
	w.status(tagStatus, &into.Status)
	w.end("the payload")
	if w.err != nil {
		return fmt.Errorf("decode reading: at byte %d: %w", w.at, w.err)
	}
	return nil
}

// wire eats up a message. After the first error it does nothing.
type wire struct {
	message []byte // the payload up to the end of the message that is being read
	at      int    // how far it is read
	err     error
}

func (w *wire) fail(want string) {
	const shown = 8
	if w.err == nil {
		w.err = fmt.Errorf("want %s, got [% x]", want, w.message[w.at:min(w.at+shown, len(w.message))])
	}
}

// next takes a tag, if it is the next.
func (w *wire) next(tag byte) bool {
	if w.err != nil || w.at == len(w.message) || w.message[w.at] != tag {
		return false
	}
	w.at++
	return true
}

func (w *wire) end(name string) {
	if w.at < len(w.message) {
		w.fail("the end of " + name)
	}
}

// number takes a field from low to high, which is 0 where it is left out.
func (w *wire) number(tag byte, name string, low, high int64) int64 {
	before, n := w.at, uint64(0)
	if w.next(tag) {
		length := 0
		if n, length = binary.Uvarint(w.message[w.at:]); length <= 0 {
			w.fail(name + " as a varint")
			return 0
		}
		w.at += length
	}
	if w.err == nil && (int64(n) < low || int64(n) > high) {
		w.at = before
		w.fail(fmt.Sprintf("%s from %d to %d", name, low, high))
	}
	return int64(n)
}

// bytes takes a length, and tells where what it is the length of ends.
func (w *wire) bytes(name string) (end int) {
	if w.err != nil {
		return w.at
	}
	n, length := binary.Uvarint(w.message[w.at:])
	if length <= 0 || n > uint64(len(w.message)-w.at-length) {
		w.fail(name + " with a length within the message")
		return w.at
	}
	w.at += length
	return w.at + int(n)
}

// enter begins a message inside the one that is being read, which it returns for leave.
func (w *wire) enter(name string) (outer []byte) {
	outer = w.message
	w.message = outer[:w.bytes(name)]
	return outer
}

func (w *wire) leave(outer []byte, name string) {
	w.end(name)
	w.message = outer
}

// text takes a text, which is empty where it is left out.
func (w *wire) text(tag byte, name string, into *string) {
	if !w.next(tag) {
		*into = ""
		return
	}
	end := w.bytes(name)
	switch text := w.message[w.at:end]; {
	case !utf8.Valid(text):
		w.fail(name + " in UTF-8")
		return
	case string(text) != *into:
		*into = string(text)
	}
	w.at = end
}

func (w *wire) time(into *time.Time) {
	if !w.next(tagTime) {
		w.fail("the time")
		return
	}
	outer := w.enter("the time")
	seconds := w.number(tagSeconds, "the seconds", firstSecond, lastSecond)
	nanos := w.number(tagNanos, "the nanos", 0, 999_999_999)
	w.leave(outer, "the time")
	*into = time.Unix(seconds, nanos).UTC()
}

func (w *wire) place(into *Place) {
	if !w.next(tagLocation) {
		w.fail("the location")
		return
	}
	outer := w.enter("the location")
	into.Building = int(w.number(tagBuilding, "the building", 1, math.MaxInt32))
	into.Floor = int(w.number(tagFloor, "the floor", 1, math.MaxInt32))
	into.Room = int(w.number(tagRoom, "the room", 1, math.MaxInt32))
	w.leave(outer, "the location")
}

func (w *wire) values(into *Reading) {
	if into.Values == nil {
		into.Values = []Value{}
	}
	values := into.Values[:0]
	for w.next(tagReadings) {
		values = another(values)
		v := &values[len(values)-1]
		outer := w.enter("a reading")
		w.text(tagSensor, "the sensor", &v.Sensor)
		w.value(&v.Value)
		w.text(tagUnit, "the unit", &v.Unit)
		w.status(tagValueStatus, &v.Status)
		w.leave(outer, "a reading")
	}
	into.Values = values
}

func (w *wire) value(into *float64) {
	*into = 0
	if !w.next(tagValue) {
		return
	}
	if len(w.message)-w.at >= 8 {
		*into = math.Float64frombits(binary.LittleEndian.Uint64(w.message[w.at:]))
		if math.Abs(*into) <= greatest { // which NaN is not either
			w.at += 8
			return
		}
	}
	w.fail("a value of 8 bytes, and not beyond any sensor's")
}

func (w *wire) status(tag byte, into *string) {
	if n := w.number(tag, "the status", statusNumber, statusNumber+int64(len(statuses))-1); w.err == nil {
		*into = statuses[n-statusNumber]
	}
}
