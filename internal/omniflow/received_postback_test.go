package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadLINEPostback(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]struct {
		kind ReceivedKind
		text string
	}{
		"omnichat:text:營業時間": {LINERichMenuTextOmnichat, "營業時間"},
		"omnichat:text:":     {LINERichMenuTextOmnichat, ""},
		"omnichat:card:7":    {LINERichMenuBotCard, ""},
		"action=buy&id=1":    {LINERichMenuBotCard, ""},
		"":                   {LINERichMenuBotCard, ""},
	} {
		kind, text := ReadLINEPostback(data)
		require.Equal(t, want.kind, kind, data)
		require.Equal(t, want.text, text, data)
	}
}

func TestReadLINEText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ReceivedKind{
		"123456": LINESixDigitCode, "000000": LINESixDigitCode, " 123456\n": LINESixDigitCode,
		"12345": "", "1234567": "", "12345a": "", "１２３４５６": "", "12 456": "", "-12345": "", "": "", "code 123456": "",
	} {
		require.Equal(t, want, ReadLINEText(text), text)
	}
}

func TestReadLINEMenuText(t *testing.T) {
	t.Parallel()
	menu := []string{"門市查詢", "會員"}
	require.Equal(t, LINERichMenuTextLINE, ReadLINEMenuText("門市查詢", menu))
	require.Equal(t, LINERichMenuTextLINE, ReadLINEMenuText(" 會員\n", menu))
	require.Empty(t, ReadLINEMenuText("門市", menu))
	require.Empty(t, ReadLINEMenuText("門市查詢", nil))
}

func TestReadFacebookPostback(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]ReceivedKind{
		"GET_STARTED": FacebookGetStarted, "get_started": FacebookGetStarted, "GET_STARTED_PAYLOAD": FacebookGetStarted,
		"MENU_1": FacebookPersistentMenu, "": FacebookPersistentMenu, "GET": FacebookPersistentMenu, "DO_GET_STARTED": FacebookPersistentMenu,
	} {
		require.Equal(t, want, ReadFacebookPostback(payload), payload)
	}
}
