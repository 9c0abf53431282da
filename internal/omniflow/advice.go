package omniflow

import (
	"strconv"
	"strings"
)

// laneAdvice is what to do about the reasons for which we stop a lane.
var laneAdvice = map[Code]string{
	FailureRate:          "look at who failed and why (recipients by state failed), mend the cause, then resume; the count begins anew",
	TemplatePaused:       "WhatsApp paused the template: mend it in WhatsApp Manager and resume once it is approved again, or retry the rest with another template (scope rest)",
	TemplateInvalid:      "WhatsApp does not know the template in this language, or takes it no more: check it in WhatsApp Manager and resume, or retry the rest with another template (scope rest)",
	MediaRejected:        "the provider refuses a file of the broadcast: cancel it and start one with a file of another format or size",
	MediaLinkUnavailable: "the provider must fetch the file from us: set a public address (OMNIFLOW_PUBLIC_URL) and a store of files (OMNIFLOW_BLOB_URL), then resume",
	QuotaExhausted:       "the account's quota of this month is used up: buy more in LINE Official Account Manager or wait for the next month, then resume",
	AccountStopped:       "the provider stopped the account: look at its stop code, mend the cause, then resume",
}

// What to do about the provider codes that stop an account, where several say
// the same.
const (
	adviceToken       = "the token is expired or revoked: make a new one at the provider, store it as the account's secrets, then resume"
	advicePermission  = "the app lacks a permission for this account: grant it in Meta Business Suite (an administrator must connect again), then resume"
	adviceRestricted  = "Meta restricted the account: read the reason in Meta Business Suite or Account Quality, appeal or wait, then resume"
	adviceRegister    = "the number is not registered for the API: register it again in WhatsApp Manager (two-step PIN), then resume"
	adviceIdentifier  = "the provider does not know the account's external_id, or the token may not see it: correct one of the two, then resume"
	adviceNotLive     = "the app is in development mode: switch it to live in the app dashboard, then resume"
	adviceConnectPage = "the Instagram account and its page are not connected as they must be: connect them in Meta Business Suite, then resume"
	adviceAnything    = "look the code up in the provider's documentation, mend the cause, then resume"
)

// metaAdvice is keyed like the error tables of the three channels of Meta; a
// code alone also speaks for its subcodes. Source: whatsapp.md section 5.6,
// messenger.md section 5, instagram.md section 5.
var metaAdvice = map[string]string{
	"0": adviceToken, "102": adviceToken, "190": adviceToken, "token": adviceToken,
	"3": advicePermission, "10": advicePermission, "200": advicePermission, "131005": advicePermission,
	"33": adviceIdentifier, "100": adviceIdentifier, // as a stop, 100 is about the id in the path
	"368": adviceRestricted, "131031": adviceRestricted, "10/1893063": adviceRestricted, "100/2534029": adviceRestricted,
	"2534122": adviceRestricted, "36103": adviceRestricted, "2022": adviceRestricted, "2/2018344": adviceRestricted, "10303": adviceRestricted,
	"131037": "the number's display name waits for approval: see WhatsApp Manager, then resume",
	"131042": "Meta cannot charge the business: mend the payment method in Meta Business Suite, then resume",
	"134011": "the payment terms are not accepted: accept them in Meta Business Suite, then resume",
	"131045": adviceRegister, "133000": adviceRegister, "133005": adviceRegister, "133006": adviceRegister, "133008": adviceRegister,
	"133009": adviceRegister, "133010": adviceRegister, "133015": adviceRegister, "133016": adviceRegister,
	"131048":     "too many customers blocked or reported the number: wait some hours, send less and to fewer, then resume",
	"131063":     "marketing templates may not go through this API: have them allowed for the account in WhatsApp Manager, then resume",
	"131064":     "Meta restricted the account's templates for a time: wait until that has ended (WhatsApp Manager says when), then resume",
	"134102":     "the provider's marketing service is unavailable to the account: wait, then resume",
	"131215":     "the number may not use groups: see the conditions in WhatsApp Manager, then resume",
	"10/2534077": adviceConnectPage, "100/2534013": adviceConnectPage,
	"200/2534041": "the owner of the Instagram account has switched off access to messages: switch it on in the Instagram app's settings, then resume",
	"200/2018021": adviceNotLive, "200/2018027": adviceNotLive, "200/2018028": adviceNotLive,
}

// lineAdvice is keyed by HTTP status, LINE's only code.
var lineAdvice = map[string]string{
	"401": adviceToken, "token": adviceToken,
	"403": "the channel's plan does not include this call: change it in LINE Official Account Manager, then resume",
	"429": laneAdvice[QuotaExhausted],
}

// Advice is the next step of a person whose lane or account on ch was stopped
// with code: ours, or the provider's. "" for no code.
func Advice(ch Channel, code string) string {
	if code == "" {
		return ""
	}
	if advice, ok := laneAdvice[Code(code)]; ok {
		return advice
	}
	table := metaAdvice
	if ch == LINE {
		table = lineAdvice
	}
	main, _, _ := strings.Cut(code, "/")
	for _, key := range []string{code, main} {
		if advice, ok := table[key]; ok {
			return advice
		}
	}
	if n, err := strconv.Atoi(main); err == nil && n >= 200 && n <= 299 && ch != LINE {
		return advicePermission
	}
	return adviceAnything
}

// Advised says whether Advice knows code, and does not only send people to the
// provider's documentation.
func Advised(ch Channel, code string) bool { return code != "" && Advice(ch, code) != adviceAnything }
