-- +goose Up
-- Who of a group got a message, and which conversation a promised run is about.

-- One person whom a message to a group went to: the members when it left, and whoever a status names (whatsapp.md 4.6).
CREATE TABLE group_receipts (
  message_id  uuid NOT NULL,
  participant text NOT NULL,                     -- digits, or the provider's id of who shows no number
  team_id     uuid NOT NULL REFERENCES teams,
  received_at timestamptz,
  read_at     timestamptz,
  PRIMARY KEY (message_id, participant)
);
ALTER TABLE group_receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON group_receipts TO omniflow_team USING (team_id = current_setting('omniflow.team_id')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON group_receipts TO omniflow_team;

-- A status that does not echo our key finds its invitation by the number.
CREATE INDEX group_members_phone ON group_members (phone);

-- The search attribute of the run.
ALTER TABLE outbox ADD COLUMN conversation_id uuid;
ALTER TABLE outbox_signals ADD COLUMN conversation_id uuid;

-- +goose Down
ALTER TABLE outbox DROP COLUMN conversation_id;
ALTER TABLE outbox_signals DROP COLUMN conversation_id;
DROP INDEX group_members_phone;
DROP TABLE group_receipts;
