package omniflow

// Channel is a kind of channel (section 29).
type Channel string

// The channels of the console.
const (
	Webchat   Channel = "webchat"
	Facebook  Channel = "facebook"
	LINE      Channel = "line"
	WhatsApp  Channel = "whatsapp"
	Instagram Channel = "instagram"
	WeChat    Channel = "wechat"
)

// BroadcastChannels are the channels a broadcast may go to (BRD-03), in the
// order in which tables and progress bars show them.
var BroadcastChannels = [...]Channel{LINE, Facebook, Instagram, WhatsApp}
