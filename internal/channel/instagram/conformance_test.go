package instagram_test

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/channel/instagram"
	"omniflow/internal/omniflow"
)

func harness(t *testing.T) *channeltest.Harness {
	t.Helper()
	return channeltest.NewHarness(t, omniflow.Instagram, func(baseURL string, client *channel.HTTPClient) channel.Provider {
		return instagram.New(baseURL, client)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, harness)
}
