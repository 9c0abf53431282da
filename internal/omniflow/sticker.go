package omniflow

// CheckSticker says whether ch may be sent a sticker (STK-01): LINE its own
// official ones, WhatsApp those of an uploaded pack, which is a paid add-on
// (packs: the team has it). sticker_channel_unsupported, sticker_addon_required.
func CheckSticker(ch Channel, packs bool) *Refusal {
	switch {
	case ch == LINE, ch == WhatsApp && packs:
		return nil
	case ch == WhatsApp:
		return Refuse(StickerAddonRequired, "STK-01", "stickers on WhatsApp need the add-on and an uploaded pack")
	}
	r := Refuse(StickerUnsupported, "STK-01", "stickers can be sent on LINE and WhatsApp only")
	r.Channels = []Channel{ch}
	return r
}
