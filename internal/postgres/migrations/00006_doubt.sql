-- +goose Up
-- Signs that a message of unknown outcome may have reached its customer after all: an echo to them that matches none of
-- our messages, or a receipt that covers the time. Where there is one, silence is no proof.
CREATE TABLE delivery_doubts (
  conversation_id uuid NOT NULL,
  team_id         uuid NOT NULL REFERENCES teams,
  at              timestamptz NOT NULL,
  stored_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX delivery_doubts_conversation ON delivery_doubts (conversation_id, at);

ALTER TABLE delivery_doubts ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON delivery_doubts TO omniflow_team USING (team_id = current_setting('omniflow.team_id')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_doubts TO omniflow_team;

-- +goose Down
DROP TABLE delivery_doubts;
