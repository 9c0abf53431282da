package simulator_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/line/line-bot-sdk-go/v8/linebot/messaging_api"
	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"
	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func newSDK(t *testing.T, w *world) *messaging_api.MessagingApiAPI {
	t.Helper()
	sdk, err := messaging_api.NewMessagingApiAPI("line", messaging_api.WithEndpoint(w.url+"/line"))
	require.NoError(t, err)
	return sdk
}

func TestOfficialLINESDKPushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Quota = 10 })
	sdk := newSDK(t, w)
	push := &messaging_api.PushMessageRequest{To: users[0], Messages: []messaging_api.MessageInterface{messaging_api.TextMessage{Text: "早安"}}}
	key := uuid.NewString()
	first, err := sdk.PushMessage(push, key)
	require.NoError(t, err)
	require.Len(t, first.SentMessages, 1)
	require.Equal(t, w.truth(simulator.LINE)[0].ProviderID, first.SentMessages[0].Id)

	res, _, err := sdk.PushMessageWithHttpInfo(push, key)
	require.Error(t, err)
	require.Equal(t, http.StatusConflict, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("X-Line-Accepted-Request-Id"))

	_, err = sdk.PushMessage(push, "")
	require.NoError(t, err, "an empty key header is no key")
	_, err = sdk.Multicast(&messaging_api.MulticastRequest{To: users[:], Messages: push.Messages}, uuid.NewString())
	require.NoError(t, err)
	require.Equal(t, 5, w.summary(simulator.LINE).Accepted)
	require.Equal(t, 2, w.summary(simulator.LINE).Duplicates)
}

func TestOfficialLINESDKReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Quota = 10 })
	sdk := newSDK(t, w)
	quota, err := sdk.GetMessageQuota()
	require.NoError(t, err)
	require.Equal(t, messaging_api.QuotaType("limited"), quota.Type)
	require.EqualValues(t, 10, quota.Value)
	used, err := sdk.GetMessageQuotaConsumption()
	require.NoError(t, err)
	require.Zero(t, used.TotalUsage)
	info, err := sdk.GetBotInfo()
	require.NoError(t, err)
	require.Equal(t, botID, info.UserId)
	profile, err := sdk.GetProfile(users[0])
	require.NoError(t, err)
	require.Equal(t, users[0], profile.UserId)
	_, err = sdk.ValidatePush(&messaging_api.ValidateMessageRequest{Messages: []messaging_api.MessageInterface{messaging_api.TextMessage{Text: "x"}}})
	require.NoError(t, err)
}

func TestOfficialLINESDKParsesWebhooksAndReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.LINE, ExternalID: botID, User: users[1], Text: "早安 a/b"})
	require.NoError(t, err)
	h := w.hook()
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(h.body))
	req.Header = h.header
	got, err := webhook.ParseRequest(secret, req)
	require.NoError(t, err)
	require.Equal(t, botID, got.Destination)
	require.Len(t, got.Events, 1)
	event, ok := got.Events[0].(webhook.MessageEvent)
	require.True(t, ok, "%T", got.Events[0])
	require.Equal(t, id, event.WebhookEventId)
	require.Len(t, id, 26)
	require.False(t, event.DeliveryContext.IsRedelivery)
	require.Equal(t, webhook.EventMode("active"), event.Mode)
	require.Equal(t, users[1], event.Source.(webhook.UserSource).UserId)
	require.Equal(t, "早安 a/b", event.Message.(webhook.TextMessageContent).Text)
	_, err = newSDK(t, w).ReplyMessage(&messaging_api.ReplyMessageRequest{ReplyToken: event.ReplyToken,
		Messages: []messaging_api.MessageInterface{messaging_api.TextMessage{Text: "x"}}})
	require.NoError(t, err)

	req = httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(h.body))
	req.Header = h.header
	_, err = webhook.ParseRequest("another secret", req)
	require.ErrorIs(t, err, webhook.ErrInvalidSignature)
}
