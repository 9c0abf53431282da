package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		code string
		part string
	}{
		{"an expired token", WhatsApp, "190", "new one"},
		{"a subcode is spoken for by its code", Facebook, "190/463", "new one"},
		{"a subcode with advice of its own", Facebook, "10/1893063", "restricted"},
		{"the rest of that code", Facebook, "10/1404170", "permission"},
		{"the range of permissions", WhatsApp, "230", "permission"},
		{"access switched off", Instagram, "200/2534041", "switch it on"},
		{"LINE's status is no code of Meta's", LINE, "200", "look the code up"},
		{"LINE's quota", LINE, "429", "this month"},
		{"our own reason", WhatsApp, string(FailureRate), "who failed"},
		{"a paused template", WhatsApp, string(TemplatePaused), "another template"},
		{"a code that nobody knows", WhatsApp, "987654", "look the code up"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, Advice(test.ch, test.code), test.part)
			require.Equal(t, test.part != "look the code up", Advised(test.ch, test.code))
		})
	}
	require.Empty(t, Advice(WhatsApp, ""))
	require.False(t, Advised(WhatsApp, ""))
}
