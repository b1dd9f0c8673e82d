package harness

import "strings"

// remedies say what to do about the YAML library's complaints, by what they contain; the first that fits is meant. The
// library names what its parser stumbled over, which is seldom what its reader did wrong.
func remedies() [][2]string {
	return [][2]string{
		{"a tab character", "indent with spaces"},
		{"expected ',' or ']'", "put a comma between two values and close the bracket"},
		{"expected ',' or '}'", `put a comma between two values, close the brace, and quote what has braces of its own, as in "${env:NAME}"`},
		{"expected node content", "give a value between two commas, and close what was opened"},
		{"expected ':'", "write a colon and a space behind the key"},
		{"expected key", "line up the keys of a mapping, one below the other"},
		{"expected '-' indicator", "begin every item of a list with a dash, one below the other"},
		{"mapping values are not allowed", "write one key a line, and quote a text with a colon in it"},
		{"unexpected end of stream", "close the quote"},
		{"escape character", "use single quotes, or write two backslashes"},
		{"cannot start any token", "indent with spaces instead of tabs, and quote a text that begins with a special character"},
		{"unknown anchor", "quote a text that begins with an asterisk, or write the value out"},
		{"excessive aliasing", "write less, and without aliases"},
		{"<document start>", "remove what follows the end of the document"},
		{"UTF-8", "save the file as UTF-8 text"},
		{"control characters", "save the file as UTF-8 text"},
	}
}

// remedy is what to do about a complaint, empty where nothing more can be said.
func remedy(complaint string) string {
	for _, row := range remedies() {
		if strings.Contains(complaint, row[0]) {
			return row[1]
		}
	}
	return ""
}
