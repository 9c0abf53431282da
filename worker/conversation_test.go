package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/simulator"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

const customer = "886911000777"

// dialogue is a conversation of a hall with one WhatsApp customer.
type dialogue struct {
	*hall
	id uuid.UUID
}

// newDialogue lets the customer write and the member follow.
func newDialogue(t *testing.T) *dialogue {
	t.Helper()
	d := &dialogue{hall: newHall(t)}
	d.writes("您好")
	d.await("the conversation is there", func() bool {
		return d.count(`SELECT count(*) FROM conversations WHERE team_id = $1`) == 1
	})
	d.Scan(&d.id, `SELECT id FROM conversations WHERE team_id = $1`, d.ID)
	require.NoError(t, d.store.MoveConversation(t.Context(), postgres.ConversationMove{TeamID: d.ID, ConversationID: d.id, ActorID: d.Member,
		Event: omniflow.Follow, ActionID: uuid.New()}))
	return d
}

func (d *dialogue) writes(text string) {
	d.t.Helper()
	_, err := d.sim.Inbound(simulator.InboundMessage{Channel: simulator.WhatsApp, ExternalID: d.number, User: customer, Text: text})
	require.NoError(d.t, err)
}

func (d *dialogue) await(what string, done func() bool) {
	d.t.Helper()
	require.Eventually(d.t, done, time.Minute, 10*time.Millisecond, what)
}

func (d *dialogue) count(sql string) int {
	d.t.Helper()
	var n int
	d.Scan(&n, sql, d.ID)
	return n
}

// sends is send of a text.
func (d *dialogue) sends(text string) uuid.UUID {
	d.t.Helper()
	return d.send(omniflow.Content{Kind: omniflow.Text, Text: text}, uuid.Nil)
}

// send accepts a message, which may answer another, and tells the run at once,
// as the API does.
func (d *dialogue) send(c omniflow.Content, quoted uuid.UUID) uuid.UUID {
	d.t.Helper()
	id := uuid.Must(uuid.NewV7())
	signal, err := d.store.SendConversationMessage(d.t.Context(), postgres.NewConversationMessage{ID: id, TeamID: d.ID, ConversationID: d.id, ActorID: d.Member,
		Contents: []omniflow.Content{c}, QuotedID: quoted})
	require.NoError(d.t, err)
	if signal != nil {
		s := temporalclient.Signaler{Client: d.engine, Converter: temporalclient.Converter(d.keys)}
		require.NoError(d.t, s.Signal(d.t.Context(), temporalclient.OutboxSignal(*signal)))
		require.NoError(d.t, d.store.KeepSignal(d.t.Context(), *signal))
	}
	return id
}

func (d *dialogue) state(id uuid.UUID) omniflow.MessageState {
	d.t.Helper()
	st, err := d.store.MessageStatus(d.t.Context(), omniflow.MessageRef{TeamID: d.ID, MessageID: id})
	require.NoError(d.t, err)
	return st.State
}

func (d *dialogue) run() string { return omniflow.ServeConversationID(d.ID, d.id) }

// events counts those of the open run, once it sleeps.
func (d *dialogue) events() int {
	d.t.Helper()
	n := 0
	d.await("the run sleeps", func() bool {
		last := enums.EVENT_TYPE_UNSPECIFIED
		n = 0
		for events := d.engine.GetWorkflowHistory(d.t.Context(), d.run(), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); n++ {
			event, err := events.Next()
			require.NoError(d.t, err)
			last = event.EventType
		}
		return last == enums.EVENT_TYPE_TIMER_STARTED
	})
	return n
}

