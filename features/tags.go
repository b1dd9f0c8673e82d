package features

import (
	"fmt"
	"regexp"
	"strings"
)

// oneTag is a tag as godog understands it within an expression.
var oneTag = regexp.MustCompile(`^~?@[^\s@~,&|()]+$`)

// checkTags refuses a tag expression that godog would read as something else: it knows commas for or, && for and, and ~
// for not, takes everything else for a part of a name, and passes when nothing has that name.
func checkTags(expression string) error {
	if strings.TrimSpace(expression) == "" {
		if expression != "" {
			return fmt.Errorf("tags %q: want an expression, such as @smoke", expression)
		}
		return nil
	}
	for _, all := range strings.Split(expression, "&&") {
		for _, tag := range strings.Split(all, ",") {
			if !oneTag.MatchString(strings.TrimSpace(tag)) {
				return fmt.Errorf("tags %q: %q is no tag: want %s", expression, strings.TrimSpace(tag), spelling(expression))
			}
		}
	}
	return nil
}

// words are what other tools write in tag expressions, and how godog writes it.
var words = strings.NewReplacer(" or ", ",", "||", ",", " and ", " && ", "not ", "~", "!", "~", "(", "", ")", "")

// bare finds tags without their @.
var bare = regexp.MustCompile(`(^|[\s,&~])([A-Za-z][\w-]*)`)

// spelling is the expression as it may have been meant, or else what there is.
func spelling(expression string) string {
	const all = "@a,@b for either, @a && @b for both, ~@a for those without it"
	either, both := regexp.MustCompile(`,|\||\bor\b`), regexp.MustCompile(`&|\band\b`)
	if strings.ContainsAny(expression, "()") || either.MatchString(expression) && both.MatchString(expression) {
		return all // which of the two comes first is not the same everywhere
	}
	meant := bare.ReplaceAllString(words.Replace(" "+expression+" "), "$1@$2")
	var parts []string
	for _, part := range strings.Split(meant, "&&") {
		tags := strings.FieldsFunc(part, func(r rune) bool { return r == ',' || r == ' ' })
		if len(tags) > 0 {
			parts = append(parts, strings.Join(tags, ","))
		}
	}
	if meant = strings.Join(parts, " && "); meant == "" || meant == expression || checkTags(meant) != nil {
		return all
	}
	return meant + " (" + all + ")"
}
