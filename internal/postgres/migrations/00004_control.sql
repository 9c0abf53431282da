-- +goose Up
-- Steering a broadcast: when it starts, what stops it, what it repeats, and counts that are read without its rows.

ALTER TABLE teams ADD COLUMN stop_failure_percent smallint NOT NULL DEFAULT 50 CHECK (stop_failure_percent BETWEEN 1 AND 100);

-- A provider's monthly quota as last read; quota_limit is null where there is none. Unknown while quota_read_at is null.
ALTER TABLE channel_accounts
  ADD COLUMN quota_limit   bigint,
  ADD COLUMN quota_used    bigint,
  ADD COLUMN quota_read_at timestamptz,
  ADD COLUMN quota_due_at  timestamptz NOT NULL DEFAULT '-infinity';

-- start_control is what an operator wants of a broadcast that has no lanes yet.
ALTER TABLE broadcasts
  ADD COLUMN start_at       timestamptz,
  ADD COLUMN late_after     interval,
  ADD COLUMN start_control  text NOT NULL DEFAULT 'running' CHECK (start_control IN ('running', 'paused', 'cancelled')),
  ADD COLUMN control_reason text NOT NULL DEFAULT '',
  ADD COLUMN control_by     uuid,
  ADD COLUMN control_at     timestamptz,
  ADD COLUMN approved_at    timestamptz,
  ADD COLUMN retry_of       uuid REFERENCES broadcasts,
  ADD COLUMN retry          jsonb;             -- omniflow.RetryRequest
CREATE INDEX broadcasts_retries ON broadcasts (retry_of) WHERE retry_of IS NOT NULL;

-- beat_at: when the attempt that has the lane's slices last worked.
ALTER TABLE broadcast_lanes ADD COLUMN beat_at timestamptz;

-- A row that failed is repeated by one row of a later broadcast at most.
CREATE TABLE retries (
  message_id   uuid PRIMARY KEY REFERENCES messages,   -- the row that failed
  team_id      uuid NOT NULL REFERENCES teams,
  broadcast_id uuid NOT NULL REFERENCES broadcasts,    -- the one that repeats it
  repeated_by  uuid NOT NULL                           -- its row
);
CREATE INDEX retries_broadcast ON retries (broadcast_id);

-- Rows by state, exact at every moment: what was folded, and the changes since. Changes are only ever added, so that
-- nobody who sends waits for a counter. A bucket is 1,980 rows of a lane: omniflow.LaneBucket.
CREATE TABLE lane_counts (
  broadcast_id       uuid NOT NULL,
  channel_account_id uuid NOT NULL,
  bucket             integer NOT NULL,
  team_id            uuid NOT NULL,
  queued    integer NOT NULL, sending  integer NOT NULL, sent    integer NOT NULL, received integer NOT NULL, read integer NOT NULL,
  failed    integer NOT NULL, skipped  integer NOT NULL, cancelled integer NOT NULL, unknown integer NOT NULL,
  PRIMARY KEY (broadcast_id, channel_account_id, bucket)
) WITH (fillfactor = 50);

CREATE TABLE lane_changes (LIKE lane_counts);
CREATE INDEX lane_changes_lane ON lane_changes (broadcast_id, channel_account_id);

-- The outcomes of a lane, newest last, one row a statement: how many rows were taken, how many failed.
CREATE TABLE lane_outcomes (
  id                 bigint GENERATED ALWAYS AS IDENTITY,
  broadcast_id       uuid NOT NULL,
  channel_account_id uuid NOT NULL,
  team_id            uuid NOT NULL,
  taken              integer NOT NULL,
  failed             integer NOT NULL,
  PRIMARY KEY (broadcast_id, channel_account_id, id)
);

