package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
	"omniflow/internal/media"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func migrate(ctx context.Context, dsn string) error {
	_, err := migrations.Up(ctx, dsn)
	return err
}

// fakeEngine stands in for Temporal: it keeps what it was asked.
type fakeEngine struct {
	mu      sync.Mutex
	starts  []temporalclient.OutboxStart
	updates []update
	signals []temporalclient.OutboxSignal
	err     error // of Start and Healthy
	refuse  error // of Update
}

type update struct {
	workflowID, id, name string
	in                   workflows.ControlInput
}

func (e *fakeEngine) Start(_ context.Context, s temporalclient.OutboxStart) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.starts = append(e.starts, s)
	return e.err
}

func (e *fakeEngine) Update(_ context.Context, workflowID, id, name string, in workflows.ControlInput) (workflows.ControlResult, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.updates = append(e.updates, update{workflowID, id, name, in})
	return workflows.ControlResult{Changed: true}, errors.Join(e.err, e.refuse)
}

func (e *fakeEngine) Signal(_ context.Context, s temporalclient.OutboxSignal) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.signals = append(e.signals, s)
	return e.err
}

func (e *fakeEngine) Healthy(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *fakeEngine) fail(start, update error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err, e.refuse = start, update
}

func (e *fakeEngine) calls() (starts []temporalclient.OutboxStart, updates []update) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(starts, e.starts...), append(updates, e.updates...)
}

// world is one API on one database.
type world struct {
	t        testing.TB
	s        *service
	engine   *fakeEngine
	store    *postgres.Store
	pool     *pgxpool.Pool // looks behind the API's back
	url      string
	handler  http.Handler
	platform string
	log      *logBuffer
}

// logBuffer keeps the log of a world.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dsn := postgrestest.New(t, migrate)
	store, err := postgres.Open(t.Context(), dsn, 8)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	ring, err := keyring.Parse(keyring.NewKey("k1"))
	require.NoError(t, err)
	tokens, err := keyring.ParseTokens(keyring.NewKey("j1"))
	require.NoError(t, err)
	w := &world{t: t, engine: &fakeEngine{}, store: store, pool: pool, log: &logBuffer{}}
	files, err := media.OpenStore(t.Context(), "file://"+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	w.s = newService(serviceInput{files: files, links: media.NewLinks("https://api.example.com", ring), store: store, engine: w.engine, keys: ring, tokens: tokens, webhooks: webhooks(),
		log: slog.New(slog.NewJSONHandler(w.log, nil)), registry: prometheus.NewRegistry(), codecOrigins: []string{"http://127.0.0.1:8233"}})
	w.handler = w.s.handler()
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.platform, err = tokens.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	return w
}

// in is the same world for a subtest.
func (w *world) in(t testing.TB) *world {
	other := *w
	other.t = t
	return &other
}

// reply is an answer of the API.
type reply struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   []byte
}

// into decodes the answer after checking its status.
func (r reply) into(status int, out any) {
	r.t.Helper()
	require.Equal(r.t, status, r.Status, "%s", r.Body)
	require.NoError(r.t, json.Unmarshal(r.Body, out), "%s", r.Body)
}

// problem checks that the answer is a problem with this status and code.
func (r reply) problem(status int, code string) Problem {
	r.t.Helper()
	var p Problem
	require.Equal(r.t, status, r.Status, "%s", r.Body)
	require.Equal(r.t, "application/problem+json", r.Header.Get("Content-Type"))
	require.NoError(r.t, json.Unmarshal(r.Body, &p), "%s", r.Body)
	require.Equal(r.t, code, string(p.Code), "%s", r.Body)
	require.Equal(r.t, status, p.Status)
	require.Equal(r.t, "about:blank", p.Type)
	require.NotEmpty(r.t, p.Title)
	require.NotEmpty(r.t, p.Detail)
	return p
}

// do asks: body is sent as it is when a string, []byte or io.Reader, else as JSON.
// headers are pairs.
func (w *world) do(method, path, token string, body any, headers ...string) reply {
	w.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case []byte:
		in = bytes.NewReader(b)
	case io.Reader: // of a length that nobody says
		in = b
	default:
		text, err := json.Marshal(b)
		require.NoError(w.t, err)
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, in)
	require.NoError(w.t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	return reply{t: w.t, Status: res.StatusCode, Header: res.Header, Body: text}
}

type m = map[string]any

// company is a team with one member a role, and tokens for each.
type company struct {
	w     *world
	id    string
	path  string
	admin string
	ids   map[string]string
	token map[string]string
}

func (w *world) company(plan string, roles ...string) *company {
	w.t.Helper()
	var team struct {
		TeamID string `json:"team_id"`
	}
	w.do("POST", "/v1/teams", w.platform, m{"name": "Shop", "plan": plan}).into(201, &team)
	c := &company{w: w, id: team.TeamID, path: "/v1/teams/" + team.TeamID, ids: m2(), token: m2()}
	for _, role := range append([]string{"administrator"}, roles...) {
		c.ids[role], c.token[role] = c.member(role)
	}
	c.admin = c.token["administrator"]
	return c
}

func m2() map[string]string { return map[string]string{} }

// member adds one more member and mints a token.
func (c *company) member(role string) (id, token string) {
	c.w.t.Helper()
	var member struct{ ID string }
	c.w.do("POST", c.path+"/members", c.w.platform, m{"name": "Member", "role": role}).into(201, &member)
	var minted struct{ Token string }
	c.w.do("POST", c.path+"/tokens", c.w.platform, m{"member_id": member.ID}).into(201, &minted)
	return member.ID, minted.Token
}

// account connects a channel account.
func (c *company) account(channel, externalID string, more m) string {
	c.w.t.Helper()
	body := m{"channel": channel, "name": "Account", "external_id": externalID,
		"secrets": m{"token": "t-" + externalID, "app_secret": "s-" + externalID, "verify_token": "v-" + externalID}}
	for k, v := range more {
		body[k] = v
	}
	var account struct{ ID string }
	c.w.do("POST", c.path+"/channel-accounts", c.admin, body).into(201, &account)
	return account.ID
}

// importFile imports a file and returns the report.
func (c *company) importFile(query, file string) importBody {
	c.w.t.Helper()
	var report importBody
	c.w.do("POST", c.path+"/imports"+query, c.admin, file, "Content-Type", "text/csv").into(200, &report)
	return report
}

// counts is the number of rows of every table.
func (w *world) counts() map[string]int {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	require.NoError(w.t, err)
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(w.t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(w.t, rows.Err())
	require.Greater(w.t, len(tables), 15)
	out := map[string]int{}
	for _, name := range tables {
		var n int
		require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM `+name).Scan(&n))
		out[name] = n
	}
	return out
}

// exec changes the database behind the API's back.
func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
}

// ids runs a query for one column of ids.
func (w *world) ids(sql string, args ...any) []uuid.UUID {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
	defer rows.Close()
	var out []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		require.NoError(w.t, rows.Scan(&id))
		out = append(out, id)
	}
	require.NoError(w.t, rows.Err())
	return out
}
