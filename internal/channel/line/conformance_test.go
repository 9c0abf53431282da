package line_test

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/channel/line"
	"omniflow/internal/omniflow"
)

func harness(t *testing.T) *channeltest.Harness {
	t.Helper()
	return channeltest.NewHarness(t, omniflow.LINE, func(baseURL string, client *channel.HTTPClient) channel.Provider {
		return line.New(baseURL, client)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, harness)
}
