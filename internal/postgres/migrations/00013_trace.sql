-- +goose Up
-- The trace of the call that a provider accepted lies in the message's own row: nearly every message has just that one, and
-- a row of its own in attempts cost as much as the outcome itself. attempts keeps the calls that were not accepted.
ALTER TABLE messages
  ADD COLUMN http_status smallint,
  ADD COLUMN latency_ms  integer,
  ADD COLUMN trace       text;
ALTER TABLE messages SET (fillfactor = 30);

-- +goose Down
INSERT INTO attempts (message_id, team_id, attempt, http_status, latency_ms, at, provider_id, trace)
SELECT id, team_id, attempt, http_status, latency_ms, COALESCE(sent_at, attempted_at), COALESCE(provider_id, ''), COALESCE(trace, '')
FROM messages WHERE http_status IS NOT NULL;
ALTER TABLE messages DROP COLUMN http_status, DROP COLUMN latency_ms, DROP COLUMN trace;
