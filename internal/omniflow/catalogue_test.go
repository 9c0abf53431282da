package omniflow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// section26 is the catalogue as the specification prints it.
const section26 = `
MC-01 wa_group_creating | 建立中
MC-02 wa_group_failed_label | 建立失敗
MC-03 wa_group_not_approved | 無法傳送訊息，群組未通過審核
MC-04 wa_window_closed | 無法傳送訊息，此用戶的訊息已超過 24 小時
MC-05 fb_non_promotional_only | 此用戶的訊息已超過24小時,只能傳送 「非推廣性質」 的訊息
MC-06 fb_window_closed | 無法傳送訊息,你已經超過Facebook的對話限制(客人最後一個訊息後7天內可傳送非推廣興致的訊息)
MC-07 broadcast_waba_conflict | 請重新選擇對話事件。訊息範本僅支援發送相同WhatsApp商業帳號的顧客
MC-08 saved_reply_file_unsupported | 目標渠道不支援發送含有檔案類型的預存回覆
MC-09 saved_reply_bot_unsupported | 目標渠道不支援發送此類型的機器人模組
MC-10 saved_reply_bot_deleted | 此預存回覆的機器人模組已被刪除
MC-11 bulk_transfer_unsupported | 協作對話、群組對話無法批量移轉
MC-12 collaborator_cannot_close | 協作者無法結束對話
MC-13 legacy_console_unsupported | 舊版對話不支援協作功能,請到對話 2.0 繼續使用。
MC-14 tag_repeat_confirm | 要再次貼上此標籤嗎?
MC-15 line_members_unavailable | 現有 LINE 方案不支援取得群組成員資料,請先向 LINE 進行驗證或升級為高級帳戶
MC-16 conversation_view_denied | 沒有權限查看此顧客對話
MC-17 line_brand_mentioned | 您已被標註
MC-18 line_message_recalled | 已收回一則訊息
MC-19 webchat_customer_offline | 用戶已離線
MC-20 console_reconnect | 請嘗試重新連線 (button 重新連線)
MC-21 shopping_view_product | View Product 查看商品
LG-01 log_collab_added | {actor} 將 {m1}、{m2} 加入了協作對話。
LG-02 log_collab_joined | {actor} 加入了協作對話。
LG-03 log_collab_removed_one | {m1} 退出了協作對話。
LG-04 log_collab_removed_many | {actor} 將 {m1}、{m2} 退出了協作對話。
LG-05 log_collab_left | {actor} 退出了協作對話。
LG-06 log_taken_over | {actor} 接手跟進了 {former} 的對話。
LG-07 log_transferred | {actor} 將對話轉給了 {receiver}。
LG-08 log_ended | {actor} 結束了對話。
LG-09 log_reopened | {actor} 重啟了對話。
LG-10 log_deactivated | {actor} (停用者) 將 {member} 退出協作對話。
SM-01 sys_joined | {m1} 加入了協作對話。
SM-02 sys_joined_many | {m1} 與其他 {n} 人加入了協作對話。
SM-03 sys_left | {m1} 退出了協作對話。
SM-04 sys_left_many | {m1} 與其他 {n} 人退出了協作對話。
SM-05 sys_follower | {m1} 跟進了對話。
NT-01 ntf_added | {actor} ({role}) 將你加入 {follower} 的協作對話。
NT-02 ntf_removed | {actor} ({role}) 將你退出 {customer} 的協作對話。
NT-03 ntf_left | 已退出 {customer} 的協作對話。
NT-04 ntf_taken_over | {actor} ({role}) 已接手 {n} 個你的對話。
NT-05 ntf_transferred | {actor} ({role}) 已將 {n} 個對話移轉給你。
NT-06 ntf_ended | {actor} 已將對話結束。
`

func TestCatalogueIsVerbatim(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSpace(section26), "\n")
	require.Len(t, catalogue, len(rows))
	for _, row := range rows {
		name, text, _ := strings.Cut(row, " | ")
		key := TextKey(strings.Fields(name)[1])
		text, _, _ = strings.Cut(text, " (button ") // MC-20 also names its button
		require.Equal(t, text, key.Text(), name)
	}
	require.Empty(t, TextKey("nothing").Text())
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		key    TextKey
		values map[string]string
		want   string
	}{
		{"EX-077 five are added: system message", TextSystemJoinedMany, map[string]string{"m1": "A", "n": "4"}, "A 與其他 4 人加入了協作對話。"},
		{"EX-077 five are added: log", TextLogCollabAdded, map[string]string{"actor": "Jess", "members": JoinNames([]string{"A", "B", "C", "D", "E"})}, "Jess 將 A、B、C、D、E 加入了協作對話。"},
		{"EX-079 who is told", TextNotificationAdded, map[string]string{"actor": "Jess", "role": Administrator.Name(), "follower": "Jess B"}, "Jess (管理員) 將你加入 Jess B 的協作對話。"},
		{"EX-082 log", TextLogTransferred, map[string]string{"actor": "Jess", "receiver": "Jess A"}, "Jess 將對話轉給了 Jess A。"},
		{"EX-087 who is told", TextNotificationEnded, map[string]string{"actor": "Jess"}, "Jess 已將對話結束。"},
		{"EX-092 log", TextLogDeactivated, map[string]string{"actor": "Tom", "member": "Amy"}, "Tom (停用者) 將 Amy 退出協作對話。"},
		{"a name that looks like a placeholder", TextLogEnded, map[string]string{"actor": "{actor}"}, "{actor} 結束了對話。"},
		{"no placeholder", TextWAGroupCreating, nil, "建立中"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Render(test.key, test.values)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
	_, err := Render(TextLogEnded, nil)
	require.ErrorContains(t, err, "no value for {actor}")
	_, err = Render("nothing", nil)
	require.ErrorContains(t, err, "no such key")
}

func TestRefusalTexts(t *testing.T) {
	t.Parallel()
	for code, key := range textKeys {
		require.NotEmpty(t, key.Text(), code)
		require.Equal(t, key.Text(), Refuse(code, "X-00", "why").Text())
	}
	require.Equal(t, "permission_denied: not 3 (ROL-04)", Refuse(PermissionDenied, "ROL-04", "not %d", 3).Error())
	require.Empty(t, Refuse(PermissionDenied, "ROL-04", "no").Text())
	r := Refuse(BroadcastContentUnsupported, "D-BRD-5", "no")
	r.Key = TextSavedReplyFileUnsupported
	require.Equal(t, "目標渠道不支援發送含有檔案類型的預存回覆", r.Text())
}
