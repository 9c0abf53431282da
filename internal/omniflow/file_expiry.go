package omniflow

import "time"

// FileExpires says whether a file that went out on ch can be downloaded for a
// time only: one sent one-to-one on LINE, and neither one of a broadcast nor
// one of a saved reply (FIL-05, BRD-16).
func FileExpires(ch Channel, typ ConversationType, kind MessageKind, broadcast, savedReply bool) bool {
	return ch == LINE && typ == OneToOne && kind == File && !broadcast && !savedReply
}

// FileExpiry is when a file uploaded at the given time can no longer be
// downloaded: 30 days after the next midnight of UTC, at which itself it
// counts as uploaded then (FIL-06, FIL-07, D-FIL-1).
func FileExpiry(uploaded time.Time) time.Time {
	day := uploaded.UTC().Truncate(24 * time.Hour)
	if day.Before(uploaded) {
		day = day.Add(24 * time.Hour)
	}
	return day.Add(LINEFileLife)
}
