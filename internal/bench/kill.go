package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omniflow/internal/bench/sink"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

const (
	// killRate keeps a run long enough to be killed in its middle.
	killRate = 2000.0
	// killPatience is longer than River and asynq need to take up what a dead
	// worker held: 15 s and about a minute.
	killPatience = 100 * time.Second
)

// loss is what a kill did, by the receiver's count.
type loss struct {
	duplicates, lost int
	whole            time.Duration // until the last message
}

// kill ends the worker by SIGKILL when 40 % of the messages have arrived, starts
// it again, and counts who got the message twice and who never. Ours sends
// through the simulator, whose webhooks prove what became of the messages that
// were under way; River and asynq send again whatever was.
func kill(ctx context.Context, r *rig) error {
	n := r.n / 2
	ours, err := r.killOurs(ctx, n)
	if err != nil {
		return err
	}
	r.report.atMost("kill", "ours: sent twice", float64(ours.duplicates), 0, "messages", "")
	r.report.atMost("kill", "ours: never sent", float64(ours.lost), 0, "messages", fmt.Sprintf("of %d, after %.0f s", n, ours.whole.Seconds()))
	p, err := r.newPeers(ctx)
	if err != nil {
		return err
	}
	for _, kind := range []string{"river", "asynq"} {
		r.say("  %s", kind)
		l, err := p.kill(ctx, kind, n)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		r.report.add("kill", kind+": sent twice", float64(l.duplicates), "messages", "")
		r.report.add("kill", kind+": never sent", float64(l.lost), "messages", fmt.Sprintf("of %d, after %.0f s", n, l.whole.Seconds()))
	}
	return nil
}

// killOurs does it to a worker of ours.
func (r *rig) killOurs(ctx context.Context, n int) (loss, error) {
	s, err := r.newScene(ctx, "whatsapp", n, killRate)
	if err != nil {
		return loss{}, err
	}
	env := r.stack.Config.Env
	defer func() { r.stack.Config.Env = env }()
	r.stack.Config.Env = append(env[:len(env):len(env)], "WHATSAPP_BASE_URL="+r.stack.SimulatorURL()+"/whatsapp")
	if err := r.restartWorker(ctx); err != nil {
		return loss{}, err
	}
	asked := time.Now()
	accepted, err := s.member.StartBroadcast(ctx, request(), "")
	if err != nil {
		return loss{}, fmt.Errorf("start broadcast: %w", err)
	}
	if err := r.simulated(ctx, s, 2*n/5); err != nil {
		return loss{}, err
	}
	if err := r.restartWorker(ctx); err != nil {
		return loss{}, err
	}
	if _, err := finished(ctx, s.member, accepted.ID); err != nil {
		return loss{}, err
	}
	whole := time.Since(asked)
	sum, err := r.summary(ctx, s)
	if err != nil {
		return loss{}, err
	}
	r.stack.Config.Env = env
	return loss{sum.Duplicates, n - sum.Recipients, whole}, r.restartWorker(ctx)
}

// restartWorker kills worker 0 and starts it again.
func (r *rig) restartWorker(ctx context.Context) error {
	return errors.Join(r.stack.KillWorker(0), r.stack.StartWorker(ctx, 0))
}

// simulated waits until the simulator took so many messages.
func (r *rig) simulated(ctx context.Context, s *scene, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		sum, err := r.summary(ctx, s)
		if err != nil || sum.Accepted >= n {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func (r *rig) summary(ctx context.Context, s *scene) (simulator.Summary, error) {
	all, err := r.sims.Summaries(ctx, []truth.Account{s.account})
	return all[s.account.ExternalID], err
}

// kill does it to a peer.
func (p *peerSet) kill(ctx context.Context, kind string, n int) (loss, error) {
	if err := p.sink.Reset(ctx); err != nil {
		return loss{}, err
	}
	cmd, err := p.start(kind, n, true)
	if err != nil {
		return loss{}, err
	}
	asked := time.Now()
	if _, err := p.sink.Wait(ctx, 2*n/5, patience); err != nil {
		return loss{}, errors.Join(err, stopPeer(cmd))
	}
	if err := cmd.Process.Kill(); err != nil {
		return loss{}, fmt.Errorf("kill: %w", err)
	}
	_ = cmd.Wait()
	if cmd, err = p.start(kind, n, false); err != nil {
		return loss{}, err
	}
	stats, err := p.settled(ctx, n)
	return loss{stats.Duplicates(), n - stats.Recipients, stats.Last.Sub(asked)}, errors.Join(err, stopPeer(cmd))
}

// settled waits until a killed peer's work is taken up and done: duplicates
// come last, so it waits for silence, and that everybody was reached.
func (p *peerSet) settled(ctx context.Context, n int) (sink.Stats, error) {
	last, changed := sink.Stats{}, time.Now()
	for {
		s, err := p.sink.Stats(ctx)
		if err != nil {
			return s, err
		}
		if s.Messages != last.Messages {
			last, changed = s, time.Now()
		}
		quiet := time.Since(changed)
		if quiet > killPatience || s.Recipients == n && s.Messages > n && quiet > 20*time.Second {
			return s, nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return s, err
		}
	}
}