// settled waits until the run sleeps.
func (d *dialogue) settled() {
	d.t.Helper()
	d.await("nothing is on its way", func() bool {
		return d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND (armed_until > now() OR armed_until IS NULL)`) == 1 &&
			d.count(`SELECT count(*) FROM outbox_signals WHERE team_id = $1 AND delivered_at IS NULL`) == 0
	})
}

func TestAConversationFromTheFirstMessageToItsSurvey(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	d.Exec(`UPDATE teams SET survey_text = '滿意嗎?' WHERE team_id = $1`, d.ID)
	d.Exec(`INSERT INTO auto_close_rules (id, team_id, name, channels, enabled, duration, grace, reminder)
		VALUES ($1, $2, 'all', '{whatsapp}', true, '6 seconds', '1 second', '還在嗎?')`, uuid.New(), d.ID)
	d.settled()
	reply := d.sends("1")
	d.await("the reply is sent", func() bool { return d.state(reply).Delivered() })
	var out workflows.ServeConversationResult
	require.Less(t, d.result(d.run(), &out), 110)
	require.Equal(t, omniflow.OutcomeAutoClosed, out.Outcome)
	truth := d.sim.Truth(simulator.WhatsApp, d.number)
	require.Len(t, truth, 3, "the reply, the reminder and the survey, each once")
	require.Equal(t, 1, d.count(`SELECT count(*) FROM conversation_log WHERE team_id = $1 AND event = 'auto_close'`))
	require.Equal(t, 1, d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND state = 'closed' AND waiting_since IS NULL`))
	var order []string
	for _, m := range truth {
		require.Equal(t, customer, m.Recipient)
		order = append(order, m.ProviderID)
	}
	var texts string
	d.Scan(&texts, `SELECT string_agg(k.body -> 0 ->> 'text', ' ' ORDER BY array_position($1::text[], m.provider_id)) FROM messages m JOIN contents k ON k.id = m.content_id WHERE m.team_id = $2`, order, d.ID)
	require.Equal(t, "1 還在嗎? 滿意嗎?", texts, "D-MSG-1")
	d.record("ServeConversation-auto_closed", d.run())

	d.writes("再見")
	d.await("the customer opens it again, and it has a run", func() bool {
		return d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND state = 'pending_human'`) == 1
	})
	d.settled()
	described, err := d.engine.DescribeWorkflowExecution(t.Context(), d.run(), "")
	require.NoError(t, err)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_RUNNING, described.WorkflowExecutionInfo.Status)
	found := described.WorkflowExecutionInfo.SearchAttributes.IndexedFields
	require.Equal(t, `"whatsapp"`, string(found["ChannelKind"].Data))
	require.Contains(t, string(found["ConversationId"].Data), d.id.String())
}

func TestWhatACustomerWritesCostsNoEvent(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	d.settled()
	idle := d.events()
	require.Less(t, idle, 30, "an idle conversation is a handful")
	for range 20 {
		d.writes("還有")
	}
	d.await("they are stored", func() bool { return d.count(`SELECT count(*) FROM inbound_messages WHERE team_id = $1`) == 21 })
	d.settled()
	require.Equal(t, idle, d.events())
}

// A conversation opens with six events: the transaction that stored the message
// has told its run until when there is nothing to do. Whatever comes before is
// looked at at once.
func TestAConversationOpensWithoutALook(t *testing.T) {
	t.Parallel()
	d := &dialogue{hall: newHall(t)}
	d.writes("您好")
	d.await("the conversation is there", func() bool { return d.count(`SELECT count(*) FROM conversations WHERE team_id = $1`) == 1 })
	d.Scan(&d.id, `SELECT id FROM conversations WHERE team_id = $1`, d.ID)
	d.await("its run is there", func() bool {
		return d.count(`SELECT count(*) FROM outbox_signals WHERE team_id = $1 AND delivered_at IS NULL`) == 0
	})
	require.Equal(t, 6, d.events())
	require.Equal(t, 1, d.count(`SELECT count(*) FROM outbox_signals WHERE team_id = $1 AND summary = 'conversation on whatsapp'`), "the list of runs says the channel")
	var first, armed time.Time
	d.Scan(&armed, `SELECT armed_until FROM conversations WHERE id = $1`, d.id)
	for events := d.engine.GetWorkflowHistory(t.Context(), d.run(), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(t, err)
		if timer := event.GetTimerStartedEventAttributes(); timer != nil {
			first = event.EventTime.AsTime().Add(timer.StartToFireTimeout.AsDuration())
		}
	}
	require.WithinDuration(t, armed, first, 2*time.Second, "it wakes when the database says that it does")
	require.NoError(t, d.store.MoveConversation(t.Context(), postgres.ConversationMove{TeamID: d.ID, ConversationID: d.id, ActorID: d.Member,
		Event: omniflow.End, ActionID: uuid.New()}))
	var out workflows.ServeConversationResult
	d.result(d.run(), &out)
	require.Equal(t, omniflow.OutcomeClosed, out.Outcome)
	d.record("ServeConversation-opened", d.run())
}

func TestTwoThrottlesThenOneMessageInOrder(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	require.NoError(t, d.sim.SetFaults(simulator.Faults{Channel: simulator.WhatsApp, ExternalID: d.number,
		Next: []simulator.NextFault{{Recipient: customer, Fault: simulator.Throttle, Times: 2}}}))
	first, second := d.sends("1"), d.sends("2")
	d.await("both are sent", func() bool { return d.state(first).Delivered() && d.state(second).Delivered() })
	truth := d.sim.Truth(simulator.WhatsApp, d.number)
	require.Len(t, truth, 2)
	require.Contains(t, truth[0].Key, first.String(), "the second waited for the first (D-MSG-1)")
	var attempts int
	d.Scan(&attempts, `SELECT attempt FROM messages WHERE id = $1`, first)
	require.Equal(t, 3, attempts)
	require.NoError(t, d.store.MoveConversation(t.Context(), postgres.ConversationMove{TeamID: d.ID, ConversationID: d.id, ActorID: d.Member,
		Event: omniflow.End, ActionID: uuid.New()}))
	var out workflows.ServeConversationResult
	d.result(d.run(), &out)
	require.Equal(t, omniflow.OutcomeClosed, out.Outcome)
	d.record("ServeConversation-ended", d.run())
}

func TestALostAnswerIsLearnedFromItsWebhookAndOrderKept(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	require.NoError(t, d.sim.SetFaults(simulator.Faults{Channel: simulator.WhatsApp, ExternalID: d.number,
		Next: []simulator.NextFault{{Recipient: customer, Fault: simulator.LostReset, Times: 1}}}))
	first, second := d.sends("1"), d.sends("2")
	d.await("both are sent", func() bool { return d.state(first).Delivered() && d.state(second).Delivered() })
	require.Len(t, d.sim.Truth(simulator.WhatsApp, d.number), 2, "nothing twice, nothing lost")
	d.settled()
	require.Equal(t, 1, d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND waiting_since IS NULL`))
}

