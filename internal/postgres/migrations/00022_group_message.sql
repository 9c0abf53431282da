-- +goose Up
-- Messages to groups were runs of their own; now they are messages of the group's conversation. Those that are there become
-- so: what is not settled is served by the conversation's run, and what failed can be sent again.
INSERT INTO conversation_messages (message_id, team_id, conversation_id, origin, sender_id, quoted_id, created_at, done_at, replied)
SELECT m.id, m.team_id, m.conversation_id, 'agent', COALESCE(c.follower_id, g.creator_id), COALESCE(k.body -> 0 ->> 'quoted_id', ''),
  COALESCE(m.attempted_at, now()), CASE WHEN m.state NOT IN ('queued', 'sending', 'unknown') THEN now() END, m.state NOT IN ('queued', 'sending', 'unknown')
FROM messages m JOIN groups g ON g.id = m.conversation_id JOIN conversations c ON c.id = g.id JOIN contents k ON k.id = m.content_id
WHERE NOT EXISTS (SELECT FROM conversation_messages x WHERE x.message_id = m.id) ORDER BY m.id;

-- Their conversations have a run that should have looked: the sweep promises it.
UPDATE conversations c SET armed_until = now() - interval '1 minute'
WHERE c.type = 'whatsapp_group' AND EXISTS (SELECT FROM conversation_messages x WHERE x.conversation_id = c.id AND x.done_at IS NULL);

DELETE FROM outbox WHERE workflow = 'SendMessage';
DELETE FROM outbox_signals WHERE workflow = 'SendMessage';

-- +goose Down
SELECT 1;
