// Package config turns the environment into one checked value a program.
// Nothing else reads the environment, and every fault is reported at once.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"omniflow/internal/keyring"
)

// Shared is what the api and the worker both need.
type Shared struct {
	DatabaseURL   string         // DATABASE_URL; required: postgres://…
	DatabaseConns int32          // DATABASE_CONNS; default 20: connections this process opens at most
	Temporal      client.Options // TEMPORAL_ADDRESS (default 127.0.0.1:7233), TEMPORAL_NAMESPACE (default "default") and the SDK's other TEMPORAL_*
	Keys          *keyring.Ring  // OMNIFLOW_ENCRYPTION_KEYS; required: "k2:base64,k1:base64", 32 bytes each, newest first
	MetricsListen string         // OMNIFLOW_METRICS_LISTEN; each program's default below; "" or "off": no metrics
	BlobURL       string         // OMNIFLOW_BLOB_URL; default "": no files in broadcasts; file:///a/directory that api and worker share
	PublicURL     string         // OMNIFLOW_PUBLIC_URL; default http://127.0.0.1:8080: where providers reach the api; https but on loopback
}

// API is the configuration of the program api.
type API struct {
	Shared                       // metrics: 127.0.0.1:9464
	Listen       string          // OMNIFLOW_LISTEN; default 127.0.0.1:8080
	Tokens       *keyring.Tokens // OMNIFLOW_JWT_KEYS; required: "kid2:base64,kid:base64", 32 bytes or more each
	CodecOrigins []string        // OMNIFLOW_CODEC_ORIGINS; default none: origins of Temporal UIs that may decode, with commas
	CodecOpen    bool            // OMNIFLOW_CODEC_OPEN; default false; true lets those origins decode without a token: local stacks only
}

// Worker is the configuration of the program worker.
type Worker struct {
	Shared                  // metrics: 127.0.0.1:9465
	WhatsAppBaseURL  string // WHATSAPP_BASE_URL; default https://graph.facebook.com
	LINEBaseURL      string // LINE_BASE_URL; default https://api.line.me
	MessengerBaseURL string // MESSENGER_BASE_URL; default https://graph.facebook.com
	InstagramBaseURL string // INSTAGRAM_BASE_URL; default https://graph.instagram.com
	Pprof            bool   // OMNIFLOW_PPROF; default false; true serves profiles beside the metrics
}

// LoadAPI reads the environment of the program api.
func LoadAPI(getenv func(string) string) (API, error) {
	r := reader{getenv: getenv}
	c := API{
		Shared:       r.shared("127.0.0.1:9464"),
		Listen:       r.listen("OMNIFLOW_LISTEN", "127.0.0.1:8080"),
		CodecOrigins: r.list("OMNIFLOW_CODEC_ORIGINS"),
		CodecOpen:    r.flag("OMNIFLOW_CODEC_OPEN"),
	}
	if text := r.required("OMNIFLOW_JWT_KEYS"); text != "" {
		tokens, err := keyring.ParseTokens(text)
		r.fault("OMNIFLOW_JWT_KEYS", err)
		c.Tokens = tokens
	}
	return c, r.err()
}

// LoadWorker reads the environment of the program worker.
func LoadWorker(getenv func(string) string) (Worker, error) {
	r := reader{getenv: getenv}
	c := Worker{
		Shared:           r.shared("127.0.0.1:9465"),
		WhatsAppBaseURL:  r.url("WHATSAPP_BASE_URL", "https://graph.facebook.com"),
		LINEBaseURL:      r.url("LINE_BASE_URL", "https://api.line.me"),
		MessengerBaseURL: r.url("MESSENGER_BASE_URL", "https://graph.facebook.com"),
		InstagramBaseURL: r.url("INSTAGRAM_BASE_URL", "https://graph.instagram.com"),
		Pprof:            r.flag("OMNIFLOW_PPROF"),
	}
	return c, r.err()
}

// LoadTemporal reads only the TEMPORAL_* variables, for a program without a database.
func LoadTemporal(getenv func(string) string) (client.Options, error) {
	r := reader{getenv: getenv}
	options := r.temporal()
	return options, r.err()
}

// reader collects the faults of one environment.
type reader struct {
	getenv func(string) string
	faults []error
}

func (r *reader) shared(metrics string) Shared {
	s := Shared{
		DatabaseURL:   r.required("DATABASE_URL"),
		DatabaseConns: r.conns("DATABASE_CONNS", 20),
		Temporal:      r.temporal(),
		MetricsListen: r.listen("OMNIFLOW_METRICS_LISTEN", metrics),
		BlobURL:       r.url("OMNIFLOW_BLOB_URL", ""),
		PublicURL:     r.public("OMNIFLOW_PUBLIC_URL", "http://127.0.0.1:8080"),
	}
	if text := r.required("OMNIFLOW_ENCRYPTION_KEYS"); text != "" {
		keys, err := keyring.Parse(text)
		r.fault("OMNIFLOW_ENCRYPTION_KEYS", err)
		s.Keys = keys
	}
	return s
}

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return fmt.Errorf("read configuration: %w", errors.Join(r.faults...))
}

func (r *reader) fault(name string, err error) {
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("%s: %w", name, err))
	}
}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.fault(name, errors.New("not set"))
	}
	return value
}

func (r *reader) listen(name, fallback string) string {
	value := r.getenv(name)
	switch value {
	case "":
		return fallback
	case "off":
		return ""
	}
	if _, _, err := net.SplitHostPort(value); err != nil {
		r.fault(name, errors.New("want host:port or off"))
	}
	return value
}

func (r *reader) url(name, fallback string) string {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	if u, err := url.Parse(value); err != nil || u.Scheme == "" {
		r.fault(name, errors.New("want a URL"))
	}
	return strings.TrimRight(value, "/")
}

// public reads an address that providers fetch from: LINE takes https only.
func (r *reader) public(name, fallback string) string {
	value := r.url(name, fallback)
	u, err := url.Parse(value)
	if err != nil {
		return value // reported already
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.fault(name, errors.New("want https, or a loopback address"))
	}
	return value
}

func (r *reader) conns(name string, fallback int32) int32 {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 2 || n > 1000 {
		r.fault(name, errors.New("want a number from 2 to 1000"))
	}
	return int32(n)
}

func (r *reader) flag(name string) bool {
	value := r.getenv(name)
	if value == "" {
		return false
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		r.fault(name, errors.New("want true or false"))
	}
	return on
}

func (r *reader) list(name string) []string {
	var out []string
	for _, part := range strings.Split(r.getenv(name), ",") {
		if part = strings.TrimRight(strings.TrimSpace(part), "/"); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// temporal reads the SDK's own variables. A configuration file is read only
// where TEMPORAL_CONFIG_FILE names one, so that no file in a home directory
// changes what a program talks to.
func (r *reader) temporal() client.Options {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{
		DisableFile: r.getenv("TEMPORAL_CONFIG_FILE") == "",
		EnvLookup:   lookup(r.getenv),
	})
	r.fault("TEMPORAL_*", err)
	if options.HostPort == "" {
		options.HostPort = "127.0.0.1:7233"
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return options
}

// lookup lets envconfig read through getenv. Only TEMPORAL_GRPC_META_*, whose
// names cannot be known, comes from the process's own environment.
type lookup func(string) string

func (l lookup) Environ() []string { return os.Environ() }

func (l lookup) LookupEnv(name string) (string, bool) {
	value := l(name)
	return value, value != ""
}
