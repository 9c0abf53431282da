package facebook_test

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/channel/facebook"
	"omniflow/internal/omniflow"
)

func harness(t *testing.T) *channeltest.Harness {
	t.Helper()
	return channeltest.NewHarness(t, omniflow.Facebook, func(baseURL string, client *channel.HTTPClient) channel.Provider {
		return facebook.New(baseURL, client)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, harness)
}
