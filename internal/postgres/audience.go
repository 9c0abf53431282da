package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// judgedAudience is who a broadcast is for and what becomes of each: CTEs that
// end with judged (id, channel_account_id, channel, external_id, parts, pieces,
// name of the customer, place in the lane, code: "" may be sent to). The plan inserts it and the
// preflight reads it, so that they cannot differ. Whose window closes first
// goes first. One identity that is reached through two accounts of a channel is
// a duplicate but once: where it may be sent to, else where it wrote last.
func judgedAudience(a omniflow.Audience) string {
	who := filteredAudience
	if a.Bound {
		who = boundAudience
	}
	if len(a.ConversationIDs) > 0 {
		who = namedAudience
	}
	return `
rules AS (
  SELECT * FROM unnest(@rule_channels::text[], @rule_parts::smallint[], @rule_pieces::smallint[], @rule_windows::interval[], @rule_codes::text[])
    AS r(channel, parts, pieces, max_age, code)
), found AS (
  SELECT c.id, c.channel_account_id, c.channel, c.last_customer_message_at, i.external_id, k.name, r.parts, r.pieces, CASE
      ` + refusedWhen(a) + ` ELSE '' END AS code
  FROM conversations c JOIN channel_identities i ON i.id = c.channel_identity_id JOIN contacts k ON k.id = c.contact_id
  JOIN rules r ON r.channel = c.channel
  WHERE ` + who + `
), judged AS (
  SELECT id, channel_account_id, channel, external_id, name, parts, pieces,
    row_number() OVER (PARTITION BY channel_account_id ORDER BY last_customer_message_at NULLS LAST, id) - 1 AS place,
    CASE WHEN code = '' AND row_number() OVER (PARTITION BY channel, external_id
      ORDER BY code <> '', last_customer_message_at DESC NULLS LAST, id) > 1 THEN 'duplicate' ELSE code END AS code
  FROM found
)`
}

// refusedWhen are the cases in which a recipient of conversation c, identity i
// and rule r is not sent to, each with its reason.
func refusedWhen(a omniflow.Audience) string {
	lost := `c.state <> 'handling' OR c.follower_id IS DISTINCT FROM @actor_id THEN 'no_longer_handling'`
	if a.Bound {
		lost = `NOT (` + boundToActor + `) THEN 'no_longer_bound'`
	}
	return `WHEN c.type <> 'one_to_one' OR ` + lost + `
      WHEN i.blocked_at IS NOT NULL THEN 'customer_blocked'
      WHEN r.max_age > interval '0' AND COALESCE(c.last_customer_message_at, '-infinity') < now() - r.max_age THEN r.code`
}

// filteredAudience selects from "my handling" what every filter lets through.
const filteredAudience = `c.team_id = @team_id AND c.type = 'one_to_one' AND c.follower_id = @actor_id AND c.state = 'handling'
    AND (cardinality(@channels::text[]) = 0 OR c.channel = ANY(@channels)) AND (cardinality(@tags::text[]) = 0 OR k.tags && @tags)
    AND (cardinality(@stores::text[]) = 0 OR k.store = ANY(@stores))`

// boundToActor says whether the customer of conversation c is bound to the actor.
const boundToActor = `EXISTS (SELECT FROM contact_bindings b WHERE b.member_id = @actor_id AND b.contact_id = c.contact_id AND b.team_id = @team_id)`

// boundAudience selects from the customers bound to the actor, whatever the
// state of their conversations (D-BRD-4): of several on the channel, the one in
// which the customer wrote last.
const boundAudience = `c.team_id = @team_id AND c.type = 'one_to_one'
    AND c.contact_id IN (SELECT b.contact_id FROM contact_bindings b WHERE b.member_id = @actor_id AND b.team_id = @team_id)
    AND (cardinality(@channels::text[]) = 0 OR c.channel = ANY(@channels))
    AND EXISTS (SELECT FROM contacts p WHERE p.id = c.contact_id
      AND (cardinality(@tags::text[]) = 0 OR p.tags && @tags) AND (cardinality(@stores::text[]) = 0 OR p.store = ANY(@stores)))
    AND NOT EXISTS (SELECT FROM conversations o WHERE o.contact_id = c.contact_id AND o.channel = c.channel AND o.type = 'one_to_one'
      AND (COALESCE(o.last_customer_message_at, '-infinity'), o.id) > (COALESCE(c.last_customer_message_at, '-infinity'), c.id))`

// namedAudience is everybody on the list: who is not handled any more is
// skipped with that reason, not forgotten.
const namedAudience = `c.team_id = @team_id AND c.id = ANY(@ids::uuid[])`

// ruleArgs adds the parameters of judgedAudience to those of audienceArgs: one
// row a channel, from omniflow.PartsOf and omniflow.WindowOfBroadcast.
func ruleArgs(args pgx.NamedArgs, r omniflow.BroadcastRequest) pgx.NamedArgs {
	var channels, codes []string
	var parts, pieces []int16
	var windows []time.Duration
	for _, ch := range omniflow.BroadcastChannels {
		split := omniflow.PartsOf(ch, r.Messages)
		window := omniflow.WindowOfBroadcast(r.Kind, ch)
		channels, codes = append(channels, string(ch)), append(codes, string(window.Code))
		first := 0
		if len(split) > 0 { // a saved reply that nobody may use has no contents
			first = len(split[0])
		}
		parts, pieces = append(parts, int16(len(split))), append(pieces, int16(first))
		windows = append(windows, window.Max)
	}
	args["rule_channels"], args["rule_codes"], args["rule_parts"], args["rule_pieces"], args["rule_windows"] = channels, codes, parts, pieces, windows
	return args
}
