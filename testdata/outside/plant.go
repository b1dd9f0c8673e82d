// Package plant is a module of somebody else, with a producer of his own: Sarama's, as he has configured it.
package plant

import (
	"context"
	"errors"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// New connects the plant's producer. It takes no other acknowledgements than all.
func New(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
	if config.Acks != producer.AcksAll {
		return nil, errors.New("the plant wants every record on every replica: acks all")
	}
	return sarama.New(ctx, config, outcome)
}

// Kind is the plant's producer, to be put under test.
func Kind() producer.Kind { return producer.Kind{Name: "plant", Version: "v1.0.0", New: New} }
