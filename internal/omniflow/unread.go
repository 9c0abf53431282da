package omniflow

// ViewingReads says whether a member who looks at a conversation in state s has
// read it by that: what is under "my" (UNR-02, UNR-05), but neither what others
// handle nor what is pending (UNR-03, UNR-06, D-UNR-1).
func ViewingReads(s ConversationState, r Relation) bool {
	view := ViewOf(s, r)
	return view == MyHandling || view == MyClosed
}

// Unread is how many of the customer's messages a member has not read: all
// there are, less those the member has seen or nobody need read any more.
func Unread(messages, seen, seenByAll int64) int64 {
	return max(messages-max(seen, seenByAll), 0)
}
