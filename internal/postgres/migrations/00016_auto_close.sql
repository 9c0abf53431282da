-- +goose Up
-- A change of a team's automatic ending that open conversations have yet to hear of: the relay walks them in small steps (D-CLS-3).
CREATE TABLE auto_close_recounts (
  team_id    uuid PRIMARY KEY REFERENCES teams,
  after      uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- conversations up to here have heard
  ordered_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE auto_close_recounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON auto_close_recounts TO omniflow_team USING (team_id = current_setting('omniflow.team_id')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON auto_close_recounts TO omniflow_team;

-- A conversation is not told again while it has not been told.
CREATE INDEX outbox_signals_conversation ON outbox_signals (conversation_id) WHERE delivered_at IS NULL;

-- +goose Down
DROP INDEX outbox_signals_conversation;
DROP TABLE auto_close_recounts;
