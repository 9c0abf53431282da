package localstack_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// 300 of 12,000 ports: without a reservation two of them would nearly always
// be the same.
func TestNoPortIsGivenTwice(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	given := map[int]bool{}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			for range 30 {
				port, err := localstack.FreePort()
				mu.Lock()
				if err == nil {
					given[port] = true
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, given, 300)
}
