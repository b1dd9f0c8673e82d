package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(20)
	require.NoError(t, err)
	slices.Sort(ports)
	assert.Len(t, slices.Compact(ports), 20, "all differ")
	outgoing, err := net.Listen("tcp", "127.0.0.1:0") // draws from the same range as connections do
	require.NoError(t, err)
	defer outgoing.Close()
	for _, port := range ports {
		assert.GreaterOrEqual(t, port, lowestPort)
		assert.Less(t, port, outgoing.Addr().(*net.TCPAddr).Port)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}

func TestPortTaken(t *testing.T) {
	assert.False(t, portTaken(nil))
	assert.False(t, portTaken(errors.New("no such image")))
	assert.True(t, portTaken(errors.New("start container: Bind for 127.0.0.1:20001 failed: port is already allocated")))
	assert.True(t, portTaken(errors.New("listen tcp4 127.0.0.1:20001: bind: address already in use")))
}
