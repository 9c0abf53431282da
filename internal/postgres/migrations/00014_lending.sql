-- +goose Up
-- Bulk traffic lends slots to people: borrowed_tat bounds how many (GCRA, a tenth of the rate). The reserve may be smaller then.
ALTER TABLE limiters ADD COLUMN borrowed_tat timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE limiters ALTER COLUMN reserve SET DEFAULT 0.01;
UPDATE limiters SET reserve = 0.01 WHERE reserve = 0.02;

-- +goose Down
UPDATE limiters SET reserve = 0.02 WHERE reserve = 0.01;
ALTER TABLE limiters ALTER COLUMN reserve SET DEFAULT 0.02;
ALTER TABLE limiters DROP COLUMN borrowed_tat;
