package facebook

import (
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// table is section 5. A pair of code and subcode that is not in it is decided
// by the family of its code.
var table = graph.Table{Rules: rules, Family: family}

// family is the default of section 5 for unlisted pairs.
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
	"1":         channel.Lost(),
	"99":        channel.Lost(),
	"1/1357046": channel.Lost(),
	"2":         channel.Lost(),

	// R: nothing was sent, send again.
	"1200":    channel.Down(2 * time.Second),
	"2018321": channel.Down(5 * time.Minute),

	// T: the whole page slows down.
	"4":           channel.Throttle(channel.ScopeAccount, time.Minute),
	"4/2018022":   channel.Throttle(channel.ScopeAccount, time.Minute),
	"4/2018354":   channel.Throttle(channel.ScopeMessage, time.Minute), // a delay between two to one person
	"17":          channel.Throttle(channel.ScopeAccount, time.Minute),
	"32":          channel.Throttle(channel.ScopeAccount, time.Minute),
	"341":         channel.Throttle(channel.ScopeAccount, time.Minute),
	"613":         channel.Throttle(channel.ScopeAccount, time.Second),
	"613/1893016": channel.Throttle(channel.ScopeAccount, time.Second),
	"613/2534040": channel.Throttle(channel.ScopeAccount, time.Second),
	"80001":       channel.Throttle(channel.ScopeAccount, time.Minute),
	"80002":       channel.Throttle(channel.ScopeAccount, time.Minute),
	"80006":       channel.Throttle(channel.ScopeAccount, time.Minute),

	// X: terminal for this recipient or message.
	"613/2018338": channel.Terminal(omniflow.ProviderRejected), // tagged sends to that person
	"9/2018352":   channel.Terminal(omniflow.ProviderRejected),
	"10/2018278":  channel.Terminal(omniflow.WindowClosed),
	"10/2534022":  channel.Terminal(omniflow.WindowClosed),
	"10/2018065":  channel.Terminal(omniflow.WindowClosed),
	"10/2018108":  channel.Terminal(omniflow.Unreachable),
	"10/1893015":  channel.Terminal(omniflow.OptedOut),
	"100":         channel.Terminal(omniflow.ProviderRejected),
	"100/2018001": channel.Terminal(omniflow.Unreachable),
	"100/2534014": channel.Terminal(omniflow.Unreachable),
	"100/2018008": channel.Down(5 * time.Second), // our media could not be fetched
	"100/2018047": channel.Terminal(omniflow.ProviderRejected),
	"100/2018109": channel.Terminal(omniflow.ProviderRejected),
	"100/2018294": channel.Terminal(omniflow.ProviderRejected),
	"100/2018074": channel.Terminal(omniflow.ProviderRejected),
	"100/2018014": channel.Terminal(omniflow.ProviderRejected),
	"100/2018164": channel.Terminal(omniflow.ProviderRejected),
	"100/2018320": channel.Terminal(omniflow.ProviderRejected),
	"100/2018328": channel.Terminal(omniflow.ProviderRejected),
	"200/1545041": channel.Terminal(omniflow.Unreachable),
	"551":         channel.Terminal(omniflow.Unreachable),
	"551/1545041": channel.Terminal(omniflow.Unreachable),
	"2018300":     channel.Terminal(omniflow.ProviderRejected), // another app controls the thread
	"9000001":     channel.Terminal(omniflow.ProviderRejected),

	// A: stops the page. 200 alone stands for the permission codes 200 to 299.
	"2/2018344":   channel.Stop(omniflow.AccountStopped),
	"10":          channel.Stop(omniflow.AccountStopped),
	"10/1893063":  channel.Stop(omniflow.AccountStopped),
	"10/1404170":  channel.Stop(omniflow.AccountStopped),
	"10/2018336":  channel.Stop(omniflow.AccountStopped),
	"10/2534077":  channel.Stop(omniflow.AccountStopped),
	"100/33":      channel.Stop(omniflow.AccountStopped), // the page in the path
	"102":         channel.Stop(omniflow.AccountStopped),
	"190":         channel.Stop(omniflow.AccountStopped),
	"190/458":     channel.Stop(omniflow.AccountStopped),
	"190/459":     channel.Stop(omniflow.AccountStopped),
	"190/460":     channel.Stop(omniflow.AccountStopped),
	"190/463":     channel.Stop(omniflow.AccountStopped),
	"190/464":     channel.Stop(omniflow.AccountStopped),
	"190/467":     channel.Stop(omniflow.AccountStopped),
	"200":         channel.Stop(omniflow.AccountStopped),
	"200/2018021": channel.Stop(omniflow.AccountStopped),
	"200/2018027": channel.Stop(omniflow.AccountStopped),
	"200/2018028": channel.Stop(omniflow.AccountStopped),
	"368":         channel.Stop(omniflow.AccountStopped),
	"2022":        channel.Stop(omniflow.AccountStopped),
	"10303":       channel.Stop(omniflow.AccountStopped),
	"36103":       channel.Stop(omniflow.AccountStopped),
}
