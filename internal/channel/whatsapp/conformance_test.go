package whatsapp_test

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/omniflow"
)

func harness(t *testing.T) *channeltest.Harness {
	t.Helper()
	return channeltest.NewHarness(t, omniflow.WhatsApp, func(baseURL string, client *channel.HTTPClient) channel.Provider {
		return whatsapp.New(baseURL, client)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, harness)
}

func TestGroupConformance(t *testing.T) {
	t.Parallel()
	channeltest.RunGroups(t, harness)
}
