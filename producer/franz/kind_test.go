package franz

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKind(t *testing.T) {
	kind := Kind()
	assert.Equal(t, "franz", kind.Name)
	assert.Regexp(t, `^v\d+\.\d+\.\d+`, kind.Version)
	assert.NotNil(t, kind.New)
}