-- +goose StatementBegin
CREATE FUNCTION count_new_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lane_changes
  SELECT broadcast_id, channel_account_id, seq / 1980, team_id,
    count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'sent'),
    count(*) FILTER (WHERE state = 'received'), count(*) FILTER (WHERE state = 'read'), count(*) FILTER (WHERE state = 'failed'),
    count(*) FILTER (WHERE state = 'skipped'), count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE state = 'unknown')
  FROM after_rows WHERE broadcast_id IS NOT NULL GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_changed_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- What is there after, less what was there before: old and new rows are not paired, because a join of the two has no
  -- statistics, and the plan made for the first small group would read 5,000 rows 5,000 times.
  WITH moved AS (
    SELECT broadcast_id, channel_account_id, bucket, team_id, state, sum(n) AS n FROM (
      SELECT broadcast_id, channel_account_id, seq / 1980 AS bucket, team_id, state, count(*)::integer AS n
      FROM after_rows WHERE broadcast_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5
      UNION ALL
      SELECT broadcast_id, channel_account_id, seq / 1980, team_id, state, -count(*)::integer
      FROM before_rows WHERE broadcast_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5) m
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0
  ), counted AS (
    INSERT INTO lane_changes
    SELECT broadcast_id, channel_account_id, bucket, team_id,
      sum(CASE state WHEN 'queued' THEN n ELSE 0 END), sum(CASE state WHEN 'sending' THEN n ELSE 0 END), sum(CASE state WHEN 'sent' THEN n ELSE 0 END),
      sum(CASE state WHEN 'received' THEN n ELSE 0 END), sum(CASE state WHEN 'read' THEN n ELSE 0 END), sum(CASE state WHEN 'failed' THEN n ELSE 0 END),
      sum(CASE state WHEN 'skipped' THEN n ELSE 0 END), sum(CASE state WHEN 'cancelled' THEN n ELSE 0 END), sum(CASE state WHEN 'unknown' THEN n ELSE 0 END)
    FROM moved GROUP BY 1, 2, 3, 4
  )
  -- A message that was taken and fails later by webhook changes sides.
  INSERT INTO lane_outcomes (broadcast_id, channel_account_id, team_id, taken, failed)
  SELECT broadcast_id, channel_account_id, team_id, taken, failed FROM (
    SELECT broadcast_id, channel_account_id, team_id,
      COALESCE(sum(n) FILTER (WHERE state IN ('sent', 'received', 'read')), 0) AS taken,
      COALESCE(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed
    FROM moved GROUP BY 1, 2, 3) o WHERE taken <> 0 OR failed <> 0;
  RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER messages_counted AFTER INSERT ON messages
  REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_messages();
CREATE TRIGGER messages_recounted AFTER UPDATE ON messages
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_messages();

-- An audience is counted from this index alone.
CREATE INDEX conversations_mine ON conversations (team_id, follower_id, channel_account_id)
  INCLUDE (id, channel, contact_id) WHERE state = 'handling' AND type = 'one_to_one';

-- What is there already is counted once.
INSERT INTO lane_counts
SELECT broadcast_id, channel_account_id, seq / 1980, team_id,
  count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'sent'),
  count(*) FILTER (WHERE state = 'received'), count(*) FILTER (WHERE state = 'read'), count(*) FILTER (WHERE state = 'failed'),
  count(*) FILTER (WHERE state = 'skipped'), count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE state = 'unknown')
FROM messages WHERE broadcast_id IS NOT NULL GROUP BY 1, 2, 3, 4;

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['retries', 'lane_counts', 'lane_changes', 'lane_outcomes'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY team ON %I TO omniflow_team USING (team_id = current_setting(''omniflow.team_id'')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omniflow_team', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX conversations_mine;
DROP TRIGGER messages_counted ON messages;
DROP TRIGGER messages_recounted ON messages;
DROP FUNCTION count_new_messages;
DROP FUNCTION count_changed_messages;
DROP TABLE lane_outcomes, lane_changes, lane_counts, retries;
ALTER TABLE broadcast_lanes DROP COLUMN beat_at;
ALTER TABLE broadcasts DROP COLUMN start_at, DROP COLUMN late_after, DROP COLUMN start_control, DROP COLUMN control_reason, DROP COLUMN control_by,
  DROP COLUMN control_at, DROP COLUMN approved_at, DROP COLUMN retry_of, DROP COLUMN retry;
ALTER TABLE channel_accounts DROP COLUMN quota_limit, DROP COLUMN quota_used, DROP COLUMN quota_read_at, DROP COLUMN quota_due_at;
ALTER TABLE teams DROP COLUMN stop_failure_percent;
