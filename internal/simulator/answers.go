package simulator

import (
	"fmt"
	"net/http"
)

// throttled is the provider's answer to too many requests.
func (a *account) throttled() reply {
	switch a.cfg.Channel {
	case WhatsApp:
		return withUsage(a, a.graphFail(graphError{status: 400, code: 130429, title: "Rate limit hit",
			details: "Cloud API message throughput has been reached."}), "whatsapp")
	case Facebook:
		return withUsage(a, a.graphFail(graphError{status: 400, code: 613,
			title: "Calls to this api have exceeded the rate limit."}), "messenger")
	case Instagram:
		return withUsage(a, a.graphFail(graphError{status: 400, code: 613, subcode: 2534040,
			title: "Calls to this api have exceeded the rate limit."}), "instagram")
	}
	return lineFail(http.StatusTooManyRequests, "The API rate limit has been exceeded. Try again later.")
}

// withUsage adds the usage headers, which are sent near and over a limit only.
func withUsage(a *account, rep reply, kind string) reply {
	object := a.cfg.ExternalID
	if a.cfg.Channel == WhatsApp && a.cfg.WABAID != "" {
		object = a.cfg.WABAID
	}
	rep.header = append(rep.header, [2]string{"x-business-use-case-usage", fmt.Sprintf(
		`{%q:[{"type":%q,"call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":0}]}`, object, kind)})
	return rep
}

// unavailable is the provider's 5xx answer. It does not tell whether the
// message was taken, so that Lost500 can be answered with it too.
func (a *account) unavailable() reply {
	switch a.cfg.Channel {
	case WhatsApp:
		return a.graphFail(graphError{status: 500, code: 131016, title: "Service unavailable",
			details: "A service is temporarily unavailable."})
	case Facebook, Instagram:
		return a.graphFail(graphError{status: 500, code: 2, transient: true,
			title: "An unexpected error has occurred. Please retry your request later."})
	}
	return lineFail(http.StatusInternalServerError, "Internal server error")
}

// stopped is the answer of an account that may not send at all.
func (a *account) stopped(code int) reply {
	if a.cfg.Channel == LINE {
		switch code {
		case http.StatusUnauthorized:
			return lineFail(code, lineBadToken)
		case http.StatusTooManyRequests:
			return lineFail(code, lineQuotaOver)
		}
		return lineFail(http.StatusForbidden, "Access to this API is not available for your account")
	}
	return a.graphFail(graphError{status: stopStatus(code), code: code, title: stopTitle(code),
		details: "Sending from this account is stopped."})
}

func stopStatus(code int) int {
	switch {
	case code == 0 || code == 102 || code == 190:
		return http.StatusUnauthorized
	case code == 10, code >= 200 && code < 300, code == 368, code == 131005, code == 131031:
		return http.StatusForbidden
	case code == 131045 || code == 131057:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func stopTitle(code int) string {
	switch code {
	case 10:
		return "Application does not have permission for this action"
	case 190:
		return "Error validating access token: the session has been invalidated"
	case 368:
		return "Temporarily blocked for policies violations"
	case 131031:
		return "Account has been locked"
	case 131042:
		return "Business eligibility payment issue"
	case 131048:
		return "Spam rate limit hit"
	}
	return "Sending is not possible"
}
