package features

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	messages "github.com/cucumber/messages/go/v21"

	"github.com/fleetproof/fleetproof/harness"
)

// lines says where a node of a feature stands.
type lines struct {
	at  harness.Place // of a step: where its text begins
	doc harness.Place // of a step: where the text of its doc string begins
}

// document is a feature being examined.
type document struct {
	file     string
	content  []string
	book     book
	places   map[string]lines // by the numbers of the nodes
	mistakes harness.Mistakes
}

// examine notes where the nodes of a feature stand, and what godog would leave out without a word.
func (b book) examine(feature *messages.GherkinDocument, content []byte, places map[string]lines) harness.Mistakes {
	d := &document{file: feature.Uri, content: strings.Split(string(content), "\n"), book: b, places: places}
	d.description(feature.Feature.Location, feature.Feature.Description)
	for _, child := range feature.Feature.Children {
		d.part(child.Background, child.Scenario)
		if child.Rule != nil {
			d.description(child.Rule.Location, child.Rule.Description)
			for _, inner := range child.Rule.Children {
				d.part(inner.Background, inner.Scenario)
			}
		}
	}
	return d.mistakes
}

// part takes one of the two.
func (d *document) part(background *messages.Background, scenario *messages.Scenario) {
	if background != nil {
		d.description(background.Location, background.Description)
		d.steps(background.Steps)
	}
	if scenario != nil {
		d.scenario(scenario)
	}
}

func (d *document) scenario(scenario *messages.Scenario) {
	d.places[scenario.Id] = lines{at: d.place(scenario.Location)}
	d.description(scenario.Location, scenario.Description)
	d.steps(scenario.Steps)
	if len(scenario.Steps) == 0 {
		d.mistake(scenario.Location, fmt.Sprintf("%q has no steps, so nothing is played", scenario.Name), "")
	}
	rows := 0
	for _, examples := range scenario.Examples {
		for _, row := range examples.TableBody {
			d.places[row.Id] = lines{at: d.place(row.Location)}
			rows++
		}
	}
	if len(scenario.Examples) > 0 && rows == 0 {
		d.mistake(scenario.Location, fmt.Sprintf("%q has no examples, so nothing is played", scenario.Name), "give it a row below the header")
	}
}

func (d *document) steps(steps []*messages.Step) {
	for _, step := range steps {
		place := lines{at: d.place(step.Location)}
		place.at.Column += utf8.RuneCountInString(step.Keyword)
		if step.DocString != nil {
			place.doc = d.place(step.DocString.Location)
			place.doc.Line++
		}
		d.places[step.Id] = place
	}
}

// description looks for what Gherkin takes for free text and was meant as a step, or as the beginning of a scenario.
func (d *document) description(below *messages.Location, text string) {
	line := int(below.Line)
	for _, written := range strings.Split(text, "\n") {
		problem, remedy := d.book.meant(strings.TrimSpace(written))
		if problem == "" {
			continue
		}
		for line < len(d.content) && strings.TrimSpace(d.content[line]) != strings.TrimSpace(written) {
			line++
		}
		indent := len(written) - len(strings.TrimLeftFunc(written, unicode.IsSpace))
		d.mistake(&messages.Location{Line: int64(line + 1), Column: int64(1 + indent)}, problem+", so it is taken for a description", remedy)
	}
}

// meant says why a line is no step or no beginning of a scenario, although it looks like one. Empty: it does not.
func (b book) meant(line string) (problem, remedy string) {
	const keywords = "write Given, When, Then, And or But"
	if title, _, found := strings.Cut(line, ":"); found && harness.Nearest(title, []string{"Scenario", "Scenario Outline", "Background"}) != "" {
		return fmt.Sprintf("%q is no keyword", title), "write Scenario, Scenario Outline or Background"
	}
	if strings.Contains(line, " ") && b.reads(line) { // a single word would be too little to go by
		return "this step has no keyword", keywords
	}
	end := strings.IndexFunc(line, unicode.IsSpace)
	if keyword := stepKeyword.FindString(line); keyword != "" && (end < 0 || line[end] != ' ' || len(keyword) < end) && b.reads(line[len(keyword):]) {
		return fmt.Sprintf("this step has no blank behind %q", keyword), "write one"
	}
	if end < 0 || !b.reads(line[end:]) {
		return "", ""
	}
	if keyword := line[:end]; stepKeyword.FindString(keyword) != keyword {
		return fmt.Sprintf("%q is no keyword", keyword), keywords
	}
	return "this step stands in no scenario", "write Scenario, Scenario Outline or Background above it"
}

// stepKeyword is what a step begins with.
var stepKeyword = regexp.MustCompile(`^(Given|When|Then|And|But|\*)`)

func (b book) reads(text string) bool {
	_, _, known := b.read(strings.TrimSpace(text))
	return known
}

func (d *document) mistake(at *messages.Location, problem, remedy string) {
	d.mistakes = append(d.mistakes, mistakeAt(d.place(at), problem, remedy))
}

func mistakeAt(at harness.Place, problem, remedy string) harness.Mistake {
	return harness.Mistake{File: at.File, Line: at.Line, Column: at.Column, Problem: problem, Remedy: remedy}
}

func (d *document) place(at *messages.Location) harness.Place {
	return harness.Place{File: d.file, Line: int(at.Line), Column: int(at.Column)}
}
