package inflight

import (
	"slices"
	"sync"
)

const (
	// Rest is how many pieces must have been given back after one until it is used again. It is for a client that breaks its
	// contract by giving a record a second outcome right after the first: what is left of the record still says which it is.
	Rest = 2
	// RestMost is how many pieces are kept after an outage, when everything that waited comes back at once.
	RestMost = 256
)

// Rested is memory of records that have had their outcome, in pieces of many records each, to be used again: what is
// allocated anew for every record is in no processor's cache. It is one of the latest pieces given back that is used again,
// not the one that has rested for longest, so that after an outage no more memory goes round than before it.
//
// It is safe for concurrent use.
type Rested[T any] struct {
	mu     sync.Mutex
	pieces []*T // the first given back first
}

// Take returns a piece that has rested, or nil where there is none.
func (r *Rested[T]) Take() *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := len(r.pieces) - 1 - Rest
	if next < 0 {
		return nil
	}
	piece := r.pieces[next]
	r.pieces = slices.Delete(r.pieces, next, next+1)
	return piece
}

// Give takes a piece back that nobody uses any more.
func (r *Rested[T]) Give(piece *T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pieces) < RestMost {
		r.pieces = append(r.pieces, piece)
	}
}
