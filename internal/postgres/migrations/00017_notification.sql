-- +goose Up
-- What members are told at once (NTF-01), written by the transaction that makes it true and delivered by the stream of each
-- member. A customer's message makes one too: no reference but the conversation's is checked, as for inbound_messages; the
-- members come from conversations and collaborators, which have theirs.
CREATE TABLE notifications (
  id              uuid NOT NULL,                             -- UUIDv7 by the clock of the database: one clock for all writers
  team_id         uuid NOT NULL,
  member_id       uuid NOT NULL,                             -- who is told
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  action_id       uuid NOT NULL,                             -- of a customer_message: the message
  kind            text NOT NULL,                             -- omniflow.NotificationKind
  text_key        text NOT NULL DEFAULT '',                  -- of the catalogue; '': it has none
  detail          jsonb NOT NULL DEFAULT '{}',               -- ids of members, and n: how many conversations (NT-04, NT-05)
  xact            xid8 NOT NULL DEFAULT pg_current_xact_id(), -- tells the stream what was committed since it looked last
  created_at      timestamptz NOT NULL DEFAULT now(),
  read_at         timestamptz,
  PRIMARY KEY (member_id, id),
  UNIQUE (conversation_id, action_id, kind, member_id)       -- once (D-NTF-1)
);
CREATE INDEX notifications_unread ON notifications (member_id, id) WHERE read_at IS NULL;
CREATE INDEX notifications_age ON notifications USING brin (created_at); -- for the purge

ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON notifications TO omniflow_team USING (team_id = current_setting('omniflow.team_id')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications TO omniflow_team;

-- +goose Down
DROP TABLE notifications;
