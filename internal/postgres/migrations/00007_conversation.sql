-- +goose Up
-- A conversation that lives: who waits since when, who has seen what, when it closes by itself.
ALTER TABLE conversations
  ADD COLUMN last_message_at     timestamptz,                -- of anybody: what lists are sorted by (SRC-05)
  ADD COLUMN followed_at         timestamptz,                -- since when follower_id follows
  ADD COLUMN closed_at           timestamptz,
  ADD COLUMN waiting_since       timestamptz,                -- first message of the customer that no person has answered (D-WTG-1)
  ADD COLUMN waiting_level       smallint NOT NULL DEFAULT 0 CHECK (waiting_level BETWEEN 0 AND 3), -- as shown: none, 30 min, 1 h, 2 h
  ADD COLUMN last_human_reply_at timestamptz,                -- accepted by the channel (D-WTG-4, CLS-01)
  ADD COLUMN customer_messages   bigint NOT NULL DEFAULT 0,  -- ever written by the customer (UNR-01)
  ADD COLUMN seen_by_all         bigint NOT NULL DEFAULT 0,  -- how many of them nobody need read any more (UNR-02, UNR-03)
  ADD COLUMN close_from          timestamptz,                -- the duration of auto-close counts from here, if later than the last reply (D-CLS-3: unpinned)
  ADD COLUMN reminded_at         timestamptz,                -- the reminder before the ending was queued for this silence (D-CLS-2)
  ADD COLUMN armed_until         timestamptz;                -- its run looks again then by itself; null: no run is promised

CREATE INDEX conversations_list ON conversations (team_id, state, last_message_at DESC, id);
CREATE INDEX conversations_armed ON conversations (armed_until) WHERE armed_until IS NOT NULL;

-- What a member has read; unread is customer_messages less the greater of seen and seen_by_all. No row: seen is 0.
CREATE TABLE conversation_reads (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  member_id       uuid NOT NULL REFERENCES members,
  team_id         uuid NOT NULL REFERENCES teams,
  seen            bigint NOT NULL,
  PRIMARY KEY (conversation_id, member_id)
);

CREATE TABLE conversation_pins (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  member_id       uuid NOT NULL REFERENCES members,
  team_id         uuid NOT NULL REFERENCES teams,
  pinned_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, member_id)
);
CREATE INDEX conversation_pins_member ON conversation_pins (member_id);

-- Of a ledger row outside every broadcast: who sent it, why, and what it answers. The ledger itself stays narrow.
CREATE TABLE conversation_messages (
  message_id      uuid PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
  team_id         uuid NOT NULL REFERENCES teams,
  conversation_id uuid NOT NULL REFERENCES conversations,
  origin          text NOT NULL CHECK (origin IN ('agent', 'auto_reply', 'reminder', 'survey')),
  sender_id       uuid REFERENCES members,                   -- of an agent's
  quoted_id       text NOT NULL DEFAULT '',                  -- the provider's id of the message it answers (QUO-02)
  created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversation_messages_conversation ON conversation_messages (conversation_id, message_id);

ALTER TABLE inbound_messages
  ADD COLUMN received    text NOT NULL DEFAULT '',           -- omniflow.ReceivedKind, by which the conversation moved
  ADD COLUMN quoted_id   text NOT NULL DEFAULT '',           -- the provider's id of the message it answers (QUO-01)
  ADD COLUMN received_at timestamptz NOT NULL DEFAULT now();

-- A file that a customer sent: fetched from the provider once, checked and kept.
CREATE TABLE inbound_media (
  inbound_message_id uuid PRIMARY KEY REFERENCES inbound_messages ON DELETE CASCADE,
  team_id            uuid NOT NULL REFERENCES teams,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  handle             text NOT NULL,                          -- the provider's media id or link
  state              text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored', 'unavailable', 'rejected')),
  code               text NOT NULL DEFAULT '',
  media_id           uuid REFERENCES media,
  tries              smallint NOT NULL DEFAULT 0,
  due_at             timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbound_media_todo ON inbound_media (due_at) WHERE state = 'pending';

-- A keyword of a team: it answers, or assigns the conversation to a member, or both (CNV-10, CNV-16, CNV-18).
CREATE TABLE keyword_rules (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL REFERENCES teams,
  keyword    text NOT NULL CHECK (keyword <> ''),
  match      text NOT NULL CHECK (match IN ('exact', 'contains')),
  channels   text[] NOT NULL DEFAULT '{}',                   -- none: every channel
  reply      text NOT NULL DEFAULT '',                       -- '' answers nothing
  states     text[] NOT NULL DEFAULT '{pending_bot}',        -- in which the reply fires (對話事件狀態)
  assign_to  uuid REFERENCES members,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (reply <> '' OR assign_to IS NOT NULL)
);
CREATE INDEX keyword_rules_team ON keyword_rules (team_id, id);

-- Automatic ending: one row a group of channels (D-CLS-1). A channel is in one group at most.
CREATE TABLE auto_close_rules (
  id             uuid PRIMARY KEY,
  team_id        uuid NOT NULL REFERENCES teams,
  name           text NOT NULL,
  channels       text[] NOT NULL,
  enabled        boolean NOT NULL DEFAULT false,
  duration       interval NOT NULL DEFAULT '24 hours',
  grace          interval NOT NULL DEFAULT '2 minutes',      -- between the reminder and the ending (D-CLS-2)
  reminder       text NOT NULL DEFAULT '',                   -- '' sends none
  exclude_pinned boolean NOT NULL DEFAULT false,
  quiet_from     time,                                       -- in the team's zone; both or none
  quiet_until    time,
  version        bigint NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);
CREATE INDEX auto_close_rules_team ON auto_close_rules (team_id, id);

ALTER TABLE teams
  ADD COLUMN survey_text     text NOT NULL DEFAULT '',       -- satisfaction survey after the ending; '' sends none (COL-28)
  ADD COLUMN survey_channels text[] NOT NULL DEFAULT '{}';   -- none: every channel

ALTER TABLE contacts ADD COLUMN note text NOT NULL DEFAULT '';

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['conversation_reads', 'conversation_pins', 'conversation_messages', 'inbound_media', 'keyword_rules', 'auto_close_rules'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY team ON %I TO omniflow_team USING (team_id = current_setting(''omniflow.team_id'')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omniflow_team', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE contacts DROP COLUMN note;
ALTER TABLE teams DROP COLUMN survey_text, DROP COLUMN survey_channels;
DROP TABLE auto_close_rules, keyword_rules, inbound_media, conversation_messages, conversation_pins, conversation_reads;
ALTER TABLE inbound_messages DROP COLUMN received, DROP COLUMN quoted_id, DROP COLUMN received_at;
DROP INDEX conversations_list, conversations_armed;
ALTER TABLE conversations DROP COLUMN last_message_at, DROP COLUMN followed_at, DROP COLUMN closed_at, DROP COLUMN waiting_since,
  DROP COLUMN waiting_level, DROP COLUMN last_human_reply_at, DROP COLUMN customer_messages, DROP COLUMN seen_by_all, DROP COLUMN close_from,
  DROP COLUMN reminded_at, DROP COLUMN armed_until;
