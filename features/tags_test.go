package features

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTags(t *testing.T) {
	for _, good := range []string{"", "@a", "~@a", "@a,@b", "@a && @b", "@a,~@b && ~@c", "@a&&@b-1"} {
		require.NoError(t, checkTags(good), good)
	}
	const all = "@a,@b for either, @a && @b for both, ~@a for those without it"
	for bad, want := range map[string]string{
		" ":                `tags " ": want an expression, such as @smoke`,
		"@a or @b":         `tags "@a or @b": "@a or @b" is no tag: want @a,@b (` + all + `)`,
		"@a || @b":         `tags "@a || @b": "@a || @b" is no tag: want @a,@b (` + all + `)`,
		"@a and @b":        `tags "@a and @b": "@a and @b" is no tag: want @a && @b (` + all + `)`,
		"not @a":           `tags "not @a": "not @a" is no tag: want ~@a (` + all + `)`,
		"!@a":              `tags "!@a": "!@a" is no tag: want ~@a (` + all + `)`,
		"@a and not @b":    `tags "@a and not @b": "@a and not @b" is no tag: want @a && ~@b (` + all + `)`,
		"@a,":              `tags "@a,": "" is no tag: want @a (` + all + `)`,
		"&& @a":            `tags "&& @a": "" is no tag: want @a (` + all + `)`,
		"smoke":            `tags "smoke": "smoke" is no tag: want @smoke (` + all + `)`,
		"~smoke":           `tags "~smoke": "~smoke" is no tag: want ~@smoke (` + all + `)`,
		"@a @b":            `tags "@a @b": "@a @b" is no tag: want @a,@b (` + all + `)`,
		"@a or @b and @c":  `tags "@a or @b and @c": "@a or @b and @c" is no tag: want ` + all,
		"(@a or @b) && @c": `tags "(@a or @b) && @c": "(@a or @b)" is no tag: want ` + all,
		"~":                `tags "~": "~" is no tag: want ` + all,
	} {
		assert.EqualError(t, checkTags(bad), want)
	}
}

func FuzzTags(f *testing.F) {
	f.Add("@a or not @b,(c) && !d")
	f.Fuzz(func(t *testing.T, expression string) {
		err := checkTags(expression)
		if err == nil && expression != "" {
			assert.Contains(t, expression, "@")
		}
	})
}
