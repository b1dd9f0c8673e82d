package features

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cucumber/godog"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
)

// script is a Gherkin scenario that was read to its end: what its steps come to.
type script struct {
	draft     *harness.Draft
	at        harness.Place // of the step being read
	doc       *docString    // of that step
	files     fs.FS
	begun     harness.Place // of the step that runs the scenario; zero before it
	steps     map[string]reading
	undecided map[harness.Place]bool // steps that want an inconclusive verdict
	own       map[string][]string    // names that steps gave, by list
	inherited bool                   // the load is a loaded scenario's, which the first step about it replaces
	unread    bool                   // some step is none
}

// reading is one step of the scenario.
type reading struct {
	at   harness.Place
	part part
}

// docString is the text below a step and where it begins.
type docString struct {
	at    harness.Place
	media string
	text  string
}

// script reads a Gherkin scenario to its end. What is wrong with it, its draft knows.
func (b book) script(pickle *godog.Scenario, places map[string]lines, files fs.FS) *script {
	begin := places[pickle.AstNodeIds[0]].at
	s := &script{
		draft: harness.NewDraft(begin), at: begin, files: files,
		steps: map[string]reading{}, undecided: map[harness.Place]bool{}, own: map[string][]string{},
	}
	s.introduce(pickle)
	for _, written := range pickle.Steps {
		place := places[written.AstNodeIds[0]]
		s.at, s.doc = place.at, nil
		if argument := written.Argument; argument != nil && argument.DocString != nil {
			s.doc = &docString{at: place.doc, media: argument.DocString.MediaType, text: argument.DocString.Content}
		}
		found, arg, known := b.read(written.Text)
		if !known {
			s.unknown(b, written.Text)
			continue
		}
		s.steps[written.Id] = reading{at: s.at, part: found.part}
		switch {
		case written.Argument != nil && !found.takes:
			s.mistake(fmt.Sprintf("%q takes nothing below it", written.Text), "")
		case s.ordered(found.part, written.Text):
			found.do(s, arg)
		}
	}
	if s.begun == (harness.Place{}) {
		s.at = begin
		s.mistake("nothing runs the scenario", "write When the scenario runs")
	}
	return s
}

// introduce gives the scenario what a file says of itself. A scenario that is loaded says it better.
func (s *script) introduce(pickle *godog.Scenario) {
	s.set("version", "1")
	s.set("name", quoted(label(pickle.Name)))
	s.set("description", quoted(pickle.Name))
	tags := make([]string, len(pickle.Tags))
	for i, tag := range pickle.Tags {
		tags[i] = quoted(label(tag.Name))
	}
	s.set("tags", "["+strings.Join(tags, ", ")+"]")
}

// label makes a name of a title: lower-case letters, digits and dashes, beginning with a letter.
func label(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", r)
	})
	name := strings.Join(words, "-")
	if strings.IndexAny(name, "abcdefghijklmnopqrstuvwxyz") != 0 {
		name = strings.TrimSuffix("scenario-"+name, "-")
	}
	return name
}

// unknown notes a step that is none.
func (s *script) unknown(b book, text string) {
	s.unread = true
	remedy := "docs/steps.md lists the steps"
	if meant := b.nearest(text); meant != "" {
		remedy = fmt.Sprintf("did you mean: %s", meant)
	} else if strings.ContainsAny(text, "<>=!") {
		remedy = "as an expectation: " + unexpected(text)
	}
	s.mistake(fmt.Sprintf("no step reads %q", text), remedy)
}

// unexpected says why a text is no expectation.
func unexpected(text string) string {
	_, err := assertions.ParseExpectation(text)
	var name *assertions.UnknownName
	if errors.As(err, &name) {
		if meant := harness.Nearest(name.Got, name.Known); meant != "" {
			return fmt.Sprintf("unknown %s %q, did you mean %s?", name.Kind, name.Got, meant)
		}
	}
	return fmt.Sprint(err)
}

