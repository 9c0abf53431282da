package omniflow

// The keys of section 26, in its order.
const (
	TextWAGroupCreating           TextKey = "wa_group_creating"            // MC-01
	TextWAGroupFailedLabel        TextKey = "wa_group_failed_label"        // MC-02
	TextWAGroupNotApproved        TextKey = "wa_group_not_approved"        // MC-03
	TextWAWindowClosed            TextKey = "wa_window_closed"             // MC-04
	TextFBNonPromotionalOnly      TextKey = "fb_non_promotional_only"      // MC-05
	TextFBWindowClosed            TextKey = "fb_window_closed"             // MC-06
	TextBroadcastWABAConflict     TextKey = "broadcast_waba_conflict"      // MC-07
	TextSavedReplyFileUnsupported TextKey = "saved_reply_file_unsupported" // MC-08
	TextSavedReplyBotUnsupported  TextKey = "saved_reply_bot_unsupported"  // MC-09
	TextSavedReplyBotDeleted      TextKey = "saved_reply_bot_deleted"      // MC-10
	TextBulkTransferUnsupported   TextKey = "bulk_transfer_unsupported"    // MC-11
	TextCollaboratorCannotClose   TextKey = "collaborator_cannot_close"    // MC-12
	TextLegacyConsoleUnsupported  TextKey = "legacy_console_unsupported"   // MC-13
	TextTagRepeatConfirm          TextKey = "tag_repeat_confirm"           // MC-14
	TextLINEMembersUnavailable    TextKey = "line_members_unavailable"     // MC-15
	TextConversationViewDenied    TextKey = "conversation_view_denied"     // MC-16
	TextLINEBrandMentioned        TextKey = "line_brand_mentioned"         // MC-17
	TextLINEMessageRecalled       TextKey = "line_message_recalled"        // MC-18
	TextWebchatCustomerOffline    TextKey = "webchat_customer_offline"     // MC-19
	TextConsoleReconnect          TextKey = "console_reconnect"            // MC-20
	TextShoppingViewProduct       TextKey = "shopping_view_product"        // MC-21
	TextLogCollabAdded            TextKey = "log_collab_added"             // LG-01
	TextLogCollabJoined           TextKey = "log_collab_joined"            // LG-02
	TextLogCollabRemovedOne       TextKey = "log_collab_removed_one"       // LG-03
	TextLogCollabRemovedMany      TextKey = "log_collab_removed_many"      // LG-04
	TextLogCollabLeft             TextKey = "log_collab_left"              // LG-05
	TextLogTakenOver              TextKey = "log_taken_over"               // LG-06
	TextLogTransferred            TextKey = "log_transferred"              // LG-07
	TextLogEnded                  TextKey = "log_ended"                    // LG-08
	TextLogReopened               TextKey = "log_reopened"                 // LG-09
	TextLogDeactivated            TextKey = "log_deactivated"              // LG-10
	TextSystemJoined              TextKey = "sys_joined"                   // SM-01
	TextSystemJoinedMany          TextKey = "sys_joined_many"              // SM-02
	TextSystemLeft                TextKey = "sys_left"                     // SM-03
	TextSystemLeftMany            TextKey = "sys_left_many"                // SM-04
	TextSystemFollower            TextKey = "sys_follower"                 // SM-05
	TextNotificationAdded         TextKey = "ntf_added"                    // NT-01
	TextNotificationRemoved       TextKey = "ntf_removed"                  // NT-02
	TextNotificationLeft          TextKey = "ntf_left"                     // NT-03
	TextNotificationTakenOver     TextKey = "ntf_taken_over"               // NT-04
	TextNotificationTransferred   TextKey = "ntf_transferred"              // NT-05
	TextNotificationEnded         TextKey = "ntf_ended"                    // NT-06
)

