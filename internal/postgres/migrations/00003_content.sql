-- +goose Up
-- Media, saved replies, bound customers, the name variable and the counts of links.

-- personal is the customer's name as it was when the audience was frozen; null where the content holds no variable.
ALTER TABLE messages ADD COLUMN personal text;
-- Links in the texts of a content, counted for each message sent (BRD-15).
ALTER TABLE contents ADD COLUMN official_links integer NOT NULL DEFAULT 0, ADD COLUMN other_links integer NOT NULL DEFAULT 0;
ALTER TABLE teams ADD COLUMN site_domains text[] NOT NULL DEFAULT '{}';
ALTER TABLE members ADD COLUMN store text NOT NULL DEFAULT '';

-- A file as uploaded; its bytes are in the blob store under its id. Nothing expires (BRD-16).
CREATE TABLE media (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL REFERENCES teams,
  member_id  uuid REFERENCES members,
  kind       text NOT NULL CHECK (kind IN ('image', 'video', 'audio', 'file')),
  mime       text NOT NULL,
  name       text NOT NULL,
  bytes      bigint NOT NULL CHECK (bytes > 0),
  sha256     text NOT NULL,               -- hexadecimal
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX media_team ON media (team_id, id);

-- What the provider of a lane calls a file: one upload a broadcast and channel account, never one a recipient.
CREATE TABLE broadcast_media (
  broadcast_id       uuid NOT NULL REFERENCES broadcasts,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  media_id           uuid NOT NULL REFERENCES media,
  kind               text NOT NULL,              -- as which it is sent: an image may go as a file
  team_id            uuid NOT NULL REFERENCES teams,
  state              text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'rejected')),
  handle             text NOT NULL DEFAULT '',   -- WhatsApp media id, Messenger attachment id; '' where links are sent
  code               text NOT NULL DEFAULT '',
  prepared_at        timestamptz,
  PRIMARY KEY (broadcast_id, channel_account_id, media_id, kind)
);

-- contents is an array of omniflow.Content, frozen as saved; module describes a bot module (RPL-04).
CREATE TABLE saved_replies (
  id         uuid PRIMARY KEY,
  team_id    uuid NOT NULL REFERENCES teams,
  member_id  uuid NOT NULL REFERENCES members,
  topic      text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('custom', 'bot_module')),
  audience   text NOT NULL CHECK (audience IN ('all_members', 'only_myself', 'given_roles', 'given_stores')),
  roles      text[] NOT NULL DEFAULT '{}',
  stores     text[] NOT NULL DEFAULT '{}',
  contents   jsonb NOT NULL DEFAULT '[]',
  module     jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX saved_replies_team ON saved_replies (team_id, id);

-- Customers bound to a sales member (BRD-11).
CREATE TABLE contact_bindings (
  member_id  uuid NOT NULL REFERENCES members,
  contact_id uuid NOT NULL REFERENCES contacts,
  team_id    uuid NOT NULL REFERENCES teams,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (member_id, contact_id)
);
CREATE INDEX contact_bindings_contact ON contact_bindings (contact_id);
CREATE INDEX conversations_contact ON conversations (contact_id);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['media', 'broadcast_media', 'saved_replies', 'contact_bindings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY team ON %I TO omniflow_team USING (team_id = current_setting(''omniflow.team_id'')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omniflow_team', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX conversations_contact;
DROP TABLE contact_bindings, saved_replies, broadcast_media, media;
ALTER TABLE members DROP COLUMN store;
ALTER TABLE teams DROP COLUMN site_domains;
ALTER TABLE contents DROP COLUMN official_links, DROP COLUMN other_links;
ALTER TABLE messages DROP COLUMN personal;
