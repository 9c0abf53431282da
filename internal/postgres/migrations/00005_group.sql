-- +goose Up
-- WhatsApp groups: their creation, their members, what is changed about them, and signals promised to their runs.

ALTER TABLE teams
  ADD COLUMN group_review_timeout interval NOT NULL DEFAULT '24 hours',
  ADD COLUMN invitation_timeout   interval NOT NULL DEFAULT '7 days',
  ADD COLUMN removal_timeout      interval NOT NULL DEFAULT '24 hours',
  ADD COLUMN invite_template      text NOT NULL DEFAULT 'group_invite_link',
  ADD COLUMN invite_language      text NOT NULL DEFAULT 'en',
  ADD COLUMN approve_invited      boolean NOT NULL DEFAULT true;  -- an invited number that asks to join is let in

-- What buttons a template has: URL, PHONE_NUMBER, QUICK_REPLY, FLOW (GRP-25).
ALTER TABLE templates ADD COLUMN components text[] NOT NULL DEFAULT '{}';

-- A group's conversation has the group's id, and neither one contact nor one identity: no audience finds it.
ALTER TABLE conversations ALTER COLUMN contact_id DROP NOT NULL, ALTER COLUMN channel_identity_id DROP NOT NULL;
ALTER TABLE conversations ADD CONSTRAINT conversations_who
  CHECK (type <> 'one_to_one' OR (contact_id IS NOT NULL AND channel_identity_id IS NOT NULL));

CREATE INDEX inbound_messages_conversation ON inbound_messages (conversation_id, sent_at);

CREATE TABLE groups (
  id                 uuid PRIMARY KEY,
  team_id            uuid NOT NULL REFERENCES teams,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  creator_id         uuid NOT NULL REFERENCES members,
  name               text NOT NULL,
  description        text NOT NULL DEFAULT '',
  approval_required  boolean NOT NULL DEFAULT false,
  marker             text NOT NULL,                  -- found in the description at the provider
  state              text NOT NULL DEFAULT 'reviewing' CHECK (state IN ('reviewing', 'created', 'failed')),
  code               text NOT NULL DEFAULT '',       -- why it failed
  create_call        text NOT NULL DEFAULT 'due' CHECK (create_call IN ('due', 'calling', 'accepted', 'unknown')),
  tries              smallint NOT NULL DEFAULT 0,
  called_at          timestamptz,
  next_at            timestamptz,                    -- the call backs off until then, or the group is looked for again
  review_until       timestamptz,
  request_id         text,
  provider_id        text,
  invite_link        text NOT NULL DEFAULT '',
  suspended_at       timestamptz,
  deleted_at         timestamptz,
  duplicates         integer NOT NULL DEFAULT 0,     -- creation webhooks that changed nothing
  created_at         timestamptz NOT NULL DEFAULT now(),
  decided_at         timestamptz
);
CREATE INDEX groups_team ON groups (team_id, id);
CREATE UNIQUE INDEX groups_request ON groups (channel_account_id, request_id) WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX groups_provider ON groups (channel_account_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX groups_reviewing ON groups (channel_account_id) WHERE state = 'reviewing';

CREATE TABLE group_members (
  id              uuid PRIMARY KEY,
  team_id         uuid NOT NULL REFERENCES teams,
  group_id        uuid NOT NULL REFERENCES groups,
  phone           text NOT NULL,                     -- digits of the E.164 number
  phone_hash      text NOT NULL,                     -- keyed; what ids may show of the number
  state           text NOT NULL CHECK (state IN ('inviting', 'joined', 'add_failed', 'remove_pending', 'removed', 'remove_failed')),
  code            text NOT NULL DEFAULT '',
  since           timestamptz NOT NULL DEFAULT now(),
  tries           smallint NOT NULL DEFAULT 0,
  next_at         timestamptz,
  deadline_at     timestamptz,
  called          boolean NOT NULL DEFAULT false,    -- the removal was handed over
  request_id      text,                              -- of the removal
  message_id      uuid,                              -- the invitation's ledger row
  join_request_id text NOT NULL DEFAULT '',
  join_decision   text NOT NULL DEFAULT '' CHECK (join_decision IN ('', 'approve', 'reject')),
  event_at        timestamptz NOT NULL DEFAULT '-infinity',  -- newest event heard; an older one says nothing
  last_message_at timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (group_id, phone)
);
CREATE INDEX group_members_message ON group_members (message_id) WHERE message_id IS NOT NULL;

-- One change of a group that its provider answers later: settings, a new link, its deletion.
CREATE TABLE group_changes (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL REFERENCES teams,
  group_id    uuid NOT NULL REFERENCES groups,
  actor_id    uuid NOT NULL REFERENCES members,
  kind        text NOT NULL CHECK (kind IN ('settings', 'reset_link', 'delete')),
  name        text NOT NULL DEFAULT '',
  description text NOT NULL DEFAULT '',
  state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
  code        text NOT NULL DEFAULT '',
  called      boolean NOT NULL DEFAULT false,
  tries       smallint NOT NULL DEFAULT 0,
  next_at     timestamptz,
  deadline_at timestamptz,
  request_id  text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  decided_at  timestamptz
);
CREATE INDEX group_changes_group ON group_changes (group_id, id);

-- Each event of a provider about a group once, whatever request brought it.
CREATE TABLE group_events (
  channel_account_id uuid NOT NULL,
  event_key          bytea NOT NULL,
  team_id            uuid NOT NULL,
  stored_at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel_account_id, event_key)
);

