package instagram

import (
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// table is section 5. A pair of code and subcode that is not in it is decided
// by the family of its code, as on Messenger.
var table = graph.Table{Rules: rules, Family: family}

// family is the default of messenger.md section 5 for unlisted pairs.
func family(code, subcode int) channel.Rule {
	switch {
	case code == 1, code == 2:
		return channel.Lost()
	case code == 4, code == 17, code == 32, code == 341, code == 613, code >= 80000 && code <= 80099:
		return channel.Throttle(channel.ScopeAccount, time.Minute)
	case code == 102, code == 190, code == 368, subcode == 0 && code >= 200 && code <= 299:
		return channel.Stop(omniflow.AccountStopped)
	}
	return channel.Terminal(omniflow.ProviderRejected)
}

var rules = map[string]channel.Rule{
	// U: may have been sent.
	"1": channel.Lost(),
	"2": channel.Lost(),

	// R: nothing was sent; our media could not be fetched.
	"100/2018008": channel.Down(5 * time.Second),

	// T: the whole account slows down.
	"4":           channel.Throttle(channel.ScopeAccount, time.Minute),
	"17":          channel.Throttle(channel.ScopeAccount, time.Minute),
	"32":          channel.Throttle(channel.ScopeAccount, time.Minute),
	"613":         channel.Throttle(channel.ScopeAccount, time.Second),
	"613/2534040": channel.Throttle(channel.ScopeAccount, time.Second),
	"80002":       channel.Throttle(channel.ScopeAccount, time.Minute),

	// X: terminal for this recipient or message. 100/2534037 is another app's
	// thread; 2534068 is an image too many.
	"10/2534022":  channel.Terminal(omniflow.WindowClosed),
	"10/2018278":  channel.Terminal(omniflow.WindowClosed),
	"100":         channel.Terminal(omniflow.ProviderRejected),
	"100/2534014": channel.Terminal(omniflow.Unreachable),
	"100/2018001": channel.Terminal(omniflow.Unreachable),
	"100/2534015": channel.Terminal(omniflow.ProviderRejected),
	"100/2534025": channel.Terminal(omniflow.ProviderRejected),
	"100/2534037": channel.Terminal(omniflow.ProviderRejected),
	"100/2534068": channel.Terminal(omniflow.ProviderRejected),
	"2534068":     channel.Terminal(omniflow.ProviderRejected),
	"100/2018047": channel.Terminal(omniflow.ProviderRejected),
	"100/2018109": channel.Terminal(omniflow.ProviderRejected),
	"100/2018294": channel.Terminal(omniflow.ProviderRejected),
	"551":         channel.Terminal(omniflow.Unreachable),
	"551/1545041": channel.Terminal(omniflow.Unreachable),
	"200/1545041": channel.Terminal(omniflow.Unreachable),
	"10/1893015":  channel.Terminal(omniflow.OptedOut),
	"10900":       channel.Terminal(omniflow.ProviderRejected),
	"10903":       channel.Terminal(omniflow.ProviderRejected),
	"9000001":     channel.Terminal(omniflow.ProviderRejected),

	// A: stops the account. 2534122 may concern one recipient only; stopping
	// loses nothing, failing a whole broadcast would.
	"10":          channel.Stop(omniflow.AccountStopped),
	"10/2534077":  channel.Stop(omniflow.AccountStopped),
	"100/33":      channel.Stop(omniflow.AccountStopped),
	"100/2534013": channel.Stop(omniflow.AccountStopped),
	"100/2534029": channel.Stop(omniflow.AccountStopped),
	"190":         channel.Stop(omniflow.AccountStopped),
	"190/458":     channel.Stop(omniflow.AccountStopped),
	"190/459":     channel.Stop(omniflow.AccountStopped),
	"190/460":     channel.Stop(omniflow.AccountStopped),
	"190/463":     channel.Stop(omniflow.AccountStopped),
	"190/467":     channel.Stop(omniflow.AccountStopped),
	"200":         channel.Stop(omniflow.AccountStopped),
	"200/2534041": channel.Stop(omniflow.AccountStopped),
	"368":         channel.Stop(omniflow.AccountStopped),
	"10303":       channel.Stop(omniflow.AccountStopped),
	"36103":       channel.Stop(omniflow.AccountStopped),
	"2534122":     channel.Stop(omniflow.AccountStopped),
}
