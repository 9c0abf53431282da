// Package simulator is the sending half of four messaging providers over HTTP:
// WhatsApp Cloud API, LINE Messaging API, Messenger Platform and Instagram
// messaging, each under its own path prefix of one handler.
//
// It does not simulate groups other than WhatsApp's, narrowcast and broadcast
// calls, the conversations API, thread control, the Graph batch endpoint,
// 24-hour budgets and messaging tiers, or the fetching of linked media.
// README.md has the whole list and the administration calls under /_sim.
//
// It has memory: rate limits, monthly quotas, retry keys, windows, an address
// book, and a ledger of every message really delivered, which is the oracle of
// tests about duplicates and losses. It knows nothing of any particular client:
// paths, bodies, headers and errors are those of shared/channels/*.md.
package simulator
