-- +goose Up
-- A message may carry several files, each fetched by itself.
ALTER TABLE inbound_media
  ADD COLUMN part    smallint NOT NULL DEFAULT 0,
  ADD COLUMN kind    text NOT NULL DEFAULT 'file',           -- what the message called it: image, video, audio, file, sticker
  ADD COLUMN name    text NOT NULL DEFAULT '',               -- as the customer called it
  ADD COLUMN born_at timestamptz NOT NULL DEFAULT now();     -- providers forget a file some days later
ALTER TABLE inbound_media DROP CONSTRAINT inbound_media_pkey, ADD PRIMARY KEY (inbound_message_id, part);

ALTER TABLE channel_accounts
  ADD COLUMN menu_texts      text[] NOT NULL DEFAULT '{}',   -- LINE: the texts of the rich menu that was set in LINE
  ADD COLUMN allowed_origins text[] NOT NULL DEFAULT '{}';   -- web chat: the sites whose pages may show the widget

-- +goose Down
ALTER TABLE channel_accounts DROP COLUMN menu_texts, DROP COLUMN allowed_origins;
DELETE FROM inbound_media WHERE part > 0;
ALTER TABLE inbound_media DROP CONSTRAINT inbound_media_pkey, ADD PRIMARY KEY (inbound_message_id);
ALTER TABLE inbound_media DROP COLUMN part, DROP COLUMN kind, DROP COLUMN name, DROP COLUMN born_at;
