package localstack_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"omniflow/internal/localstack"
)

// childRole is the variable that turns this test binary into a child program.
const childRole = "LOCALSTACK_TEST_CHILD"

// TestMain runs the tests, or, started by one of them, the child it asks for.
func TestMain(m *testing.M) {
	if fake(filepath.Base(os.Args[0])) {
		return
	}
	switch role := os.Getenv(childRole); role {
	case "":
		m.Run()
		return
	default:
		time.AfterFunc(2*time.Minute, func() { os.Exit(1) }) // whoever started it is dead
		child(role)
	}
}

// child is a program that a test starts.
func child(role string) {
	switch role {
	case "polite":
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		fmt.Println("ready")
		<-ended
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		select {}
	case "parent": // of a child that leads its own session, as PostgreSQL has them
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childRole+"=stubborn")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		exitOn(child.Start())
		fmt.Println("ready", child.Process.Pid)
		select {}
	case "broken":
		fmt.Println("no room left in the basement")
		os.Exit(3)
	case "panics":
		fmt.Println("listening")
		panic("two handlers for one path")
	case "server":
		l, err := net.Listen("tcp", os.Getenv("LISTEN"))
		exitOn(err)
		exitOn(http.Serve(l, http.NotFoundHandler()))
	case "stack": // starts an ephemeral stack and waits to be killed
		bin := os.Getenv("BIN")
		_, err := localstack.Up(testContext(), localstack.Config{Dir: os.Getenv("DIR"), Ephemeral: true, Programs: localstack.Programs{
			API: bin + "/fake-api", Worker: bin + "/fake-worker", Starter: bin + "/fake-starter",
			Simulator: bin + "/fake-simulator", Temporal: bin + "/fake-temporal",
		}}, io.Discard)
		exitOn(err)
		fmt.Println("ready")
		select {}
	case "cluster": // starts an ephemeral cluster and waits to be killed
		c, err := localstack.StartCluster(testContext(), localstack.ClusterOptions{Dir: os.Getenv("DIR"), Ephemeral: true})
		exitOn(err)
		fmt.Println("ready", c.PID())
		select {}
	default:
		exitOn(fmt.Errorf("no child role %q", role))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
