package omniflow

// Short names of the cells, so that the table below reads like the one of the
// specification.
const (
	no = Refused
	ys = Allowed
	fo = IfFollower
	co = IfCollaborator
	fc = IfFollower | IfCollaborator
)

// permissions is ROL-05. Columns: administrator, supervisor, cs_manager,
// cs_agent, marketing_cs, marketing, sales_manager, sales_staff.
var permissions = map[Action]permission{
	UseWhatsAppGroups:          {grants: [...]Grant{ys, ys, ys, ys, ys, no, no, no}, source: "000:28-33,108"},
	ChangeWhatsAppGroupMembers: {grants: [...]Grant{fo, fo, fo, fo, fo, no, no, no}, source: "000:112"},
	FollowWhatsAppGroup:        {grants: [...]Grant{ys, ys, ys, no, ys, no, no, no}, source: "000:123"},
	ReopenWhatsAppGroup:        {grants: [...]Grant{ys, ys, ys, fo, ys, no, no, no}, source: "000:123"},
	TransferOrEndWhatsAppGroup: {grants: [...]Grant{fo, fo, fo, fo, fo, no, no, no}, source: "000:123"},
	ReceiveWhatsAppGroup:       {grants: [...]Grant{ys, ys, ys, ys, ys, no, no, no}, source: "000:123; D-ROL-1"},
	UseLINEGroups:              {grants: [...]Grant{ys, ys, ys, ys, no, no, no, no}, source: "001:1600"},
	FollowPendingLINEGroup:     {grants: [...]Grant{ys, ys, ys, ys, no, no, no, no}, source: "001:1852"},
	FollowTeamLINEGroup:        {grants: [...]Grant{ys, ys, ys, no, no, no, no, no}, source: "001:1972"},
	TransferLINEGroup:          {grants: [...]Grant{fo, fo, fo, fo, no, no, no, no}, source: "001:1858-1862"},
	EndPendingLINEGroup:        {grants: [...]Grant{ys, ys, ys, ys, no, no, no, no}, source: "001:1872"},
	EndHandlingLINEGroup:       {grants: [...]Grant{fo, fo, fo, fo, no, no, no, no}, source: "001:1874"},
	ReopenMyLINEGroup:          {grants: [...]Grant{fo, fo, fo, fo, no, no, no, no}, source: "001:1884-1886"},
	ReopenTeamLINEGroup:        {grants: [...]Grant{ys, ys, ys, no, no, no, no, no}, source: "001:1884-1886"},
	BulkTransfer:               {grants: [...]Grant{ys, ys, no, ys, no, no, ys, ys}, source: "001:390; X-05"},
	DeleteOrBlacklist:          {grants: [...]Grant{ys, ys, no, no, no, no, no, no}, source: "001:297; 003:91"},
	AddCollaborators:           {grants: [...]Grant{fc, fc, fc, fo, fc, fo, fo, fo}, source: "001:1201-1207,1497", refusal: PermissionDenied},
	JoinCollaboration:          {grants: [...]Grant{ys, ys, ys, no, ys, no, no, no}, source: "001:1235-1239,1511"},
	RemoveCollaborators:        {grants: [...]Grant{ys, ys, ys, fo, ys, fo, fo, fo}, source: "001:1253-1259,1513-1515", refusal: PermissionDenied},
	TakeOverCollaboration:      {grants: [...]Grant{co, co, co, no, co, no, no, no}, source: "001:1289-1295,1523"},
	ReopenTeamCollaboration:    {grants: [...]Grant{ys, ys, ys, no, ys, no, no, no}, source: "001:1371; D-ROL-2"},
	Broadcast:                  {grants: [...]Grant{no, no, no, no, no, no, ys, ys}, source: "002:8; 001:799"},
	ViewTeamCustomerList:       {grants: [...]Grant{no, no, no, no, no, no, ys, no}, source: "004:118-127"},
	ExportConversation:         {grants: [...]Grant{ys, no, no, no, no, no, no, no}, source: "001:289"},
	UnbindCustomer:             {grants: [...]Grant{ys, ys, no, no, no, no, ys, ys}, source: "001:305"},
	BatchTag:                   {grants: [...]Grant{ys, ys, ys, no, no, ys, no, no}, source: "003:135"},
	ViewSalesStatistics:        {grants: [...]Grant{ys, ys, ys, no, no, no, no, no}, source: "003:148"},
	ManageSavedReplies:         {grants: [...]Grant{ys, ys, ys, ys, ys, ys, ys, ys}, source: "004:71-80; RPL-20"},
	EndPendingConversation:     {grants: [...]Grant{ys, ys, ys, ys, ys, no, ys, ys}, source: "D-CNV-2"},
}
