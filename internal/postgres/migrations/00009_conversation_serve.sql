-- +goose Up
-- What the run of a conversation has still to deal with, in the order in which it was accepted.
ALTER TABLE conversation_messages
  ADD COLUMN place   bigint GENERATED ALWAYS AS IDENTITY,    -- grows within a conversation: given while its row is held (D-MSG-1)
  ADD COLUMN replied boolean NOT NULL DEFAULT false,         -- what a human reply does was done (D-WTG-4, CLS-01)
  ADD COLUMN done_at timestamptz;                            -- nothing of it is left to do
CREATE INDEX conversation_messages_todo ON conversation_messages (conversation_id, place) WHERE done_at IS NULL;

ALTER TABLE conversations ADD COLUMN surveyed_at timestamptz; -- closed_at of the ending whose survey was sent, or decided against

-- +goose Down
ALTER TABLE conversations DROP COLUMN surveyed_at;
DROP INDEX conversation_messages_todo;
ALTER TABLE conversation_messages DROP COLUMN place, DROP COLUMN replied, DROP COLUMN done_at;
