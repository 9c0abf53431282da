-- +goose Up
-- A request that died after its work and before its answer is taken over under the same key. resource_id is fixed when
-- the key is first seen and becomes the id of what the request creates, so that the second run finds it made.
ALTER TABLE idempotency_keys ADD COLUMN resource_id uuid NOT NULL;

-- +goose Down
ALTER TABLE idempotency_keys DROP COLUMN resource_id;
