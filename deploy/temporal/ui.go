package main

import (
	"net"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// newUI makes the web UI of o, which talks to the frontend over gRPC.
func newUI(o options) *uiserver.Server {
	host := o.uiIP
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		host = "[" + host + "]" // the UI joins host and port as text
	}
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: reachable(o.ip, o.port),
		Host:                host,
		Port:                o.uiPort,
		PublicPath:          o.uiPublicPath,
		UIAssetPath:         o.uiAssetPath,
		EnableUI:            true,
		DefaultNamespace:    o.namespaces[0],
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on this machine
		Codec:               uiconfig.Codec{Endpoint: o.uiCodecEndpoint},
	}))
}
