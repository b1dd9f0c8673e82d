package harness

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
)

// longestCause is how much of an error's text is kept, in bytes.
const longestCause = 300

// causes counts the texts by which the client explained what it did not acknowledge: the first of them each by itself,
// all others together. The zero value is ready for use, from any goroutine.
type causes struct {
	mutex  sync.Mutex
	counts []assertions.ErrorCount
	places map[excuse]int // in counts
}

type excuse struct{ state, text string }

// add counts the error of a record that has failed or is unknown.
func (c *causes) add(state producer.State, err error) {
	key := excuse{state: state.String(), text: "the client gave no reason"}
	if err != nil {
		key.text = shortened(err.Error())
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	place, found := c.places[key]
	if !found && len(c.places) >= assertions.MaxErrors {
		key.text = ""
		place, found = c.places[key]
	}
	if !found {
		if c.places == nil {
			c.places = map[excuse]int{}
		}
		place = len(c.counts)
		c.places[key] = place
		c.counts = append(c.counts, assertions.ErrorCount{State: key.state, Text: key.text})
	}
	c.counts[place].Count++
}

// counted are the texts with their counts, in the order of their first times.
func (c *causes) counted() []assertions.ErrorCount {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Clone(c.counts)
}

// shortened is a text on one line, cut where it is very long.
func shortened(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= longestCause {
		return text
	}
	end := longestCause
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + " …"
}
