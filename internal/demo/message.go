package main

import "omniflow/internal/apiclient"

// text is what the demo sends: Traditional Chinese, emoji outside the basic
// plane, and links, short enough for every channel.
const text = `🍂 秋季會員日開跑！
全館新品 85 折，單筆滿 NT$2,000 再折 200 元，活動只到本週日。
立即選購 👉 https://shop.example.com/autumn?utm_source=omniflow
查詢門市 📍 https://shop.example.com/stores
有任何問題請直接回覆，我們很樂意為您服務 😊👨‍👩‍👧`

// request is the broadcast of the demo: one text to everybody the member handles.
func request() apiclient.BroadcastRequest {
	return apiclient.BroadcastRequest{
		Kind: "broadcast_message", Client: "web", Name: "秋季會員日",
		Audience: apiclient.Audience{All: true},
		Messages: []apiclient.Content{{Kind: "text", Text: text}},
	}
}
