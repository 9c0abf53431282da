package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
)

func TestANewTokenLetsAStoppedAccountGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	id := accounts["facebook"]
	_, err := w.store.StopAccount(t.Context(), uuid.MustParse(c.id), uuid.MustParse(id), "190")
	require.NoError(t, err)
	body := m{"reason": "the page was connected again", "secrets": m{"token": "new token", "app_secret": "new secret"}}
	var account accountBody
	w.do("PUT", c.path+"/channel-accounts/"+id+"/secrets", c.admin, body).into(200, &account)
	require.Equal(t, "active", account.State)
	var sealed []byte
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT secrets FROM channel_accounts WHERE id = $1`, id).Scan(&sealed))
	plain, err := w.s.keys.Open(sealed, keyring.AccountSecrets(uuid.MustParse(id)))
	require.NoError(t, err)
	require.JSONEq(t, `{"token": "new token", "app_secret": "new secret"}`, string(plain))
	var reason string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT detail ->> 'reason' FROM audit_log WHERE action = 'account.secrets'`).Scan(&reason))
	require.Equal(t, "the page was connected again", reason)

	other, _ := w.shop()
	require.Equal(t, 404, w.do("PUT", other.path+"/channel-accounts/"+id+"/secrets", other.admin, body).Status)
}
