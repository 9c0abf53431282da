-- +goose Up
-- The region (區域) of a member, beside the store (SRC-04); '' for none.
ALTER TABLE members ADD COLUMN region text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE members DROP COLUMN region;
