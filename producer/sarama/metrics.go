package sarama

import "sync/atomic"

// metrics are the methods of Sarama's metrics registry, spelled out here because the package that names them is Sarama's
// dependency, not ours.
type metrics interface {
	Each(func(name string, metric any))
	Get(name string) any
	GetAll() map[string]map[string]any
	GetOrRegister(name string, metric any) any
	Register(name string, metric any) error
	RunHealthchecks()
	Unregister(name string)
	UnregisterAll()
}

// registry is the registry of one producer. Sarama has no numbers but those in its metrics, and it takes them out of the
// registry whenever a connection ends; so they are watched on their way in and out.
type registry struct {
	metrics
	connections atomic.Int64
}

const (
	// perConnection is a metric that every broker of Sarama registers once when it has opened its connection, the
	// bootstrap's too, and unregisters once when it closes it.
	perConnection = "incoming-byte-rate"
	// perBatch is a histogram with one value for each batch of a partition that Sarama wrote into a produce request.
	perBatch = "batch-size"
)

func (r *registry) GetOrRegister(name string, metric any) any {
	if name == perConnection {
		r.connections.Add(1)
	}
	return r.metrics.GetOrRegister(name, metric)
}

func (r *registry) Unregister(name string) {
	switch name {
	case perConnection:
		r.connections.Add(-1)
	case perBatch:
		return // it would begin again at zero
	}
	r.metrics.Unregister(name)
}

// batches is the number of batches written so far.
func (r *registry) batches() int64 {
	histogram, ok := r.Get(perBatch).(interface{ Count() int64 })
	if !ok {
		return 0 // none yet
	}
	return histogram.Count()
}
