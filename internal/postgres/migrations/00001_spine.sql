-- +goose Up
-- The spine: teams and people, channel accounts, customers, the outbound ledger, webhooks in, starts out.
-- Every table has team_id; row-level security at the end of this file backs up the WHERE clauses (SYS-13).

-- +goose StatementBegin
DO $$ BEGIN
  CREATE ROLE omniflow_team NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
-- +goose StatementEnd
-- Whoever connects must be able to become it.
-- +goose StatementBegin
DO $$ BEGIN
  IF NOT pg_has_role(current_user, 'omniflow_team', 'MEMBER') THEN
    EXECUTE format('GRANT omniflow_team TO %I', current_user);
  END IF;
END $$;
-- +goose StatementEnd

CREATE TABLE teams (
  team_id           uuid PRIMARY KEY,
  name              text NOT NULL,
  plan              text NOT NULL DEFAULT 'standard' CHECK (plan IN ('standard', 'omo')),
  flags             text[] NOT NULL DEFAULT '{}',
  timezone          text NOT NULL DEFAULT 'Asia/Taipei',
  on_unknown        text NOT NULL DEFAULT 'prove' CHECK (on_unknown IN ('prove', 'fail', 'resend')),
  reconcile_after   interval NOT NULL DEFAULT '10 minutes',
  give_up_after     interval NOT NULL DEFAULT '24 hours',
  created_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL REFERENCES teams,
  name       text NOT NULL,
  email      text NOT NULL DEFAULT '',
  role       text NOT NULL,
  state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deactivated', 'deleted')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX members_team ON members (team_id);

-- A machine key acts as one member; only its SHA-256 is kept.
CREATE TABLE machine_keys (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL REFERENCES teams,
  member_id  uuid NOT NULL REFERENCES members,
  name       text NOT NULL,
  key_sha256 bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

CREATE TABLE channel_accounts (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL REFERENCES teams,
  channel     text NOT NULL,
  name        text NOT NULL,
  external_id text NOT NULL,              -- phone-number id, LINE bot user id, page id, Instagram account id
  waba_id     text NOT NULL DEFAULT '',   -- WhatsApp only
  secrets     bytea NOT NULL,             -- sealed JSON of channel.Secrets
  state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'stopped')),
  stop_code   text NOT NULL DEFAULT '',
  stopped_at  timestamptz,
  created_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (channel, external_id)
);
CREATE INDEX channel_accounts_team ON channel_accounts (team_id);

-- One row a limiter of an account (design section 5). bulk_tat and tat are GCRA's theoretical arrival times:
-- of bulk traffic at rate × (1 - reserve), and of interactive traffic at rate × reserve.
CREATE TABLE limiters (
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  name               text NOT NULL CHECK (name IN ('messages', 'multicast')),
  team_id            uuid NOT NULL REFERENCES teams,
  limit_per_second   double precision NOT NULL CHECK (limit_per_second > 0),
  rate               double precision NOT NULL CHECK (rate > 0),
  reserve            double precision NOT NULL DEFAULT 0.02 CHECK (reserve >= 0 AND reserve < 1),
  bulk_tat           timestamptz NOT NULL DEFAULT '-infinity',
  tat                timestamptz NOT NULL DEFAULT '-infinity',
  adjusted_at        timestamptz NOT NULL DEFAULT now(),
  cut_at             timestamptz NOT NULL DEFAULT '-infinity',
  closed_until       timestamptz NOT NULL DEFAULT '-infinity',
  reason             text NOT NULL DEFAULT '',
  PRIMARY KEY (channel_account_id, name)
) WITH (fillfactor = 50);

CREATE TABLE templates (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL REFERENCES teams,
  waba_id     text NOT NULL,
  name        text NOT NULL,
  language    text NOT NULL,
  body_params integer NOT NULL DEFAULT 0 CHECK (body_params >= 0),
  state       text NOT NULL DEFAULT 'approved',
  UNIQUE (team_id, waba_id, name, language)
);

