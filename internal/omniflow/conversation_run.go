package omniflow

import "github.com/google/uuid"

// ServeConversationRun is the workflow of one open conversation: its sends in
// order, its waiting badge and its ending (design section 7).
const ServeConversationRun = "ServeConversation"

// ConversationRef names a conversation to its run: ids only (SYS-12).
type ConversationRef struct {
	TeamID         uuid.UUID `json:"team_id"`
	ConversationID uuid.UUID `json:"conversation_id"`
}

// ServeConversationID is the workflow id of a conversation:
// "conversation/{team}/{conversation}".
func ServeConversationID(teamID, conversationID uuid.UUID) string {
	return "conversation/" + teamID.String() + "/" + conversationID.String()
}

// Origin is why a message outside every broadcast is sent.
type Origin string

// The origins. Only an agent's message is a human reply (D-WTG-3, D-CLS-4).
const (
	OriginAgent     Origin = "agent"
	OriginAutoReply Origin = "auto_reply"
	OriginReminder  Origin = "reminder"
	OriginSurvey    Origin = "survey"
)
