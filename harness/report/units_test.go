package report

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/assertions"
)

func TestSideBySideTellsApart(t *testing.T) {
	for _, c := range []struct {
		expectation, unit  string
		got, limit         float64
		wantGot, wantLimit string
	}{
		{"success_rate == 100%", "ratio", 0.99996, 1, "99.996%", "100%"},
		{"success_rate >= 99.9999%", "ratio", 0.99995833, 0.999999, "99.996%", "99.9999%"},
		{"success_rate >= 99.9999%", "ratio", 0.9999994, 0.999999, "99.99994%", "99.9999%"},
		{"success_rate >= 99.9%", "ratio", 0.99999999, 0.999, "99.999999%", "99.9%"},
		{"success_rate >= 99.9%", "ratio", 1, 0.999, "100%", "99.9%"},
		{"success_rate >= 0.999", "ratio", 0.99951, 0.999, "0.9995", "0.999"},
		{"partition_skew < 1.0517", "ratio", 1.2, 1.0517, "1.2", "1.0517"},
		{"cpu.slope < 5%/h", "ratio/h", 0.04, 0.05, "4%/h", "5%/h"},
		{"blocked.max < 500us", "s", 0.0004996, 0.0005, "499.6µs", "500µs"},
		{"blocked.max < 1ms", "s", 0.00099951, 0.001, "999.5µs", "1ms"},
		{"blocked.max < 50ms", "s", 0.0500001, 0.05, "50.0001ms", "50ms"},
		{"blocked.max <= 50ms", "s", 0.05, 0.05, "50ms", "50ms"},
		{"acked_lost == 0", "records", 3, 0, "3", "0"},
		{"partition_skew <= 1", "ratio", 1 + 1e-15, 1, "1", "1"}, // beyond what a computed number can tell
	} {
		got, limit := sideBySide(assertions.Judgement{Expectation: c.expectation, Unit: c.unit, Got: &c.got, Limit: c.limit})
		assert.Equal(t, []string{c.wantGot, c.wantLimit}, []string{got, limit}, c.expectation)
	}
	got, limit := sideBySide(assertions.Judgement{Expectation: "blocked.max < 250ms", Unit: "s", Limit: 0.25})
	assert.Equal(t, []string{none, "250ms"}, []string{got, limit})
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"abcdefghij k", 4, []string{"abcd", "efgh", "ij k"}},
		{"a  b", 80, []string{"a b"}},
		{"äöü äöü", 3, []string{"äöü", "äöü"}},
	} {
		assert.Equal(t, c.want, Wrap(c.text, c.width), c.text)
	}
}

func TestTook(t *testing.T) {
	for value, want := range map[float64]string{0.5: "500ms", 10.412: "10.4s", 119.9: "120s", 3725.4: "1h2m5s"} {
		assert.Equal(t, want, took(value))
	}
}
