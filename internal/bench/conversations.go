package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/omniflow"
)

const (
	conversationsDue  = 2000             // fall due within dueWithin
	dueWithin         = time.Minute      // spread evenly by chance
	talkFor           = 20 * time.Second // customers write for so long
	talkPace          = 1000             // messages a second
	talkPerPost       = 10
	sampledRuns       = 200
	conversationBatch = 1000 // told by one statement
	openersAtOnce     = 8    // webhooks on their way together while conversations open
)

// conversations opens runs by the thousand on Temporal with PostgreSQL: what
// one costs to open and to hold, what a customer's message costs while it is
// open, and how late a timer is when many fall due within a minute.
func conversations(ctx context.Context, r *rig) error {
	c, err := r.newCrowd(ctx)
	if err != nil {
		return err
	}
	defer c.engine.Close()
	for _, step := range []func(context.Context) error{c.openAll, c.talk, c.fallDue} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// crowd is a team with many conversations that a member handles.
type crowd struct {
	*rig
	*scene
	engine client.Client
	sample []uuid.UUID // conversations whose histories are counted
	opened float64     // runs a second that were started
}

func (r *rig) newCrowd(ctx context.Context) (*crowd, error) {
	s, err := r.newScene(ctx, "whatsapp", r.open, noLimit)
	if err != nil {
		return nil, err
	}
	engine, err := client.DialContext(ctx, client.Options{HostPort: r.stack.TemporalAddress(), Namespace: setting(r.stack, "TEMPORAL_NAMESPACE"), Logger: quiet()})
	if err != nil {
		return nil, fmt.Errorf("reach Temporal: %w", err)
	}
	c := &crowd{rig: r, scene: s, engine: engine}
	_, err = r.db.Exec(ctx, `INSERT INTO auto_close_rules (id, team_id, name, channels, enabled) VALUES (gen_random_uuid(), $1, 'all', '{whatsapp}', true)`, s.teamID)
	if err != nil {
		return nil, fmt.Errorf("set automatic ending: %w", err)
	}
	if c.sample, err = r.conversations(ctx, s, sampledRuns); err != nil {
		return nil, err
	}
	return c, nil
}

// openAll lets every customer write once: each run is started and arms the
// timer of its first badge.
func (c *crowd) openAll(ctx context.Context) error {
	if err := c.watchStatements(ctx); err != nil {
		return err
	}
	before, err := c.walPosition(ctx)
	if err != nil {
		return err
	}
	watch, stop := context.WithCancel(ctx)
	peak := make(chan int64, 1)
	go func() { peak <- c.peakMemory(watch) }()
	began := time.Now()
	err = c.allWrite(ctx)
	if err == nil {
		err = c.armed(ctx)
	}
	span := time.Since(began).Seconds()
	stop()
	rss := float64(<-peak) / (1 << 20)
	if err != nil {
		return err
	}
	after, err := c.walPosition(ctx)
	if err != nil {
		return err
	}
	events, err := c.events(ctx)
	if err != nil {
		return err
	}
	n := float64(c.open)
	c.opened = n / span
	name := "conversations"
	c.report.add(name, number(n)+" opened, timers armed", span, "s", number(c.opened)+" a second")
	c.report.add(name, "WAL to open one, ours and Temporal's", (after-before)/n, "bytes", "")
	c.report.add(name, "events of an open one", events, "events", fmt.Sprintf("mean of %d", len(c.sample)))
	c.report.atMost(name, "the worker's memory at most", rss, 256, "MiB", "")
	return c.statements(ctx, name+".statements")
}

// allWrite posts a message of each customer, several webhooks at once.
func (c *crowd) allWrite(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(openersAtOnce)
	for i := 0; i < c.open && ctx.Err() == nil; i += talkPerPost {
		group.Go(func() error { return c.post(ctx, c.scene, c.customersWrite(i)) })
	}
	return group.Wait()
}

// armed waits until every run is started, and none of the sampled ones has a
// workflow task left.
func (c *crowd) armed(ctx context.Context) error {
	if err := c.merged(ctx); err != nil {
		return err
	}
	err := c.progress(ctx, "have a run", c.open, `waiting_since IS NOT NULL AND NOT EXISTS (
		SELECT FROM outbox_signals o WHERE o.conversation_id = conversations.id AND o.delivered_at IS NULL)`)
	if err != nil {
		return err
	}
	for _, id := range c.sample {
		for busy := true; busy; {
			run, err := c.engine.DescribeWorkflowExecution(ctx, omniflow.ServeConversationID(uuid.MustParse(c.teamID), id), "")
			if err != nil {
				return fmt.Errorf("look at a run: %w", err)
			}
			if busy = run.PendingWorkflowTask != nil; busy {
				if err := pause(ctx, 100*time.Millisecond); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// promise tells the runs of n conversations, as their transactions do.
func (c *crowd) promise(ctx context.Context, set, where string, n int) error {
	for done := 0; done < n; done += conversationBatch {
		_, err := c.db.Exec(ctx, `
			WITH told AS (
			  UPDATE conversations SET armed_until = now(), `+set+` WHERE id IN (
			    SELECT id FROM conversations WHERE team_id = $1 AND `+where+` ORDER BY id OFFSET $2 LIMIT $3)
			  RETURNING id, team_id, channel)
			INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary, conversation_id)
			SELECT uuid_v7(clock_timestamp(), row_number() OVER ()), team_id, $4, 'conversation/' || team_id || '/' || id,
			  jsonb_build_object('team_id', team_id, 'conversation_id', id, 'channel', channel), $5, 'conversation', id FROM told`,
			c.teamID, done, min(conversationBatch, n-done), omniflow.ServeConversationRun, omniflow.SignalChanged)
		if err != nil {
			return fmt.Errorf("open conversations: %w", err)
		}
	}
	return nil
}

// talk lets customers write while their conversations are open.
func (c *crowd) talk(ctx context.Context) error {
	before, err := c.events(ctx)
	if err != nil {
		return err
	}
	wal, err := c.walPosition(ctx)
	if err != nil {
		return err
	}
	n := int(talkFor.Seconds()) * talkPace
	began := time.Now()
	for i := 0; i < n; i += talkPerPost {
		if err := c.post(ctx, c.scene, c.customersWrite(i)); err != nil {
			return err
		}
		if err := pause(ctx, time.Until(began.Add(time.Duration(i)*time.Second/talkPace))); err != nil {
			return err
		}
	}
	posted := time.Since(began).Seconds()
	if err := c.merged(ctx); err != nil {
		return err
	}
	span := time.Since(began).Seconds()
	after, err := c.events(ctx)
	if err != nil {
		return err
	}
	end, err := c.walPosition(ctx)
	if err != nil {
		return err
	}
	each := float64(n) / float64(c.open)
	name := "conversations"
	c.report.add(name, "customer messages taken", float64(n)/span, "a second", fmt.Sprintf("%s asked, posted in %s s", number(talkPace), number(posted)))
	c.report.atMost(name, "Temporal events a customer message", (after-before)/each, 0.02, "events", "")
	c.report.add(name, "WAL a customer message", (end-wal)/float64(n), "bytes", "")
	return nil
}

// customersWrite is a webhook with messages of the customers from i on.
func (c *crowd) customersWrite(i int) []byte {
	var list []string
	now := time.Now().Unix()
	for k := i; k < i+talkPerPost; k++ {
		list = append(list, fmt.Sprintf(`{"from":%q,"id":"wamid.bench.%d.%d","timestamp":"%d","type":"text","text":{"body":"?"}}`,
			strings.TrimPrefix(recipient(k%c.open), "+"), now, k, now))
	}
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[%s]}}]}]}`,
		c.twin.WABAID, c.twin.DisplayPhoneNumber, c.twin.ExternalID, strings.Join(list, ","))
}

// fallDue lets conversations end by themselves within a minute, and takes how
// late each ended.
func (c *crowd) fallDue(ctx context.Context) error {
	n := min(conversationsDue, c.open/2)
	lead := 20*time.Second + 2*time.Duration(float64(n)/c.opened*float64(time.Second)) // for the runs to arm anew
	set := fmt.Sprintf(`waiting_since = NULL, last_human_reply_at = now() - interval '24 hours' + interval '%d ms' + random() * interval '%d ms'`,
		lead.Milliseconds(), dueWithin.Milliseconds())
	if err := c.promise(ctx, set, `last_human_reply_at IS NULL`, n); err != nil {
		return err
	}
	if err := c.progress(ctx, "ended by themselves", n, `state = 'closed'`); err != nil {
		return err
	}
	rows, err := c.db.Query(ctx, `SELECT extract(epoch FROM closed_at - last_human_reply_at - interval '24 hours')::float8
		FROM conversations WHERE team_id = $1 AND state = 'closed'`, c.teamID)
	if err != nil {
		return fmt.Errorf("read the endings: %w", err)
	}
	defer rows.Close()
	var late []float64
	for rows.Next() {
		var x float64
		if err := rows.Scan(&x); err != nil {
			return fmt.Errorf("read the endings: %w", err)
		}
		late = append(late, x)
	}
	slices.Sort(late)
	if len(late) != n || late[0] < 0 {
		return fmt.Errorf("%d of %d ended, the first %.3f s late", len(late), n, late[0])
	}
	c.report.atMost("conversations", number(float64(n))+" due within a minute: late, p99", late[(n*99-1)/100], 5, "s",
		fmt.Sprintf("median %s, most %s s", number(late[n/2]), number(late[n-1])))
	return rows.Err()
}

// events is the mean length of the sampled histories.
func (c *crowd) events(ctx context.Context) (float64, error) {
	sum := 0.0
	for _, id := range c.sample {
		run, err := c.engine.DescribeWorkflowExecution(ctx, omniflow.ServeConversationID(uuid.MustParse(c.teamID), id), "")
		if err != nil {
			return 0, fmt.Errorf("look at a run: %w", err)
		}
		sum += float64(run.WorkflowExecutionInfo.HistoryLength)
	}
	return sum / float64(len(c.sample)), nil
}
