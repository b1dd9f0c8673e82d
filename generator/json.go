package generator

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendJSON appends what encoding/json makes of a reading whose values are multiples of 0.01.
func appendJSON(dst []byte, r *Reading) []byte {
	dst = append(dst, `{"device":`...)
	dst = appendString(dst, r.Device)
	dst = append(dst, `,"time":"`...)
	dst = r.Time.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","location":{"building":`...)
	dst = strconv.AppendInt(dst, int64(r.Location.Building), 10)
	dst = append(dst, `,"floor":`...)
	dst = strconv.AppendInt(dst, int64(r.Location.Floor), 10)
	dst = append(dst, `,"room":`...)
	dst = strconv.AppendInt(dst, int64(r.Location.Room), 10)
	dst = append(dst, `},"readings":[`...)
	for i := range r.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		v := &r.Values[i]
		dst = append(dst, `{"sensor":`...)
		dst = appendString(dst, v.Sensor)
		dst = append(dst, `,"value":`...)
		dst = appendHundredths(dst, v.Value)
		dst = append(dst, `,"unit":`...)
		dst = appendString(dst, v.Unit)
		dst = append(dst, `,"status":`...)
		dst = appendString(dst, v.Status)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"status":`...)
	dst = appendString(dst, r.Status)
	return append(dst, '}')
}

// appendHundredths appends a multiple of 0.01 of a magnitude up to greatest. Its shortest decimal form has two decimals
// at most, so that whole numbers give it exactly.
func appendHundredths(dst []byte, value float64) []byte {
	n := int64(math.Round(value * 100))
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendInt(dst, n/100, 10)
	switch rest := byte(n % 100); {
	case rest == 0:
		return dst
	case rest%10 == 0:
		return append(dst, '.', '0'+rest/10)
	default:
		return append(dst, '.', '0'+rest/10, '0'+rest%10)
	}
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
