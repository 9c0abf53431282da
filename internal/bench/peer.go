package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"omniflow/internal/localstack"
)

// fewRecipients is enough for the shapes that make an execution a recipient.
const fewRecipients = 500

// peers compares a broadcast with the same sends by River and asynq, in turns,
// and once with one Temporal activity and one child workflow a recipient. All
// rates are from the first arrival to the last; jobs wait enqueued before that,
// as our audience waits frozen.
func peers(ctx context.Context, r *rig) error {
	p, err := r.newPeers(ctx)
	if err != nil {
		return err
	}
	s, err := r.newScene(ctx, "whatsapp", r.n, noLimit)
	if err != nil {
		return err
	}
	var river, asynq, overRiver, overAsynq []float64
	for round := range r.rounds {
		rates := map[string]float64{}
		for _, kind := range []string{"river", "asynq"} {
			if rates[kind], err = p.rate(ctx, kind, r.n); err != nil {
				return err
			}
		}
		run, err := r.broadcast(ctx, s)
		if err != nil {
			return err
		}
		r.say("round %d of %d: ours %s/s, River %s/s, asynq %s/s, load %s", round+1, r.rounds,
			number(run.Rate()), number(rates["river"]), number(rates["asynq"]), load())
		river, asynq = append(river, rates["river"]), append(asynq, rates["asynq"])
		overRiver, overAsynq = append(overRiver, run.Rate()/rates["river"]), append(overAsynq, run.Rate()/rates["asynq"])
	}
	r.report.add("peers", "River", median(river), "messages/s", spread(river))
	r.report.add("peers", "asynq", median(asynq), "messages/s", spread(asynq))
	r.report.atLeast("peers", "ours ÷ River", median(overRiver), 1.5, "ratio", spread(overRiver))
	r.report.atLeast("peers", "ours ÷ asynq", median(overAsynq), 2, "ratio", spread(overAsynq))
	for _, shape := range [][2]string{{"temporal-activity", "one Temporal activity a recipient"}, {"temporal-child", "one child workflow a recipient"}} {
		r.say("%s, %d recipients", shape[1], fewRecipients)
		rate, err := p.rate(ctx, shape[0], fewRecipients)
		if err != nil {
			return err
		}
		r.report.add("peers", shape[1], rate, "messages/s", "")
	}
	return nil
}

// peerSet runs the program of internal/bench/peers.
type peerSet struct {
	*rig
	program string
	redis   string // host:port
}

// newPeers builds the program and starts Redis on a free port.
func (r *rig) newPeers(ctx context.Context) (*peerSet, error) {
	p := &peerSet{rig: r, program: filepath.Join(r.root, ".local", "bin", "bench-peers")}
	r.say("building the peers")
	build := exec.CommandContext(ctx, "go", "build", "-o", p.program, ".")
	build.Dir = filepath.Join(r.root, "internal", "bench", "peers")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the peers: %w: %s", err, out)
	}
	if err := r.stack.Postgres().CreateDatabase(ctx, "river"); err != nil {
		return nil, err
	}
	return p, p.startRedis(ctx)
}

// startRedis runs Redis with its distribution's defaults but for the port and
// the folder: snapshots only, no append-only file, which is its fastest.
func (p *peerSet) startRedis(ctx context.Context) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.New("asynq needs redis-server: apt-get install redis-server")
	}
	port, err := localstack.FreePort()
	if err != nil {
		return err
	}
	dir := filepath.Join(p.stack.Config.Dir, "redis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	cmd := exec.Command(program, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", dir, "--daemonize", "no")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	p.close = append(p.close, func() error { err := cmd.Process.Kill(); _ = cmd.Wait(); return err })
	p.redis = net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	return localstack.WaitTCP(ctx, p.redis, nil)
}

// rate lets a peer send to n recipients and gives messages per second.
func (p *peerSet) rate(ctx context.Context, kind string, n int) (float64, error) {
	if err := p.sink.Reset(ctx); err != nil {
		return 0, err
	}
	cmd, err := p.start(kind, n, true)
	if err != nil {
		return 0, err
	}
	stats, err := p.sink.Wait(ctx, n, patience)
	if err := errors.Join(err, stopPeer(cmd)); err != nil {
		return 0, fmt.Errorf("%s: %w", kind, err)
	}
	return stats.Rate(), nil
}

// start runs a peer and returns when everything is enqueued.
func (p *peerSet) start(kind string, n int, enqueue bool) (*exec.Cmd, error) {
	cmd := exec.Command(p.program, "-kind", kind, "-n", fmt.Sprint(n), fmt.Sprintf("-enqueue=%t", enqueue),
		"-dsn", p.stack.Postgres().DSN("river"), "-redis", p.redis, "-temporal", p.stack.TemporalAddress(),
		"-namespace", setting(p.stack, "TEMPORAL_NAMESPACE"), "-whatsapp", p.sink.Base+"/whatsapp")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != "enqueued" {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("start %s: it ended early (%w)", kind, errors.Join(err, cmd.Wait()))
	}
	return cmd, nil
}

// stopPeer ends a peer in order, or after 10 s not.
func stopPeer(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // how it ends is of no interest
	return nil
}
