package generator

import (
	"time"
	"unicode/utf8"
)

// jsonWriter writes what encoding/json makes of a Reading. What the readings of a fleet, of a sensor or of a second have
// in common is written once and copied from then on.
type jsonWriter struct {
	fleets  []jsonFleet
	seconds seconds               // each from the end of the device on
	end     [len(statuses)][]byte // of a reading, by its status
}

// jsonFleet is what the readings of a fleet have in common.
type jsonFleet struct {
	device  []byte // up to the device's index
	sensors []jsonSensor
}

// jsonSensor is what the values of a sensor have in common.
type jsonSensor struct {
	value  []byte                // up to the value, with the comma before it
	status [len(statuses)][]byte // all after the value, by status
}

func newJSONWriter(spec Spec) *jsonWriter {
	w := &jsonWriter{}
	for i, status := range statuses {
		w.end[i] = []byte(`],"status":"` + status + `"}`)
	}
	for _, fleet := range spec.Fleets {
		device := appendString([]byte(`{"device":`), fleet.Name+"-")
		f := jsonFleet{device: device[:len(device)-1]}
		for _, name := range fleet.Sensors {
			sensor := jsonSensor{value: append(appendString([]byte(`,{"sensor":`), name), `,"value":`...)}
			for i, status := range statuses {
				unit := appendString([]byte(`,"unit":`), spec.Sensors[name].Unit)
				sensor.status[i] = append(unit, `,"status":"`+status+`"}`...)
			}
			f.sensors = append(f.sensors, sensor)
		}
		w.fleets = append(w.fleets, f)
	}
	return w
}

func (w *jsonWriter) append(dst []byte, m *measured) []byte {
	fleet := &w.fleets[m.fleet]
	dst = append(dst, fleet.device...)
	dst = appendIndex(dst, m.index)
	dst = w.time(dst, m)
	dst = append(dst, `Z","location":{"building":`...)
	dst = appendWhole(dst, uint64(m.place.Building))
	dst = append(dst, `,"floor":`...)
	dst = appendWhole(dst, uint64(m.place.Floor))
	dst = append(dst, `,"room":`...)
	dst = appendWhole(dst, uint64(m.place.Room))
	dst = append(dst, `},"readings":[`...)
	for i := range m.values {
		v := &m.values[i]
		sensor := &fleet.sensors[v.sensor]
		if i == 0 {
			dst = append(dst, sensor.value[1:]...)
		} else {
			dst = append(dst, sensor.value...)
		}
		dst = appendHundredths(dst, v.hundredths)
		dst = append(dst, sensor.status[v.status]...)
	}
	return append(dst, w.end[m.status]...)
}

// time appends the end of the device and the event time, in the format of time.RFC3339Nano up to its Z.
func (w *jsonWriter) time(dst []byte, m *measured) []byte {
	second, millis := w.seconds.of(m)
	if len(second.written) == 0 {
		second.written = append(second.written, `","time":"`...)
		second.written = time.Unix(second.unix, 0).UTC().AppendFormat(second.written, "2006-01-02T15:04:05")
	}
	dst = append(dst, second.written...)
	if millis > 0 {
		first, last := millis/100, 2*(millis%100)
		dst = append(dst, '.', '0'+byte(first), twoDigits[last], twoDigits[last+1])
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return dst
}

// appendString quotes as encoding/json does, HTML included.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	plain := 0 // what has been appended
	for i := 0; i < len(s); {
		b := s[i]
		if b < utf8.RuneSelf {
			if b >= ' ' && b != '"' && b != '\\' && b != '<' && b != '>' && b != '&' {
				i++
				continue
			}
			dst = append(dst, s[plain:i]...)
			switch b {
			case '"', '\\':
				dst = append(dst, '\\', b)
			case '\b':
				dst = append(dst, '\\', 'b')
			case '\f':
				dst = append(dst, '\\', 'f')
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
			}
			i++
			plain = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[plain:i]...), `\ufffd`...)
			plain = i + size
		case r == '\u2028', r == '\u2029': // line separators to JavaScript
			dst = append(append(dst, s[plain:i]...), `\u202`...)
			dst = append(dst, hex[r&15])
			plain = i + size
		}
		i += size
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"')
}
