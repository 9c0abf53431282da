// Package localstack runs everything omniflow needs on one machine, without
// containers: a private PostgreSQL cluster, a Temporal server, the provider
// simulators and our own programs.
//
// It has three users. `make up`, `make down` and `make demo` keep a [Stack]
// under .local/. The end-to-end tests start one of their own on free ports and
// kill its parts. Package postgrestest starts only a [Cluster].
//
// Every server listens on 127.0.0.1 alone. Every child runs in a process group
// of its own, writes to a log file and leaves a pid file, so that a later
// process can stop it; see [Supervisor] and [StopAll].
//
// What it is not: a way to run omniflow in production. PostgreSQL runs without
// fsync here, which survives the death of any process but not of the machine.
package localstack
