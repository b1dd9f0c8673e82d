package harness

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// enumeration is implemented by the closed sets of the language.
type enumeration interface{ Known() []string }

// scalar fills a single value and says what is wrong with it, if anything.
func (d *decoder) scalar(n *node, into reflect.Value) (problem, remedy string) {
	bad := fmt.Sprintf("want %s, got %s", wanted(into.Type()), n.say())
	switch value := into.Addr().Interface().(type) {
	case *time.Duration:
		parsed, err := time.ParseDuration(n.text)
		if numeral.MatchString(n.text) {
			return bad, fmt.Sprintf("write %[1]ss or %[1]sms", n.shown)
		} else if err != nil {
			return bad, ""
		}
		*value = parsed
		return "", ""
	case *time.Time:
		parsed, err := time.Parse(time.RFC3339, n.text)
		if err != nil {
			return bad, ""
		}
		*value = parsed.UTC()
		return "", ""
	case encoding.TextUnmarshaler:
		if value.UnmarshalText([]byte(n.text)) != nil {
			return bad, unit(n, value)
		}
		return "", ""
	case enumeration:
		if names := value.Known(); !slices.Contains(names, n.text) {
			return "unknown value " + n.say(), suggest(n.shown, names)
		}
		into.SetString(n.text)
		return "", ""
	}
	if into.Kind() == reflect.String {
		d.secrets = append(d.secrets, n.env...)
		into.SetString(n.text)
		return "", ""
	}
	if n.quoted && len(n.env) == 0 && n.text == n.shown { // around a reference quotes are YAML's business
		return bad, "write it without quotes"
	}
	if !literal(n.text, into) {
		return bad, ""
	}
	return "", ""
}

// numeral is a number as YAML writes it; between its digits may be underscores.
var numeral = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(\.[0-9]*)?([eE][-+]?[0-9]+)?$`)

// literal reads true, false or a number.
func literal(text string, into reflect.Value) bool {
	if into.Kind() == reflect.Bool {
		into.SetBool(text == "true")
		return text == "true" || text == "false"
	}
	if !numeral.MatchString(text) {
		return false
	}
	digits, bits := strings.ReplaceAll(text, "_", ""), into.Type().Bits()
	switch into.Kind() {
	case reflect.Float64:
		number, err := strconv.ParseFloat(digits, bits)
		into.SetFloat(number)
		return err == nil
	case reflect.Uint64:
		number, err := strconv.ParseUint(digits, 10, bits)
		into.SetUint(number)
		return err == nil
	default:
		number, err := strconv.ParseInt(digits, 10, bits)
		into.SetInt(number)
		return err == nil
	}
}

// wanted describes the values of a type. Types with a notation of their own describe it in the error of UnmarshalText,
// as "want …, got …".
func wanted(t reflect.Type) string {
	switch value := reflect.New(t).Interface().(type) {
	case *time.Duration:
		return "a duration with its unit, such as 200ms, 5s or 1m30s"
	case *time.Time:
		return "a time, such as 2026-01-12T00:00:00Z"
	case encoding.TextUnmarshaler:
		notation, _, _ := strings.Cut(fmt.Sprint(value.UnmarshalText(nil)), ", got ")
		return strings.TrimPrefix(notation, "want ")
	case enumeration:
		return "one of " + strings.Join(value.Known(), ", ")
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Pointer:
		return wanted(t.Elem())
	default:
		return "a whole number"
	}
}

// unit offers the unit that somebody left out, where a whole number becomes valid with one.
func unit(n *node, value encoding.TextUnmarshaler) string {
	if strings.Contains(n.text, ".") || !numeral.MatchString(n.text) {
		return ""
	}
	for _, unit := range []string{"/s", "%", "B"} {
		if value.UnmarshalText([]byte(n.text+unit)) == nil {
			return "write " + n.shown + unit
		}
	}
	return ""
}