// catalogue is section 26, verbatim. MC-20 also names its button 重新連線.
var catalogue = map[TextKey]string{
	TextWAGroupCreating:           "建立中",                                                // 000:79
	TextWAGroupFailedLabel:        "建立失敗",                                               // 000:97
	TextWAGroupNotApproved:        "無法傳送訊息，群組未通過審核",                                     // 000:102
	TextWAWindowClosed:            "無法傳送訊息，此用戶的訊息已超過 24 小時",                             // 000:93
	TextFBNonPromotionalOnly:      "此用戶的訊息已超過24小時,只能傳送 「非推廣性質」 的訊息",                     // 001:1060
	TextFBWindowClosed:            "無法傳送訊息,你已經超過Facebook的對話限制(客人最後一個訊息後7天內可傳送非推廣興致的訊息)", // 001:1157
	TextBroadcastWABAConflict:     "請重新選擇對話事件。訊息範本僅支援發送相同WhatsApp商業帳號的顧客",               // 002:52; 001:833
	TextSavedReplyFileUnsupported: "目標渠道不支援發送含有檔案類型的預存回覆",                               // 001:496
	TextSavedReplyBotUnsupported:  "目標渠道不支援發送此類型的機器人模組",                                 // 001:520
	TextSavedReplyBotDeleted:      "此預存回覆的機器人模組已被刪除",                                    // 001:522
	TextBulkTransferUnsupported:   "協作對話、群組對話無法批量移轉",                                    // 001:1331
	TextCollaboratorCannotClose:   "協作者無法結束對話",                                          // 001:1357
	TextLegacyConsoleUnsupported:  "舊版對話不支援協作功能,請到對話 2.0 繼續使用。",                         // 001:1493
	TextTagRepeatConfirm:          "要再次貼上此標籤嗎?",                                         // 001:311
	TextLINEMembersUnavailable:    "現有 LINE 方案不支援取得群組成員資料,請先向 LINE 進行驗證或升級為高級帳戶",        // 001:1978
	TextConversationViewDenied:    "沒有權限查看此顧客對話",                                        // 001:1926
	TextLINEBrandMentioned:        "您已被標註",                                              // 001:1936
	TextLINEMessageRecalled:       "已收回一則訊息",                                            // 001:1790
	TextWebchatCustomerOffline:    "用戶已離線",                                              // 001:267
	TextConsoleReconnect:          "請嘗試重新連線",                                            // 001:1142,1169
	TextShoppingViewProduct:       "View Product 查看商品",                                  // 001:654
	TextLogCollabAdded:            "{actor} 將 {m1}、{m2} 加入了協作對話。",                       // 001:1221
	TextLogCollabJoined:           "{actor} 加入了協作對話。",                                   // 001:1243
	TextLogCollabRemovedOne:       "{m1} 退出了協作對話。",                                      // 001:1265
	TextLogCollabRemovedMany:      "{actor} 將 {m1}、{m2} 退出了協作對話。",                       // 001:1267
	TextLogCollabLeft:             "{actor} 退出了協作對話。",                                   // 001:1279
	TextLogTakenOver:              "{actor} 接手跟進了 {former} 的對話。",                        // 001:1299
	TextLogTransferred:            "{actor} 將對話轉給了 {receiver}。",                         // 001:1321
	TextLogEnded:                  "{actor} 結束了對話。",                                     // 001:1347
	TextLogReopened:               "{actor} 重啟了對話。",                                     // 001:1377
	TextLogDeactivated:            "{actor} (停用者) 將 {member} 退出協作對話。",                   // 001:1479
	TextSystemJoined:              "{m1} 加入了協作對話。",                                      // 001:1225,1245
	TextSystemJoinedMany:          "{m1} 與其他 {n} 人加入了協作對話。",                             // 001:1227
	TextSystemLeft:                "{m1} 退出了協作對話。",                                      // 001:1281,1517
	TextSystemLeftMany:            "{m1} 與其他 {n} 人退出了協作對話。",                             // 001:1519
	TextSystemFollower:            "{m1} 跟進了對話。",                                        // 001:1301,1323
	TextNotificationAdded:         "{actor} ({role}) 將你加入 {follower} 的協作對話。",            // 001:1509
	TextNotificationRemoved:       "{actor} ({role}) 將你退出 {customer} 的協作對話。",            // 001:1521
	TextNotificationLeft:          "已退出 {customer} 的協作對話。",                              // 001:1283
	TextNotificationTakenOver:     "{actor} ({role}) 已接手 {n} 個你的對話。",                    // 001:1303
	TextNotificationTransferred:   "{actor} ({role}) 已將 {n} 個對話移轉給你。",                   // 001:1325
	TextNotificationEnded:         "{actor} 已將對話結束。",                                    // 001:1351
}
