package localstack_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"omniflow/internal/localstack"
)

// The programs of a stack, stood in for by this test binary under their names.
// They read the environment and the flags that the real ones read.
var fakes = []string{"fake-api", "fake-worker", "fake-starter", "fake-simulator", "fake-temporal"}

// programs puts the fakes into a folder.
func programs(t *testing.T) localstack.Programs {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range fakes {
		require.NoError(t, os.Symlink(self, filepath.Join(dir, name)))
	}
	at := func(name string) string { return filepath.Join(dir, "fake-"+name) }
	return localstack.Programs{
		API: at("api"), Worker: at("worker"), Starter: at("starter"), Simulator: at("simulator"), Temporal: at("temporal"),
	}
}

// fake runs the program of the name until SIGTERM; not ok if it is none of ours.
func fake(name string) (ok bool) {
	if !slices.Contains(fakes, name) {
		return false
	}
	time.AfterFunc(2*time.Minute, func() { os.Exit(1) })
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("environment", strings.Join(os.Environ(), " "))
	fmt.Println("arguments", strings.Join(os.Args[1:], " "))
	switch name {
	case "fake-starter":
		exitOn(fakeMigrate(ctx))
	case "fake-api":
		exitOn(fakeReady(ctx, os.Getenv("OMNIFLOW_LISTEN"), "/readyz"))
	case "fake-worker":
		exitOn(fakeReady(ctx, os.Getenv("OMNIFLOW_METRICS_LISTEN"), "/readyz"))
	case "fake-simulator":
		exitOn(fakeReady(ctx, os.Getenv("SIM_LISTEN"), "/healthz"))
	case "fake-temporal":
		exitOn(fakeTemporal(ctx))
	}
	return true
}

func fakeMigrate(ctx context.Context) error {
	if len(os.Args) != 2 || os.Args[1] != "migrate" {
		return errors.New("starter was not asked to migrate")
	}
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS migrated (n int); INSERT INTO migrated VALUES (1)")
	return err
}

// fakeReady answers on path, unless the environment says that it breaks down.
func fakeReady(ctx context.Context, listen, path string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(http.ResponseWriter, *http.Request) {
		if os.Getenv("FAKE_BREAKS") == filepath.Base(os.Args[0]) {
			exitOn(errors.New("the schema is of another century"))
		}
	})
	go func() { exitOn(http.Serve(l, mux)) }()
	<-ctx.Done()
	return nil
}

// fakeFrontend knows one namespace.
type fakeFrontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	namespace string
}

// DescribeNamespace answers for the namespace of the command line.
func (f fakeFrontend) DescribeNamespace(_ context.Context, r *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if r.Namespace != f.namespace {
		return nil, fmt.Errorf("no namespace %q", r.Namespace)
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func fakeTemporal(ctx context.Context) error {
	flags := flag.NewFlagSet("temporal", flag.ContinueOnError)
	port := flags.Int("port", 0, "")
	namespace := flags.String("namespace", "", "")
	file := flags.String("db-filename", "", "")
	for _, name := range []string{"ip", "ui-port", "log-level", "ui-codec-endpoint", "dynamic-config-value", "search-attribute", "postgres"} {
		flags.String(name, "", "")
	}
	if err := flags.Parse(os.Args[3:]); err != nil {
		return err
	}
	if *file != "" {
		if err := os.WriteFile(*file, nil, 0o644); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	state := health.NewServer()
	state.SetServingStatus(workflowservice.WorkflowService_ServiceDesc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, state)
	workflowservice.RegisterWorkflowServiceServer(server, fakeFrontend{namespace: *namespace})
	go func() { exitOn(server.Serve(l)) }()
	<-ctx.Done()
	return nil
}
