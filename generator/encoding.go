package generator

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