-- Where a webhook that names a request meets the answer that told us the request's id, whichever comes first.
CREATE TABLE group_rendezvous (
  channel_account_id uuid NOT NULL,
  request_id         text NOT NULL,
  team_id            uuid NOT NULL,
  ours               uuid,                           -- group, member or change that made the request
  event              jsonb,
  met_at             timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel_account_id, request_id)
);

-- Follower, then collaborators by rank (D-COL-4).
CREATE TABLE collaborators (
  conversation_id uuid NOT NULL REFERENCES conversations,
  member_id       uuid NOT NULL REFERENCES members,
  team_id         uuid NOT NULL REFERENCES teams,
  position        smallint NOT NULL,
  PRIMARY KEY (conversation_id, member_id)
);

-- The event state log (CNV-19): a key of the catalogue and its values as they were. action_id makes it once (SYS-14).
CREATE TABLE conversation_log (
  id              uuid PRIMARY KEY,
  team_id         uuid NOT NULL REFERENCES teams,
  conversation_id uuid NOT NULL REFERENCES conversations,
  action_id       uuid NOT NULL,
  kind            text NOT NULL,                     -- log or system
  event           text NOT NULL,
  text_key        text NOT NULL DEFAULT '',
  actor_id        uuid,
  detail          jsonb NOT NULL DEFAULT '{}',
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (conversation_id, action_id, kind)
);

-- Signals promised to runs by a committed transaction; the relay makes good on them. The id is the engine's request id.
CREATE TABLE outbox_signals (
  id           uuid PRIMARY KEY,
  team_id      uuid NOT NULL,
  workflow     text NOT NULL,                        -- started with the signal if no run is open
  workflow_id  text NOT NULL,
  input        jsonb NOT NULL,
  signal       text NOT NULL,
  summary      text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  tries        smallint NOT NULL DEFAULT 0
);
CREATE INDEX outbox_signals_todo ON outbox_signals (id) WHERE delivered_at IS NULL;

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['groups', 'group_members', 'group_changes', 'group_events', 'group_rendezvous', 'collaborators',
                           'conversation_log', 'outbox_signals'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY team ON %I TO omniflow_team USING (team_id = current_setting(''omniflow.team_id'')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omniflow_team', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE outbox_signals, conversation_log, collaborators, group_rendezvous, group_events, group_changes, group_members, groups;
DELETE FROM conversations WHERE type = 'whatsapp_group';
DROP INDEX inbound_messages_conversation;
ALTER TABLE conversations DROP CONSTRAINT conversations_who;
ALTER TABLE conversations ALTER COLUMN contact_id SET NOT NULL, ALTER COLUMN channel_identity_id SET NOT NULL;
ALTER TABLE templates DROP COLUMN components;
ALTER TABLE teams DROP COLUMN group_review_timeout, DROP COLUMN invitation_timeout, DROP COLUMN removal_timeout,
  DROP COLUMN invite_template, DROP COLUMN invite_language, DROP COLUMN approve_invited;
