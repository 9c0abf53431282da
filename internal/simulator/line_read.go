package simulator

import (
	"net/http"
)

// lineRead is a GET endpoint: ask runs under the account's lock and sees the
// {user} of the path.
func (s *Server) lineRead(ask func(a *account, user string) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, refused := s.lineAccount(r)
		if refused != nil {
			s.write(w, r, *refused)
			return
		}
		a.mu.Lock()
		rep := a.throttled()
		if a.arrive("GET " + r.Pattern[len("GET /line/v2/bot/"):]) {
			rep = ask(a, r.PathValue("user"))
		}
		a.mu.Unlock()
		s.write(w, r, rep)
	}
}

func lineQuota(a *account, _ string) reply {
	if a.cfg.Quota == 0 {
		return lineReply(http.StatusOK, map[string]string{"type": "none"})
	}
	return lineReply(http.StatusOK, struct {
		Type  string `json:"type"`
		Value int    `json:"value"`
	}{"limited", a.cfg.Quota})
}

func lineConsumption(a *account, _ string) reply {
	return lineReply(http.StatusOK, map[string]int{"totalUsage": a.quotaUsed})
}

func lineInfo(a *account, _ string) reply {
	return lineReply(http.StatusOK, map[string]string{
		"userId": a.cfg.ExternalID, "basicId": "@sim" + a.cfg.ExternalID[1:8],
		"displayName": "Simulated account", "chatMode": "bot", "markAsReadMode": "auto",
	})
}

func lineProfile(a *account, user string) reply {
	if !validLINEUser(user) {
		return lineFail(http.StatusBadRequest, "The value for the 'userId' parameter is invalid")
	}
	if a.stateOf(a.person(user)) != UserOK {
		return lineFail(http.StatusNotFound, "Not found")
	}
	return lineReply(http.StatusOK, map[string]string{
		"userId": user, "displayName": "User " + user[1:7], "language": "zh-TW",
	})
}
