package main

import (
	"net"
	"strconv"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/testing/freeport"
)

const (
	clusterName     = "active" // as in the Temporal CLI, whose database files can be opened
	mainStore       = "main"
	visibilityStore = "visibility"
)

// stores names the two SQL databases of a server; on SQLite they are one.
type stores struct {
	main, visibility *config.SQL
	release          func() // gives up what marks them as in use
}

// serverConfig is the configuration of a server with all services in this
// process. The services other than the frontend listen on free loopback ports.
func serverConfig(o options, db stores) *config.Config {
	frontend := reachable(o.ip, o.port)
	c := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     mainStore,
			VisibilityStore:  visibilityStore,
			NumHistoryShards: int32(o.historyShards),
			DataStores: map[string]config.DataStore{
				mainStore:       {SQL: db.main},
				visibilityStore: {SQL: db.visibility},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): {RPC: config.RPC{GRPCPort: o.port, HTTPPort: o.httpPort, BindOnIP: o.ip}},
			string(primitives.HistoryService):  internalService(),
			string(primitives.MatchingService): internalService(),
			string(primitives.WorkerService):   internalService(),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
		PublicClient: config.PublicClient{HostPort: frontend},
	}
	if o.metricsPort != 0 {
		c.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			ListenAddress: net.JoinHostPort(o.ip, strconv.Itoa(o.metricsPort)),
			HandlerPath:   "/metrics",
		}}
	}
	return c
}

func internalService() config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: freeport.MustGetFreePort(), BindOnIP: loopback}}
}

// staticHosts tells each service where the others are. It replaces the gossip
// ring, whose members outlive a killed process by some seconds in the database.
func staticHosts(c *config.Config) map[primitives.ServiceName]static.Hosts {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(c.Services))
	for name, service := range c.Services {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(reachable(service.RPC.BindOnIP, service.RPC.GRPCPort))
	}
	return hosts
}
