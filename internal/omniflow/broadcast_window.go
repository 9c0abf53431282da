package omniflow

import "time"

// BroadcastWindow is how old the customer's last message may be when a
// broadcast is handed to the channel, and the code of a recipient who is
// outside. Zero means that the channel sets no such limit.
type BroadcastWindow struct {
	Max  time.Duration
	Code Code
}

// broadcastWindows is WIN-01 and WIN-02 as a broadcast meets them. Facebook's
// bracket from 24 h to 7 d and Instagram's need HUMAN_AGENT, which belongs to
// what a person writes and never to a broadcast (D-WIN-2; the providers'
// policy), so both end at 24 h. LINE has a quota, not a window.
var broadcastWindows = map[BroadcastKind]map[Channel]BroadcastWindow{
	BroadcastMessage: {
		WhatsApp:  {24 * time.Hour, WindowTemplateOnly},
		Facebook:  {24 * time.Hour, WindowClosed},
		Instagram: {24 * time.Hour, WindowClosed},
	},
	BroadcastTemplate: {},
}

// WindowOfBroadcast is the window of a broadcast of kind k on ch.
func WindowOfBroadcast(k BroadcastKind, ch Channel) BroadcastWindow { return broadcastWindows[k][ch] }
