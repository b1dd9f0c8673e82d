package broker

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guarded is a connection to kfake that ends itself when what arrives is not a request kfake can survive: an unknown API
// key makes kfake panic in a goroutine of its own, and a length makes it allocate up to 4 GiB at once.
type guarded struct {
	*net.TCPConn
	door   *door
	public bool
	frames Frames
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.TCPConn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		_, end, head, strange := g.frames.Next(rest)
		if strange == nil && head != nil {
			strange = checkKey(head)
		}
		if strange != nil {
			return 0, fmt.Errorf("not a request: %w", strange)
		}
		if head != nil && g.public {
			g.door.held(head)
		}
		rest = rest[end:]
	}
	return n, err
}

func (g *guarded) Close() error {
	g.door.forget(g)
	return g.TCPConn.Close()
}

// checkKey refuses the API keys for which there is no request.
func checkKey(head []byte) error {
	key := int16(binary.BigEndian.Uint16(head))
	if kmsg.RequestForKey(key) == nil {
		return fmt.Errorf("unknown API key %d", key)
	}
	return nil
}
