-- +goose Up
-- A rate that an operator set for one lane. It stands in for the limit of the lane's account until the lane has ended;
-- of several the newest is in force.
CREATE TABLE lane_rates (
  broadcast_id       uuid NOT NULL REFERENCES broadcasts,
  channel_account_id uuid NOT NULL REFERENCES channel_accounts,
  team_id            uuid NOT NULL REFERENCES teams,
  limiter            text NOT NULL,
  rate_per_second    double precision NOT NULL CHECK (rate_per_second > 0),
  set_by             uuid,              -- null: an operator in the Temporal UI
  set_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel_account_id, broadcast_id)
);
CREATE INDEX lane_rates_broadcast ON lane_rates (broadcast_id);
ALTER TABLE lane_rates ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON lane_rates TO omniflow_team USING (team_id = current_setting('omniflow.team_id')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON lane_rates TO omniflow_team;

-- account_limit is the account's own limit while a lane's rate is in force, else null; set_by and set_at say who set that last.
ALTER TABLE limiters
  ADD COLUMN account_limit double precision CHECK (account_limit > 0),
  ADD COLUMN set_by        uuid,
  ADD COLUMN set_at        timestamptz;

-- The same event, delivered again in other bytes, is one dead letter as long as nobody has replayed it.
CREATE INDEX dead_letters_open ON dead_letters (channel_account_id, md5(event::text)) WHERE replayed_at IS NULL;

-- +goose Down
DROP INDEX dead_letters_open;
UPDATE limiters SET limit_per_second = account_limit, rate = account_limit WHERE account_limit IS NOT NULL;
ALTER TABLE limiters DROP COLUMN account_limit, DROP COLUMN set_by, DROP COLUMN set_at;
DROP TABLE lane_rates;
