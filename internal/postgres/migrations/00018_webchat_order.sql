-- +goose Up
-- The order in which the widget of a web chat is shown what was sent: given when it first asks, while the conversation is held.
ALTER TABLE conversation_messages ADD COLUMN shown bigint;
CREATE UNIQUE INDEX conversation_messages_shown ON conversation_messages (conversation_id, shown) WHERE shown IS NOT NULL;

-- +goose Down
DROP INDEX conversation_messages_shown;
ALTER TABLE conversation_messages DROP COLUMN shown;
