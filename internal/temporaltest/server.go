package temporaltest

import (
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"omniflow/internal/temporalserver"
)

// Server is a Temporal server of one test.
type Server struct {
	FrontendAddress string        // host:port of the gRPC frontend
	Client          client.Client // of the server's namespace; closed when the server stops

	stop func() error
}

// Stop stops the server before its test ends, after which nothing is left to
// stop. The error is that of the server's own shutdown.
func (s *Server) Stop() error { return s.stop() }

// Option changes how Start starts the server.
type Option func(*testsuite.DevServerOptions)

// Namespace names the namespace that is made and that Client uses, in place of
// "default".
func Namespace(name string) Option {
	return func(o *testsuite.DevServerOptions) { o.ClientOptions.Namespace = name }
}

// DBFile keeps the server's state in a SQLite file, so that a later server can
// go on from it.
func DBFile(path string) Option {
	return func(o *testsuite.DevServerOptions) { o.DBFilename = path }
}

// Client changes the options of the Server's Client, its data converter for
// instance.
func Client(change func(*client.Options)) Option {
	return func(o *testsuite.DevServerOptions) { change(o.ClientOptions) }
}

// Flags adds flags of deploy/temporal, such as "--dynamic-config-value",
// "matching.numTaskqueueReadPartitions=1".
func Flags(flags ...string) Option {
	return func(o *testsuite.DevServerOptions) { o.ExtraArgs = append(o.ExtraArgs, flags...) }
}

// Binary returns the path of the server's program, built first where it is
// missing or older than its sources: minutes the first time, told on stderr.
func Binary(t testing.TB) string {
	t.Helper()
	root, err := temporalserver.Root(".")
	require.NoError(t, err)
	program, err := temporalserver.Build(t.Context(), root, os.Stderr)
	require.NoError(t, err)
	return program
}

// Start starts a server, ready when Start returns, and stops it when the test
// ends. What the server wrote is logged if the test failed.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	output := new(record)
	o := testsuite.DevServerOptions{
		ExistingPath:     Binary(t),
		ClientOptions:    &client.Options{Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))},
		SearchAttributes: temporalserver.TypedSearchAttributes(),
		// A test that is killed cannot stop its server.
		ExtraArgs: []string{"--parent-pid", strconv.Itoa(os.Getpid())},
		Stdout:    output,
		Stderr:    output,
	}
	for _, change := range opts {
		change(&o)
	}
	server, err := testsuite.StartDevServer(t.Context(), o)
	require.NoError(t, err, "the server wrote: %s", output)
	stop := sync.OnceValue(func() error {
		server.Client().Close()
		return server.Stop()
	})
	t.Cleanup(func() {
		require.NoError(t, stop())
		if t.Failed() {
			t.Logf("the Temporal server wrote: %s", output)
		}
	})
	return &Server{FrontendAddress: server.FrontendHostPort(), Client: server.Client(), stop: stop}
}
