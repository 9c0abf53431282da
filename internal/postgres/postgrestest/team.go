package postgrestest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// Team is a team in a migrated database: one member who may broadcast and one
// account on each of the four channels, without customers.
type Team struct {
	ID      uuid.UUID
	Member  uuid.UUID            // sales_staff
	Account map[string]uuid.UUID // by channel; ExternalID gives the provider's id

	t    testing.TB
	pool *pgxpool.Pool
}

// NewTeam makes a team in the database at dsn. Accounts have 80 messages a
// second and empty secrets.
func NewTeam(t testing.TB, dsn string) *Team {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	team := &Team{ID: newID(), Member: newID(), Account: map[string]uuid.UUID{}, t: t, pool: pool}
	team.Exec(`INSERT INTO teams (team_id, name, plan, reconcile_after) VALUES ($1, 'team', 'omo', '1 minute')`, team.ID)
	team.Exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, 'Jess', 'sales_staff')`, team.Member, team.ID)
	for channel, limiter := range map[string]string{"line": "multicast", "facebook": "messages", "instagram": "messages", "whatsapp": "messages"} {
		id := newID()
		team.Account[channel] = id
		team.Exec(`INSERT INTO channel_accounts (id, team_id, channel, name, external_id, secrets) VALUES ($1, $2, $3, 'a', $4, '')`,
			id, team.ID, channel, ExternalID(channel, id))
		team.Exec(`INSERT INTO limiters (channel_account_id, name, team_id, limit_per_second, rate) VALUES ($1, $2, $3, 80, 80)`,
			id, limiter, team.ID)
	}
	return team
}

// ExternalID is the provider's id of an account: digits, for LINE U and 32
// hexadecimal digits.
func ExternalID(channel string, account uuid.UUID) string {
	if channel == "line" {
		return "U" + hex.EncodeToString(account[:])
	}
	return strconv.FormatUint(binary.BigEndian.Uint64(account[8:])>>1, 10)
}

// Exec runs one statement as the owner of the database.
func (team *Team) Exec(sql string, args ...any) {
	team.t.Helper()
	_, err := team.pool.Exec(team.t.Context(), sql, args...)
	require.NoError(team.t, err)
}

// Scan reads one value as the owner of the database.
func (team *Team) Scan(dest any, sql string, args ...any) {
	team.t.Helper()
	require.NoError(team.t, team.pool.QueryRow(team.t.Context(), sql, args...).Scan(dest))
}

// Customers adds n conversations on a channel, followed by the member, whose
// customers wrote about an hour ago, the first one longest ago.
func (team *Team) Customers(channel string, n int) []uuid.UUID {
	team.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range n {
		ids[i] = team.Customer(channel, Recipient(channel, i), time.Hour-time.Duration(i)*time.Millisecond)
	}
	return ids
}

// Recipient is the provider's user id of the n-th of Customers.
func Recipient(channel string, n int) string {
	switch channel {
	case "line":
		return fmt.Sprintf("U%032x", n)
	case "whatsapp":
		return fmt.Sprintf("8869%08d", n)
	}
	return fmt.Sprintf("70%010d", n)
}

// Customer adds one conversation whose customer has been silent for so long.
func (team *Team) Customer(channel, recipient string, silent time.Duration) uuid.UUID {
	team.t.Helper()
	contact, identity, conversation := newID(), newID(), newID()
	team.Exec(`INSERT INTO contacts (id, team_id, customer_id) VALUES ($1, $2, $3)`, contact, team.ID, channel+"/"+recipient)
	team.Exec(`INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id) VALUES ($1, $2, $3, $4, $5)`,
		identity, team.ID, contact, team.Account[channel], recipient)
	team.Exec(`INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, last_customer_message_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'handling', $7, now() - $8::interval)`,
		conversation, team.ID, contact, identity, team.Account[channel], channel, team.Member, silent)
	return conversation
}

// Broadcast adds an accepted broadcast of the given request (JSON).
func (team *Team) Broadcast(request []byte) uuid.UUID {
	team.t.Helper()
	id := newID()
	team.Exec(`INSERT INTO broadcasts (id, team_id, actor_id, kind, client, request, workflow_id) VALUES ($1, $2, $3, 'broadcast_message', 'web', $4, $5)`,
		id, team.ID, team.Member, request, id.String())
	return id
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