CREATE TABLE contacts (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL REFERENCES teams,
  customer_id text NOT NULL DEFAULT '',
  name        text NOT NULL DEFAULT '',
  country     text NOT NULL DEFAULT '',
  phone       text NOT NULL DEFAULT '',   -- E.164
  email       text NOT NULL DEFAULT '',
  store       text NOT NULL DEFAULT '',
  tags        text[] NOT NULL DEFAULT '{}',
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX contacts_customer ON contacts (team_id, customer_id) WHERE customer_id <> '';

CREATE TABLE channel_identities (
  id                 uuid PRIMARY KEY,
  team_id            uuid NOT NULL REFERENCES teams,
  contact_id         uuid NOT NULL REFERENCES contacts,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  external_id        text NOT NULL,       -- wa_id digits, LINE user id, PSID, IGSID
  blocked_at         timestamptz,
  UNIQUE (channel_account_id, external_id)
);

CREATE TABLE conversations (
  id                       uuid PRIMARY KEY,
  team_id                  uuid NOT NULL REFERENCES teams,
  contact_id               uuid NOT NULL REFERENCES contacts,
  channel_identity_id      uuid NOT NULL UNIQUE REFERENCES channel_identities,
  channel_account_id       uuid NOT NULL REFERENCES channel_accounts,
  channel                  text NOT NULL,
  type                     text NOT NULL DEFAULT 'one_to_one',
  state                    text NOT NULL,
  follower_id              uuid REFERENCES members,
  last_customer_message_at timestamptz,
  version                  bigint NOT NULL DEFAULT 1,
  created_at               timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);
CREATE INDEX conversations_follower ON conversations (team_id, follower_id, state);

-- What is sent, stored once a broadcast: a JSON array of omniflow.Content, one provider call's worth.
CREATE TABLE contents (
  id      uuid PRIMARY KEY,
  team_id uuid NOT NULL REFERENCES teams,
  body    jsonb NOT NULL
);

CREATE TABLE broadcasts (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL REFERENCES teams,
  actor_id    uuid NOT NULL REFERENCES members,
  kind        text NOT NULL,
  client      text NOT NULL,
  name        text NOT NULL DEFAULT '',
  request     jsonb NOT NULL,             -- omniflow.BroadcastRequest as accepted
  state       text NOT NULL DEFAULT 'accepted',
  outcome     text NOT NULL DEFAULT '',
  workflow_id text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  planned_at  timestamptz,
  finished_at timestamptz
);
CREATE INDEX broadcasts_team ON broadcasts (team_id, id);

-- One lane a channel account of a broadcast. control is what an operator or a stop code wants; the claim obeys it.
CREATE TABLE broadcast_lanes (
  broadcast_id       uuid NOT NULL REFERENCES broadcasts,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  team_id            uuid NOT NULL REFERENCES teams,
  channel            text NOT NULL,
  planned            integer NOT NULL DEFAULT 0,   -- rows of the ledger
  recipients         integer NOT NULL DEFAULT 0,
  control            text NOT NULL DEFAULT 'running' CHECK (control IN ('running', 'paused', 'cancelled', 'stopped')),
  control_reason     text NOT NULL DEFAULT '',
  control_by         uuid,
  control_at         timestamptz,
  PRIMARY KEY (broadcast_id, channel_account_id)
);

-- The fence of one slice of a lane: a claim carries it, so an attempt that lost its slice cannot send.
CREATE TABLE broadcast_slices (
  broadcast_id       uuid NOT NULL,
  channel_account_id uuid NOT NULL,
  from_seq           integer NOT NULL,
  team_id            uuid NOT NULL REFERENCES teams,
  fence              integer NOT NULL DEFAULT 1,
  PRIMARY KEY (broadcast_id, channel_account_id, from_seq)
);

CREATE TYPE message_state AS ENUM
  ('queued', 'sending', 'sent', 'received', 'read', 'failed', 'skipped', 'cancelled', 'unknown');

-- The outbound ledger: a row is one provider call for one recipient. No column that changes on the way out is
-- indexed (but due_at, set only for rows that wait), and a page keeps room for a second version of every row in it, so
-- the updates of a send stay heap-only: at 70 % filled a third of them did not, and wrote three indexes each.
CREATE TABLE messages (
  id                 uuid PRIMARY KEY,
  team_id            uuid NOT NULL,
  broadcast_id       uuid,
  channel_account_id uuid NOT NULL,
  conversation_id    uuid NOT NULL,
  content_id         uuid NOT NULL,
  attempt_key        uuid,                -- LINE: the retry key of the call that carries this row
  seq                integer NOT NULL,    -- place in the lane; messages of one recipient are neighbours
  ordinal            smallint NOT NULL DEFAULT 1,
  pieces             smallint NOT NULL DEFAULT 1,
  attempt            smallint NOT NULL DEFAULT 0,   -- claims so far; part of the key that a provider echoes
  tries              smallint NOT NULL DEFAULT 0,   -- attempts that count against SYS-05; a throttle answer does not
  fence              integer NOT NULL DEFAULT 0,
  state              message_state NOT NULL DEFAULT 'queued',
  attempted_at       timestamptz,         -- last claim
  confirmed_at       timestamptz,         -- first webhook evidence
  sent_at            timestamptz,
  received_at        timestamptz,
  read_at            timestamptz,
  due_at             timestamptz,         -- queued: not before; unknown: reconcile next
  recipient          text NOT NULL,
  code               text,                -- why failed, skipped, waiting or unknown
  provider_id        text
) WITH (fillfactor = 45);
CREATE INDEX messages_lane ON messages (broadcast_id, channel_account_id, seq);
CREATE INDEX messages_conversation ON messages (conversation_id, id);
CREATE INDEX messages_due ON messages (channel_account_id, due_at) WHERE due_at IS NOT NULL;

-- +goose StatementBegin
-- uuid_v7 makes the n-th id of one statement: time in milliseconds, then n (up to 2^24), then random, so that the rows
-- of a plan lie together in the primary key.
CREATE FUNCTION uuid_v7(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
       || '7' || lpad(to_hex((n >> 12) & 4095), 3, '0')
       || '8' || lpad(to_hex(n & 4095), 3, '0')
       || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12))::uuid
