package activities

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// room bounds how many rows are at the provider at once, and so how many a
// kill can leave ambiguous.
type room struct {
	size int64
	sem  *semaphore.Weighted
}

func newRoom(size int) *room {
	return &room{size: int64(size), sem: semaphore.NewWeighted(int64(size))}
}

// enter waits for room for n rows.
func (r *room) enter(ctx context.Context, n int) error { return r.sem.Acquire(ctx, int64(n)) }

// leave gives back room for n rows.
func (r *room) leave(n int) { r.sem.Release(int64(n)) }

// empty waits until everybody has left: each send has its own deadline.
func (r *room) empty() {
	_ = r.sem.Acquire(context.Background(), r.size)
	r.sem.Release(r.size)
}
