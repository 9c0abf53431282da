package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// postgresEnv names the environment variable that stands in for --postgres, so
// that a password need not show in the list of processes.
const postgresEnv = "TEMPORAL_POSTGRES"

// options is the command line, checked and with its defaults filled in.
type options struct {
	ip, uiIP                            string
	port, uiPort, httpPort, metricsPort int
	headless                            bool
	uiPublicPath, uiAssetPath           string
	uiCodecEndpoint                     string
	namespaces                          []string
	retention                           time.Duration
	searchAttributes                    []searchAttribute
	dynamicConfig                       []string
	dbFilename                          string
	sqlitePragmas                       []string
	postgres                            string
	postgresDB, postgresVisibilityDB    string
	postgresMaxConns                    int
	historyShards                       int
	logLevel, logFormat                 string
	parentPID                           int
}

// stringList is a flag that may be given many times.
type stringList []string

// String shows the values, for the usage text.
func (l *stringList) String() string { return strings.Join(*l, ",") }

// Set adds one value.
func (l *stringList) Set(v string) error {
	*l = append(*l, v)
	return nil
}

// parseFlags reads args, with or without the leading words "server start-dev".
// Usage and mistakes go to errOut; asking for help is flag.ErrHelp.
func parseFlags(args []string, errOut io.Writer) (options, error) {
	if len(args) >= 2 && args[0] == "server" && args[1] == "start-dev" {
		args = args[2:]
	}
	var o options
	var attributes stringList
	fs := flag.NewFlagSet("temporal-server", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	declareNetwork(fs, &o)
	declareStorage(fs, &o)
	declareServer(fs, &o, &attributes)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(fs, errOut)
		}
		return options{}, err
	}
	if fs.NArg() > 0 {
		return options{}, fmt.Errorf("unknown command %q: only `server start-dev` with flags is known (see --help)", fs.Arg(0))
	}
	var err error
	if o.searchAttributes, err = parseSearchAttributes(attributes); err != nil {
		return options{}, err
	}
	o.fillDefaults()
	return o, o.check()
}

func declareNetwork(fs *flag.FlagSet, o *options) {
	fs.StringVar(&o.ip, "ip", "127.0.0.1", "address the frontend listens on")
	for _, name := range []string{"port", "p"} {
		fs.IntVar(&o.port, name, 7233, "port of the frontend (gRPC); 0 chooses a free one")
	}
	fs.StringVar(&o.uiIP, "ui-ip", "", "address the UI listens on (default: --ip)")
	fs.IntVar(&o.uiPort, "ui-port", 0, "port of the UI (default: --port + 1000)")
	fs.BoolVar(&o.headless, "headless", false, "do not start the UI")
	fs.StringVar(&o.uiPublicPath, "ui-public-path", "", "path prefix of the UI")
	fs.StringVar(&o.uiAssetPath, "ui-asset-path", "", "folder of UI assets instead of the built-in ones")
	fs.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "URL of the codec server with which the UI decodes payloads")
	fs.Bool("ui-disable-news-fetch", true, "accepted for compatibility: news are never fetched")
	fs.IntVar(&o.httpPort, "http-port", 0, "port of the HTTP API (default: off)")
	fs.IntVar(&o.metricsPort, "metrics-port", 0, "port of the Prometheus metrics at /metrics (default: off)")
}

func declareStorage(fs *flag.FlagSet, o *options) {
	for _, name := range []string{"db-filename", "f"} {
		fs.StringVar(&o.dbFilename, name, "", "SQLite file (default: in memory)")
	}
	fs.Var((*stringList)(&o.sqlitePragmas), "sqlite-pragma", "SQLite pragma as KEY=VALUE; repeatable")
	fs.StringVar(&o.postgres, "postgres", os.Getenv(postgresEnv),
		"PostgreSQL instead of SQLite: a URL or key=value string whose user may create databases (env "+postgresEnv+")")
	fs.StringVar(&o.postgresDB, "postgres-db", "temporal", "database of the executions, created if missing")
	fs.StringVar(&o.postgresVisibilityDB, "postgres-visibility-db", "",
		"database of the visibility records, created if missing (default: --postgres-db + _visibility)")
	fs.IntVar(&o.postgresMaxConns, "postgres-max-conns", 10,
		"connections each of the four services may open to the executions, and half as many to visibility")
	fs.IntVar(&o.historyShards, "history-shards", 0,
		"history shards, fixed at the first start of a database (default: 1 on SQLite, 16 on PostgreSQL)")
}

func declareServer(fs *flag.FlagSet, o *options, attributes *stringList) {
	for _, name := range []string{"namespace", "n"} {
		fs.Var((*stringList)(&o.namespaces), name, "namespace to create if missing; repeatable (default: default)")
	}
	fs.DurationVar(&o.retention, "retention", 7*24*time.Hour, "how long a new namespace keeps closed runs")
	fs.Var(attributes, "search-attribute", "search attribute to create if missing, as NAME=Keyword|Text|Int|...; repeatable")
	fs.Var((*stringList)(&o.dynamicConfig), "dynamic-config-value",
		`dynamic configuration as KEY=JSON, or KEY=[{"value":JSON,"constraints":{...}}]; repeatable`)
	fs.StringVar(&o.logLevel, "log-level", "error", "debug, info, warn, error or never")
	fs.StringVar(&o.logFormat, "log-format", "pretty", "pretty, text or json")
	fs.IntVar(&o.parentPID, "parent-pid", 0, "stop when this process is no longer the parent")
}

// fillDefaults sets what depends on another flag.
func (o *options) fillDefaults() {
	if len(o.namespaces) == 0 {
		o.namespaces = []string{"default"}
	}
	if o.uiIP == "" {
		o.uiIP = o.ip
	}
	if o.postgresVisibilityDB == "" {
		o.postgresVisibilityDB = o.postgresDB + "_visibility"
	}
	if o.historyShards == 0 {
		o.historyShards = 1
		if o.postgres != "" {
			o.historyShards = 16
		}
	}
}

// check reports the first combination that cannot be served.
func (o *options) check() error {
	switch {
	case o.postgres != "" && o.dbFilename != "":
		return errors.New("--postgres and --db-filename exclude each other")
	case o.postgresDB == o.postgresVisibilityDB:
		return errors.New("--postgres-db and --postgres-visibility-db must differ")
	case o.historyShards < 0:
		return fmt.Errorf("--history-shards %d: must be 1 or more", o.historyShards)
	case o.postgresMaxConns < 2:
		return fmt.Errorf("--postgres-max-conns %d: must be 2 or more", o.postgresMaxConns)
	case o.retention < 24*time.Hour:
		return fmt.Errorf("--retention %s: the server keeps closed runs for 24h or more", o.retention)
	}
	for _, level := range []string{"debug", "info", "warn", "error", "never"} {
		if o.logLevel == level {
			return nil
		}
	}
	return fmt.Errorf("--log-level %q: debug, info, warn, error or never", o.logLevel)
}

func usage(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprintln(w, "temporal-server [server start-dev] [flags]")
	fs.SetOutput(w)
	fs.PrintDefaults()
}
