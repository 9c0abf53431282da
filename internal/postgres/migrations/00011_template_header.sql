-- +goose Up
-- What file a template has at its head; '' for none, or a text.
ALTER TABLE templates ADD COLUMN header text NOT NULL DEFAULT '' CHECK (header IN ('', 'image', 'video', 'file'));

-- +goose Down
ALTER TABLE templates DROP COLUMN header;
