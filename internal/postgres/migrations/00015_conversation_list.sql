-- +goose Up
-- Lists are sorted by the last message, or, before there is one, by when the conversation was made.
DROP INDEX conversations_list;
CREATE INDEX conversations_list ON conversations (team_id, state, (COALESCE(last_message_at, last_customer_message_at, created_at)), id);

-- +goose Down
DROP INDEX conversations_list;
CREATE INDEX conversations_list ON conversations (team_id, state, last_message_at DESC, id);
