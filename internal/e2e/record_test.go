package e2e_test

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/temporalserver"
)

var recordFlag = flag.Bool("record", false, "record the histories of workflows/testdata anew")

// scene is one broadcast whose histories are kept.
type scene struct {
	name   string
	crowds []crowd
	before func(m *team)                   // the broadcast
	send   func(m *team, name string) *run // nil is a text, at once
	during func(r *run)
}

// scenes are the ways through the workflows that open runs may be in when a
// new version of them is rolled out.
var scenes = []scene{
	{name: "happy", crowds: []crowd{{channel: "whatsapp", customers: 40}, {channel: "line", customers: 40}}},
	{name: "steered", crowds: []crowd{{channel: "whatsapp", customers: 240, rate: 80}}, during: func(r *run) {
		r.takenAtLeast(60, 20*time.Second)
		r.order(apiclient.Pause, "lunch")
		r.order(apiclient.Resume, "lunch is over")
		_, err := r.member.SetRate(r.t.Context(), r.id, r.account("whatsapp").ID, 60, "slower")
		require.NoError(r.t, err)
	}},
	{name: "cancelled", crowds: []crowd{{channel: "facebook", customers: 200, rate: 40}}, during: func(r *run) {
		r.takenAtLeast(40, 20*time.Second)
		r.order(apiclient.Cancel, "wrong text")
	}},
	{name: "unknown", crowds: []crowd{{channel: "instagram", customers: 30}}, before: func(m *team) {
		m.loseAnswers()
		m.webhooks(m.account("instagram"), func(h *simulator.Webhooks) { h.Disabled = true })
	}, during: func(r *run) {
		r.waitFor(20*time.Second, "unknown outcomes", func(b apiclient.Broadcast) bool { return handedOver(b) && b.Counts.Unknown == len(lostAnswers) })
		r.pass(4 * time.Second) // the lane looks again and again
		r.webhooks(r.account("instagram"), func(*simulator.Webhooks) {})
	}},
	{name: "scheduled", crowds: []crowd{{channel: "facebook", customers: 30}}, send: func(m *team, name string) *run {
		start := time.Now().Add(3 * time.Second)
		b, contents := textBroadcast(name, 1)
		b.StartAt = &start
		return m.startBroadcast(b, contents)
	}},
	{name: "file", crowds: []crowd{{channel: "whatsapp", customers: 30}}, send: func(m *team, name string) *run {
		var picture bytes.Buffer
		require.NoError(m.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))))
		media, err := m.member.UploadMedia(m.t.Context(), "sale.png", picture.Bytes())
		require.NoError(m.t, err)
		b, _ := textBroadcast(name, 1)
		b.Messages = []apiclient.Content{{Kind: "image", MediaID: media.ID}}
		return m.startBroadcast(b, nil)
	}},
}

// files are where the histories of a scene are kept: the broadcast's and one a lane.
func (s scene) files() []string {
	names := []string{"SendBroadcast-" + s.name + ".json"}
	for _, c := range s.crowds {
		names = append(names, "SendLane-"+s.name+"-"+c.channel+".json")
	}
	return names
}

// TestRecordHistories records with -record, and otherwise fails unless every
// history is there, and no other.
func TestRecordHistories(t *testing.T) {
	t.Parallel()
	root, err := temporalserver.Root(".")
	require.NoError(t, err)
	dir := filepath.Join(root, "workflows", "testdata", "histories")
	var want []string
	for _, s := range scenes {
		want = append(want, s.files()...)
	}
	if *recordFlag {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		w := newWorld(t, 1)
		for _, s := range scenes {
			w.record(s, dir)
		}
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	require.Equal(t, want, got, "run `make histories`")
}

// record plays a scene and keeps its histories.
func (w *world) record(s scene, dir string) {
	w.t.Helper()
	m := w.newTeam("prove", 4*reconcileAfter, s.crowds...)
	if s.before != nil {
		s.before(m)
	}
	send := s.send
	if send == nil {
		send = (*team).broadcast
	}
	r := send(m, s.name)
	if s.during != nil {
		s.during(r)
	}
	r.wait(time.Minute)
	r.judge()
	c, files := w.engine(), s.files()
	ids := []string{r.workflowID}
	for _, crowd := range s.crowds {
		ids = append(ids, r.workflowID+"/"+m.account(crowd.channel).ID)
	}
	for i, id := range ids {
		run := c.GetWorkflow(w.t.Context(), id, "")
		require.NoError(w.t, run.Get(w.t.Context(), nil))
		require.NoError(w.t, os.WriteFile(filepath.Join(dir, files[i]), w.plain(w.history(c, id)), 0o644))
	}
}
