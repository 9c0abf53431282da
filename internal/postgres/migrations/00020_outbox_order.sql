-- +goose Up
-- What is promised is read in the order in which it is delivered, a batch at a time: those that failed least first. With a
-- backlog of 100,000, after an outage of the engine, sorting it for each batch cost more than delivering it.
CREATE INDEX outbox_signals_order ON outbox_signals (tries, id) WHERE delivered_at IS NULL;
DROP INDEX outbox_signals_todo;
CREATE INDEX outbox_order ON outbox (tries, id) WHERE started_at IS NULL;
DROP INDEX outbox_todo;

-- +goose Down
CREATE INDEX outbox_todo ON outbox (id) WHERE started_at IS NULL;
DROP INDEX outbox_order;
CREATE INDEX outbox_signals_todo ON outbox_signals (id) WHERE delivered_at IS NULL;
DROP INDEX outbox_signals_order;
