package harness

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reference is ${env:NAME} or ${env:NAME:-fallback}. The fallback ends at the first brace.
var reference = regexp.MustCompile(`\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// opening begins anything that looks like a reference.
var opening = regexp.MustCompile(`\$\{[^}]*\}?`)

// environment looks a variable up, as os.LookupEnv does.
type environment func(name string) (value string, found bool)

// variable is one that a value was taken from.
type variable struct{ name, value string }

// expand replaces the references to the environment in every scalar of the tree at a path. As in a shell, the fallback
// stands for a variable that is unset or empty.
func expand(root *node, path string, variables environment, c *collector) {
	root.walk(path, func(path string, n *node) {
		if n.kind != scalar || !strings.Contains(n.text, "${") {
			return
		}
		for _, wrong := range opening.FindAllString(reference.ReplaceAllString(n.text, ""), -1) {
			n.spoilt = true
			c.add(n.origin, path, fmt.Sprintf("%s is no reference to the environment", wrong), "write ${env:NAME} or ${env:NAME:-fallback}")
		}
		n.text = reference.ReplaceAllStringFunc(n.text, func(whole string) string {
			parts := reference.FindStringSubmatch(whole)
			name, fallback := parts[1], parts[2] != ""
			value, found := variables(name)
			switch {
			case found && (value != "" || !fallback):
				if v := (variable{name, value}); !slices.Contains(n.env, v) {
					n.env = append(n.env, v)
				}
				return value
			case !fallback:
				n.spoilt = true
				c.add(n.origin, path, fmt.Sprintf("the environment has no variable %s", name), fmt.Sprintf("set it, or write ${env:%s:-fallback}", name))
			}
			return parts[3]
		})
	})
}
