package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"omniflow/internal/postgres"
)

// exportPage is how many rows of an export are read at once: its memory does
// not grow with the broadcast.
const exportPage = 2000

func (s *service) addExport() {
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts/{id}/recipients.csv", id: "export-recipients", access: memberOnly,
		summary: "Export what became of each recipient, as CSV"}, s.exportRecipients)
}

// exportRecipients streams the rows of a broadcast as they are while they are
// read. An export that breaks ends its connection: half a file is no file.
func (s *service) exportRecipients(ctx context.Context, in *BroadcastPath) (*huma.StreamResponse, error) {
	who := identityOf(ctx)
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	q := postgres.RecipientQuery{TeamID: who.TeamID, BroadcastID: in.ID, AfterSeq: -1, Limit: exportPage}
	first, err := s.store.ListRecipients(ctx, q)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="broadcast-`+in.ID.String()+`.csv"`)
		if err := s.export(r.Context(), w, q, first); err != nil {
			if r.Context().Err() == nil {
				s.log.WarnContext(r.Context(), "export ended", "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (s *service) export(ctx context.Context, w http.ResponseWriter, q postgres.RecipientQuery, page []postgres.BroadcastRecipient) error {
	control := http.NewResponseController(w)
	if _, err := w.Write([]byte("\ufeff")); err != nil { // spreadsheets take it for UTF-8 then
		return fmt.Errorf("write export: %w", err)
	}
	out := csv.NewWriter(w)
	err := out.Write([]string{"customer_id", "channel", "state", "code", "attempts", "sent_at", "received_at", "read_at", "provider_id", "conversation_id"})
	for err == nil {
		for _, r := range page {
			if err = out.Write(exportRow(r)); err != nil {
				return fmt.Errorf("write export: %w", err)
			}
		}
		// A connection without deadlines needs none.
		_ = control.SetWriteDeadline(time.Now().Add(answerBudget))
		if out.Flush(); out.Error() != nil || len(page) < q.Limit {
			return out.Error()
		}
		last := page[len(page)-1]
		q.AfterAccount, q.AfterSeq = last.ChannelAccountID, last.Seq
		page, err = s.store.ListRecipients(ctx, q)
	}
	return err
}

// exportRow is one line. A new column comes last: who reads by place reads on.
func exportRow(r postgres.BroadcastRecipient) []string {
	return []string{plainCell(r.CustomerID), string(r.Channel), string(r.State), plainCell(r.Code), strconv.Itoa(r.Attempt),
		timeCell(r.SentAt), timeCell(r.ReceivedAt), timeCell(r.ReadAt), plainCell(r.ProviderID), r.ConversationID.String()}
}

// plainCell keeps a spreadsheet from taking a text for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
