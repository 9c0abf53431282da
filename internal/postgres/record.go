package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"omniflow/internal/omniflow"
)

// undecided says of a row that its outcome is not known yet, or was given up
// without being learned.
const undecided = `(m.state IN ('sending', 'unknown', 'queued', 'cancelled') OR m.state = 'failed' AND m.code = 'outcome_unknown')`

// recordMessages writes the outcome of a claimed group and its traces in one
// statement. A row that a webhook has already settled keeps its state: the
// response only adds the provider's id, which replaces that of an attempt before. A row that was given back, cancelled
// or given up while its answer was on the way is sent after all. A row of another attempt
// is left alone. Pauses count from the database's clock. The trace of the call
// that was accepted is kept in the row itself, those of the others beside it.
//
// A message of a conversation that is no longer in sending is one that another
// worker took for lost: its run sleeps until it would decide what is known now,
// or is through with it, and is told. fence, which means something in
// broadcasts only, carries that from the row as it was to what is returned of it.
const recordMessages = `
WITH r AS (
  SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[], $7::bool[],
                       $8::text[], $9::timestamptz[], $10::smallint[], $11::integer[], $12::text[], $13::text[])
    AS r(id, attempt, state, code, tries, due_at, keep_key, provider_id, at, http_status, latency_ms, trace, fault)
), recorded AS (
  UPDATE messages m SET
    state       = CASE WHEN ` + undecided + ` THEN r.state::message_state ELSE m.state END,
    code        = CASE WHEN ` + undecided + ` THEN NULLIF(r.code, '') ELSE m.code END,
    due_at      = CASE WHEN ` + undecided + ` THEN now() + (r.due_at - r.at) ELSE m.due_at END,
    tries       = r.tries,
    attempt_key = CASE WHEN r.keep_key OR r.state = 'sent' THEN m.attempt_key END,
    provider_id = COALESCE(NULLIF(r.provider_id, ''), m.provider_id),
    sent_at     = CASE WHEN r.state = 'sent' THEN COALESCE(m.sent_at, r.at) ELSE m.sent_at END,
    http_status = CASE WHEN r.state = 'sent' THEN r.http_status END,
    latency_ms  = CASE WHEN r.state = 'sent' THEN r.latency_ms END,
    trace       = CASE WHEN r.state = 'sent' THEN NULLIF(r.trace, '') END,
    fence       = CASE WHEN m.broadcast_id IS NULL THEN (m.state <> 'sending' AND ` + undecided + `)::integer ELSE m.fence END
  FROM r
  WHERE m.id = r.id AND m.attempt = r.attempt
    AND (m.state IN ('sending', 'unknown') OR (r.state = 'sent' AND m.state IN ('queued', 'cancelled', 'sent', 'received', 'read', 'failed')))
  RETURNING m.id, m.broadcast_id IS NULL AND m.fence = 1 AS late
), traced AS (
  INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, code, provider_id, trace)
  SELECT r.id, $14, r.attempt, r.http_status, r.latency_ms, r.at, r.fault, r.provider_id, r.trace FROM r
  WHERE r.state <> 'sent' OR NOT EXISTS (SELECT FROM recorded d WHERE d.id = r.id)
), late AS (
  SELECT d.id AS message, c.* FROM recorded d JOIN conversation_messages x ON x.message_id = d.id JOIN conversations c ON c.id = x.conversation_id
  WHERE d.late FOR UPDATE OF c
), again AS (
  UPDATE conversation_messages x SET done_at = NULL FROM late l WHERE x.message_id = l.message
), told AS (
  INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary, conversation_id)
  SELECT uuid_v7(clock_timestamp(), row_number() OVER ()), l.team_id, $15, $16 || l.id,
    jsonb_build_object('team_id', l.team_id, 'conversation_id', l.id, 'channel', l.channel), $17, 'conversation on ' || l.channel, l.id
  FROM late l
)
SELECT count(*) FROM recorded`

// RecordMessages writes the outcomes of claimed rows of one team and returns
// how many rows took it. Recording twice changes nothing but the trace.
func (s *Store) RecordMessages(ctx context.Context, teamID uuid.UUID, records []omniflow.Record) (int, error) {
	a := newRecordArrays(len(records))
	for _, r := range records {
		a.add(r)
	}
	var n int
	err := s.pool.QueryRow(ctx, recordMessages, a.id, a.attempt, a.state, a.code, a.tries, a.due, a.keep,
		a.provider, a.at, a.status, a.latency, a.trace, a.fault, teamID,
		omniflow.ServeConversationRun, strings.TrimSuffix(omniflow.ServeConversationID(teamID, uuid.Nil), uuid.Nil.String()), omniflow.SignalChanged).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("record messages: %w", err)
	}
	return n, nil
}

// recordArrays is a group of records turned into columns.
type recordArrays struct {
	id                                  [][16]byte // pgx writes these without reflection
	attempt, tries, status              []int16
	latency                             []int32
	state, code, provider, trace, fault []string
	due                                 []pgtype.Timestamptz
	at                                  []time.Time
	keep                                []bool
}

func newRecordArrays(n int) *recordArrays { return &recordArrays{id: make([][16]byte, 0, n)} }

func (a *recordArrays) add(r omniflow.Record) {
	a.id = append(a.id, r.MessageID)
	a.attempt = append(a.attempt, int16(r.Attempt))
	a.tries = append(a.tries, int16(r.Tries))
	a.status = append(a.status, int16(r.HTTPStatus))
	a.latency = append(a.latency, int32(r.Latency.Milliseconds()))
	a.state = append(a.state, string(r.State))
	a.code = append(a.code, string(r.Code))
	a.provider = append(a.provider, storable(r.ProviderID))
	a.trace = append(a.trace, storable(r.Trace))
	a.fault = append(a.fault, storable(r.FaultCode))
	a.due = append(a.due, pgtype.Timestamptz{Time: r.DueAt, Valid: !r.DueAt.IsZero()})
	a.at = append(a.at, r.At)
	a.keep = append(a.keep, r.KeepKey)
}
