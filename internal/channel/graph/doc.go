// Package graph is what WhatsApp, Messenger and Instagram share, because all
// three stand behind Meta's Graph API: the call and its error envelope, the
// signature of webhooks, and JSON that is a string one day and a number the
// next.
//
// Source: shared/channels/whatsapp.md sections 1 and 4, messenger.md sections
// 4, 5, 6 and 12, instagram.md sections 5 and 10.
package graph