$$;
-- +goose StatementEnd

-- A redacted trace of every attempt: no text, no name, no number.
CREATE TABLE attempts (
  message_id  uuid NOT NULL,
  team_id     uuid NOT NULL,
  attempt     smallint NOT NULL,
  http_status smallint NOT NULL DEFAULT 0,
  latency_ms  integer NOT NULL DEFAULT 0,
  at          timestamptz NOT NULL,
  code        text NOT NULL DEFAULT '',
  provider_id text NOT NULL DEFAULT '',
  trace       text NOT NULL DEFAULT ''
);
CREATE INDEX attempts_message ON attempts (message_id);

-- What a webhook said about one message, for the recipient's timeline.
CREATE TABLE message_events (
  message_id uuid NOT NULL,
  team_id    uuid NOT NULL,
  state      text NOT NULL,
  at         timestamptz NOT NULL,
  stored_at  timestamptz NOT NULL DEFAULT now(),
  code       text NOT NULL DEFAULT '',
  attempt    smallint NOT NULL DEFAULT 0
);
CREATE INDEX message_events_message ON message_events (message_id);

-- How many messages attempted in one second have been confirmed by a webhook: the proof that a webhook path lives.
CREATE TABLE webhook_evidence (
  channel_account_id uuid NOT NULL,
  second             timestamptz NOT NULL,
  team_id            uuid NOT NULL,
  confirmed          integer NOT NULL,
  PRIMARY KEY (channel_account_id, second)
);

CREATE TABLE inbox (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  team_id            uuid NOT NULL,
  channel            text NOT NULL,
  channel_account_id uuid NOT NULL,
  event_key          bytea NOT NULL,      -- SHA-256 of the body: a redelivery is the same bytes
  body               bytea NOT NULL,
  received_at        timestamptz NOT NULL DEFAULT now(),
  processed_at       timestamptz,
  tries              smallint NOT NULL DEFAULT 0,
  UNIQUE (channel_account_id, event_key)
);
CREATE INDEX inbox_todo ON inbox (id) WHERE processed_at IS NULL;

CREATE TABLE dead_letters (
  id                 uuid PRIMARY KEY,
  team_id            uuid NOT NULL,
  channel            text NOT NULL,
  channel_account_id uuid NOT NULL,
  reason             text NOT NULL,
  event              jsonb NOT NULL,
  created_at         timestamptz NOT NULL DEFAULT now(),
  replayed_at        timestamptz
);
CREATE INDEX dead_letters_team ON dead_letters (team_id, id);

CREATE TABLE inbound_messages (
  id                 uuid PRIMARY KEY,
  team_id            uuid NOT NULL,
  conversation_id    uuid NOT NULL REFERENCES conversations,
  channel_account_id uuid NOT NULL,
  provider_id        text NOT NULL,
  kind               text NOT NULL,
  body               jsonb NOT NULL,
  sent_at            timestamptz NOT NULL,
  UNIQUE (channel_account_id, provider_id)
);

-- Workflow starts promised by a committed request; the relay makes good on them.
CREATE TABLE outbox (
  id          uuid PRIMARY KEY,
  team_id     uuid NOT NULL,
  workflow    text NOT NULL,
  workflow_id text NOT NULL,
  input       jsonb NOT NULL,
  summary     text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  started_at  timestamptz,
  tries       smallint NOT NULL DEFAULT 0
);
CREATE INDEX outbox_todo ON outbox (id) WHERE started_at IS NULL;

CREATE TABLE audit_log (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL,
  actor_id   uuid,
  action     text NOT NULL,
  object     text NOT NULL,
  detail     jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_object ON audit_log (team_id, object, id);

CREATE TABLE idempotency_keys (
  team_id     uuid NOT NULL,
  actor_id    uuid NOT NULL,
  key         text NOT NULL,
  fingerprint bytea NOT NULL,             -- SHA-256 of method, path and body
  status      integer,                    -- null while the first request runs
  response    bytea,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team_id, actor_id, key)
);

-- Row-level security: a request acts as omniflow_team with omniflow.team_id set; the owner (worker, relay) is exempt.
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT table_name FROM information_schema.columns
           WHERE table_schema = 'public' AND column_name = 'team_id' LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY team ON %I TO omniflow_team USING (team_id = current_setting(''omniflow.team_id'')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omniflow_team', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
