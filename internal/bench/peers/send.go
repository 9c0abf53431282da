package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/omniflow"
)

// text is the same as that of the broadcasts.
const text = "秋季會員日開跑！全館新品 85 折，單筆滿 NT$2,000 再折 200 元，活動只到本週日。立即選購 https://shop.example.com/autumn"

// sendFunc hands the text to one recipient.
type sendFunc func(ctx context.Context, recipient string) error

// newSend gives the same client that omniflow sends with.
func newSend(base string) sendFunc {
	sender := whatsapp.New(base, channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true}))
	account := channel.Account{ExternalID: "1", Secrets: channel.Secrets{Token: "peers"}}
	contents := []omniflow.Content{{Kind: omniflow.Text, Text: text}}
	return func(ctx context.Context, recipient string) error {
		_, err := sender.Send(ctx, account, channel.Message{
			Key: channel.Key{MessageID: uuid.Must(uuid.NewV7()), Attempt: 1}, Recipient: recipient, Contents: contents})
		return err
	}
}

// recipient is the i-th customer's number.
func recipient(i int) string { return fmt.Sprintf("+8869%08d", 10_000_000+i) }

// enqueued tells the bench that everything waits to be sent.
func enqueued() { fmt.Println("enqueued") }