// ordered says whether a step stands where its part belongs: what is played first, then the run, then the verdict.
func (s *script) ordered(p part, text string) bool {
	ran := s.begun != (harness.Place{})
	switch {
	case p == running && ran:
		s.mistake(fmt.Sprintf("the scenario runs in line %d already", s.begun.Line), "a scenario runs once: write another one")
	case p == running:
		s.begun = s.at
		return true
	case p == verdict && !ran:
		s.mistake(fmt.Sprintf("%q is asked before the scenario runs", text), "write When the scenario runs before it")
	case p != verdict && ran:
		s.mistake(fmt.Sprintf("%q comes after the scenario has run, in line %d", text, s.begun.Line), "move it before When the scenario runs")
	default:
		return true
	}
	return false
}

// The rest is what steps do.

func (s *script) mistake(problem, remedy string) { s.draft.Mistake(s.at, problem, remedy) }

func (s *script) set(path, value string) { s.draft.Set(s.at, path, value) }

// setIf sets a value that a step may leave out.
func (s *script) setIf(path, value string) {
	if value != "" {
		s.set(path, value)
	}
}

// field is one value of an item. Those that a step left out are empty.
type field struct{ key, value string }

func (s *script) add(list string, fields ...field) {
	var pairs []string
	for _, f := range fields {
		if f.value != "" {
			pairs = append(pairs, f.key+": "+f.value)
		}
	}
	s.draft.Add(s.at, list, "{"+strings.Join(pairs, ", ")+"}")
}

// item adds what expectations speak of by name: the one it was given, or one after what it is.
func (s *script) item(list, given, kind string, fields ...field) {
	s.add(list, append([]field{{"name", quoted(s.name(list, given, kind))}}, fields...)...)
}

// name is the name of an item. Whatever a step makes without one gets a name that is free.
func (s *script) name(list, given, kind string) string {
	if given == "" {
		given = harness.Unused(strings.ReplaceAll(kind, "_", "-"), slices.Concat(s.draft.Names(list), s.own[list]))
	} else if slices.Contains(s.own[list], given) {
		s.mistake(fmt.Sprintf("%q is the name of another one already", given), "names tell them apart: choose another one")
	}
	s.own[list] = append(s.own[list], given)
	return given
}

func (s *script) stage(given, kind string, fields ...field) {
	if s.inherited {
		s.set("load.stages", "[]")
		s.inherited = false
	}
	s.item("load.stages", given, kind, fields...)
}

func (s *script) burst(at, length, rate, given string) {
	s.draft.Burst(s.at, at, length, rate, s.name("load.stages", given, "burst"))
}

func (s *script) fault(given, kind, at, length, target string, fields ...field) {
	s.item("faults", given, kind, append([]field{{"at", at}, {"for", length}, {"do", kind}, {"target", quoted(target)}}, fields...)...)
}

// load begins with a whole scenario: a file beside the feature, or else a shipped one. From where the features are played
// must make no difference, so that only a whole path names a file anywhere else.
func (s *script) load(name string) {
	s.inherited = true
	file := path.Join(path.Dir(s.at.File), name)
	text, err := fs.ReadFile(s.files, file)
	switch {
	case err == nil:
		s.draft.Base(file, text)
	case strings.ContainsAny(name, `/\.`) && !path.IsAbs(name):
		s.mistake("the scenario "+file+" cannot be read", "a file is looked for beside the feature, in the folder that is played")
	default:
		s.draft.Load(s.at, name)
	}
}

// settings lays the YAML below the step over what there is.
func (s *script) settings() {
	if media := strings.TrimSpace(s.doc.media); media != "" && media != "yaml" {
		s.mistake(fmt.Sprintf("want settings in YAML, got %q", media), `write """ yaml`)
		return
	}
	s.draft.Lay(s.doc.at, []byte(s.doc.text))
}

func (s *script) expect(expectation string) { s.draft.Expect(s.at, expectation) }
