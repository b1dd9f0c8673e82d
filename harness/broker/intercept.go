package broker

import (
	"encoding/binary"
	"errors"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Hold makes every produce request that reaches an embedded broker wait until wait returns, and with it what comes behind
// it on its connection. The broker has then done nothing with it; when wait returns it does, even if the client has gone.
// It is called from several goroutines at the same time, and must have returned before Close is called. Hold itself is
// called once, before there is a client.
func (c *Cluster) Hold(wait func()) error {
	e, found := c.kafka.(*embedded)
	if !found {
		return errors.New("hold produce requests: only an embedded broker can")
	}
	for _, door := range e.doors {
		door.hold.Store(&wait)
	}
	return nil
}

// Observe shows every produce request that an embedded broker acts on to see, which must neither block nor call the
// cluster nor keep the request.
func (c *Cluster) Observe(see func(*kmsg.ProduceRequest)) error {
	e, found := c.kafka.(*embedded)
	if !found {
		return errors.New("observe produce requests: only an embedded broker can")
	}
	e.kfake.Fault(kfake.Fault{
		Keys:    []kmsg.Key{kmsg.Produce},
		Observe: true,
		Count:   -1,
		When: func(request kmsg.Request) bool {
			see(request.(*kmsg.ProduceRequest))
			return false
		},
	})
	return nil
}

// held waits while a client's request that begins so is held back.
func (d *door) held(head []byte) {
	wait := d.hold.Load()
	if wait != nil && kmsg.Key(binary.BigEndian.Uint16(head)) == kmsg.Produce {
		(*wait)()
	}
}
