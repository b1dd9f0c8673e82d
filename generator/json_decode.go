package generator

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

func decodeJSON(payload []byte, into *Reading) error {
	s := scanner{rest: payload}
	s.expect(`{"device":`)
	s.text(&into.Device)
	s.expect(`,"time":`)
	s.time(&into.Time)
	s.expect(`,"location":{"building":`)
	s.whole(&into.Location.Building)
	s.expect(`,"floor":`)
	s.whole(&into.Location.Floor)
	s.expect(`,"room":`)
	s.whole(&into.Location.Room)
	s.expect(`},"readings":[`)
	s.values(into)
	s.expect(`],"status":`)
	s.text(&into.Status)
	s.expect(`}`)
	if s.err == nil && len(s.rest) > 0 {
		s.fail("the end")
	}
	if s.err != nil {
		return fmt.Errorf("decode reading: at byte %d: %w", len(payload)-len(s.rest), s.err)
	}
	return nil
}

// scanner eats up a payload. After the first error it does nothing.
type scanner struct {
	rest []byte
	err  error
}

func (s *scanner) fail(want string) {
	const shown = 20
	got := s.rest[:min(shown, len(s.rest))]
	if s.err == nil {
		s.err = fmt.Errorf("want %s, got %#q", want, got)
	}
}

func (s *scanner) expect(literal string) {
	if s.err != nil {
		return
	}
	if len(s.rest) < len(literal) || string(s.rest[:len(literal)]) != literal {
		s.fail("`" + literal + "`")
		return
	}
	s.rest = s.rest[len(literal):]
}

func (s *scanner) values(into *Reading) {
	if into.Values == nil {
		into.Values = []Value{}
	}
	values := into.Values[:0]
	for s.err == nil && len(s.rest) > 0 && s.rest[0] != ']' {
		if len(values) > 0 {
			s.expect(`,`)
		}
		values = another(values)
		v := &values[len(values)-1]
		s.expect(`{"sensor":`)
		s.text(&v.Sensor)
		s.expect(`,"value":`)
		s.number(&v.Value)
		s.expect(`,"unit":`)
		s.text(&v.Unit)
		s.expect(`,"status":`)
		s.text(&v.Status)
		s.expect(`}`)
	}
	into.Values = values
}

// quoted takes a string with its quotes.
func (s *scanner) quoted() []byte {
	if s.err != nil {
		return nil
	}
	if len(s.rest) > 0 && s.rest[0] == '"' {
		for end := 1; end < len(s.rest); end++ {
			switch s.rest[end] {
			case '\\':
				end++
			case '"':
				token := s.rest[:end+1]
				s.rest = s.rest[end+1:]
				return token
			}
		}
	}
	s.fail("a string")
	return nil
}

func (s *scanner) text(into *string) {
	before := s.rest
	token := s.quoted()
	if s.err != nil {
		return
	}
	inner := token[1 : len(token)-1]
	switch {
	case !plain(inner):
		if s.err = json.Unmarshal(token, into); s.err != nil {
			s.rest = before
		}
	case string(inner) != *into:
		*into = kept(inner)
	}
}

// kept is the text as a string, without a copy for what changes all the time.
func kept(text []byte) string {
	switch string(text) {
	case StatusOK:
		return StatusOK
	case StatusWarning:
		return StatusWarning
	case StatusError:
		return StatusError
	default:
		return string(text)
	}
}

// plain says whether a quoted text stands for itself.
func plain(text []byte) bool {
	ascii := true
	for _, b := range text {
		if b < ' ' || b == '\\' {
			return false
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	return ascii || utf8.Valid(text)
}

func (s *scanner) time(into *time.Time) {
	before := s.rest
	if token := s.quoted(); s.err == nil {
		if s.err = into.UnmarshalJSON(token); s.err != nil {
			s.rest = before
		}
	}
}

func (s *scanner) whole(into *int) {
	if n := s.digits("a whole number of at most 9 digits", 9); s.err == nil {
		*into = int(n)
	}
}

// number reads a multiple of 0.01. A whole number of hundredths is exact, and the division rounds once, so the result is
// the float64 nearest to the text.
func (s *scanner) number(into *float64) {
	const want = "a number with two decimals at most and 14 digits before them"
	negative := s.err == nil && len(s.rest) > 0 && s.rest[0] == '-'
	if negative {
		s.rest = s.rest[1:]
	}
	n := s.digits(want, 14) * 100
	if s.err == nil && len(s.rest) > 0 && s.rest[0] == '.' {
		decimals := 0
		for unit := int64(10); unit > 0 && isDigit(s.rest, decimals+1); unit /= 10 {
			decimals++
			n += int64(s.rest[decimals]-'0') * unit
		}
		if decimals == 0 {
			s.fail(want)
			return
		}
		s.rest = s.rest[decimals+1:]
	}
	if s.err == nil && n > greatest*100 {
		s.fail("a smaller number before this")
	}
	if s.err != nil {
		return
	}
	*into = float64(n) / 100
	if negative {
		*into = -*into
	}
}

// digits reads a whole number without sign, with no zero in front.
func (s *scanner) digits(want string, limit int) (n int64) {
	if s.err != nil {
		return 0
	}
	length := 0
	for isDigit(s.rest, length) && length <= limit {
		n = n*10 + int64(s.rest[length]-'0')
		length++
	}
	if length == 0 || length > limit || length > 1 && s.rest[0] == '0' {
		s.fail(want)
		return 0
	}
	s.rest = s.rest[length:]
	return n
}

func isDigit(text []byte, at int) bool { return at < len(text) && '0' <= text[at] && text[at] <= '9' }
