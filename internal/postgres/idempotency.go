package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// RequestKey names one request of a client: its Idempotency-Key, within the
// actor that sent it. The platform has zero ids.
type RequestKey struct {
	TeamID  uuid.UUID
	ActorID uuid.UUID
	Key     string
}

// RequestClaim is what a claimed key says.
type RequestClaim struct {
	Mine        bool      // this request runs now and must end in FinishRequest or ReleaseRequest
	ResourceID  uuid.UUID // Mine: the id to give to what the request creates, the same at every takeover
	Token       time.Time // Mine: proves to FinishRequest that nobody took over since
	Fingerprint []byte    // else: of the request that came first
	Status      int       // else: its answer's, or 0 while it runs
	Response    []byte    // else: its answer
}

// ClaimRequest claims k for a request with this fingerprint, in one statement.
// A key whose first request has been running for longer than abandoned counts
// as dead: the same request, and no other, takes it over.
func (s *Store) ClaimRequest(ctx context.Context, k RequestKey, fingerprint []byte, abandoned time.Duration) (RequestClaim, error) {
	c := RequestClaim{}
	err := s.inTeam(ctx, k.TeamID, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
INSERT INTO idempotency_keys AS i (team_id, actor_id, key, fingerprint, resource_id, created_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
ON CONFLICT (team_id, actor_id, key) DO UPDATE SET created_at = clock_timestamp()
WHERE i.status IS NULL AND i.fingerprint = excluded.fingerprint AND i.created_at < clock_timestamp() - $6::interval
RETURNING resource_id, created_at`, k.TeamID, k.ActorID, k.Key, fingerprint, newID(), abandoned).Scan(&c.ResourceID, &c.Token)
		if err == nil {
			c.Mine = true
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return tx.QueryRow(ctx, `
SELECT fingerprint, COALESCE(status, 0), response FROM idempotency_keys WHERE team_id = $1 AND actor_id = $2 AND key = $3`,
			k.TeamID, k.ActorID, k.Key).Scan(&c.Fingerprint, &c.Status, &c.Response)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return RequestClaim{Fingerprint: fingerprint}, nil // gone between the two statements: as if it were still running
	}
	if err != nil {
		return RequestClaim{}, fmt.Errorf("claim idempotency key: %w", err)
	}
	return c, nil
}

// FinishRequest keeps the answer of a claimed request for those that repeat
// it. It does nothing if another request has taken the key over.
func (s *Store) FinishRequest(ctx context.Context, k RequestKey, token time.Time, status int, response []byte) error {
	err := s.inTeam(ctx, k.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
UPDATE idempotency_keys SET status = $5, response = $6
WHERE team_id = $1 AND actor_id = $2 AND key = $3 AND created_at = $4 AND status IS NULL`,
			k.TeamID, k.ActorID, k.Key, token, status, response)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish idempotency key: %w", err)
	}
	return nil
}

// ReleaseRequest lets the same request run again at once, because its answer
// was a fault of ours. What it had created keeps its id.
func (s *Store) ReleaseRequest(ctx context.Context, k RequestKey, token time.Time) error {
	err := s.inTeam(ctx, k.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
UPDATE idempotency_keys SET created_at = clock_timestamp() - interval '1 hour'
WHERE team_id = $1 AND actor_id = $2 AND key = $3 AND created_at = $4 AND status IS NULL`, k.TeamID, k.ActorID, k.Key, token)
		return err
	})
	if err != nil {
		return fmt.Errorf("release idempotency key: %w", err)
	}
	return nil
}