// EX-065: what the channel had taken fails on its way. The reason is shown, the
// wait that the reply ended stays ended, and the agent sends it again.
func TestEX065AWebhookFailsWhatWasSent(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	d.settled()
	d.muted.Store(true) // to the end: the simulated provider would say late that the first one had come through
	id := d.sends("1")
	d.await("it is sent", func() bool { return d.state(id) == omniflow.Sent })
	var key, wamid string
	d.Scan(&wamid, `SELECT provider_id FROM messages WHERE id = $1`, id)
	key = d.sim.Truth(simulator.WhatsApp, d.number)[0].Key
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"w1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"1","phone_number_id":%q},"statuses":[{"id":%q,"status":"failed","timestamp":"%d","recipient_id":%q,
		"biz_opaque_callback_data":%q,"errors":[{"code":131026,"title":"Message undeliverable"}]}]}}]}]}`, d.number, wamid, time.Now().Unix(), customer, key)
	for range 2 { // twice, as webhooks come
		_, err := d.store.ReceiveWebhooks(t.Context(), []postgres.Webhook{{TeamID: d.ID, Channel: omniflow.WhatsApp, ChannelAccountID: d.account, Body: []byte(body)}})
		require.NoError(t, err)
	}
	d.await("it has failed", func() bool { return d.state(id) == omniflow.Failed })
	list, err := d.store.ConversationMessages(t.Context(), d.ID, d.id, d.Member, postgres.Cursor{}, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"failed", string(omniflow.Unreachable)}, []string{list[0].State, list[0].Code}, "MSG-05")
	require.Equal(t, 1, d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND waiting_since IS NULL AND last_human_reply_at IS NOT NULL`))
	require.NoError(t, d.store.ResendMessage(t.Context(), omniflow.ResendInput{ConversationRef: omniflow.ConversationRef{TeamID: d.ID, ConversationID: d.id},
		MessageID: id, ActorID: d.Member}))
	d.await("it is sent again", func() bool { return d.state(id) == omniflow.Sent })
	require.Len(t, d.sim.Truth(simulator.WhatsApp, d.number), 2, "once more, because somebody asked for it")
}
