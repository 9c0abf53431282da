package main

import (
	"context"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

func (a *app) teamCommand() *cobra.Command {
	return group("team", "Teams", a.teamCreateCommand())
}

func (a *app) teamCreateCommand() *cobra.Command {
	var t apiclient.NewTeam
	var reconcile, giveUp time.Duration
	c := &cobra.Command{Use: "create", Short: "Make a team (needs a platform token)", Args: cobra.NoArgs}
	c.Flags().StringVar(&t.Name, "name", "", "name of the team")
	c.Flags().StringVar(&t.Plan, "plan", "omo", "standard or omo; only omo may broadcast")
	c.Flags().StringSliceVar(&t.Flags, "flag", nil, "a feature flag that is on; repeatable")
	c.Flags().StringVar(&t.Timezone, "timezone", "", "such as Asia/Taipei")
	c.Flags().StringVar(&t.OnUnknown, "on-unknown", "", "what to do about lost answers: prove, fail or resend")
	c.Flags().DurationVar(&reconcile, "reconcile-after", 0, "when to look after a lost answer; at least 30s")
	c.Flags().DurationVar(&giveUp, "give-up-after", 0, "when to give a lost answer up")
	c.Flags().IntVar(&t.StopFailurePercent, "stop-failure-percent", 0, "a lane stops when more than this of its last 500 outcomes failed; 50 by default, 100 is never")
	required(c, "name")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		t.ReconcileAfterSeconds, t.GiveUpAfterSeconds = int(reconcile.Seconds()), int(giveUp.Seconds())
		team, err := a.client.CreateTeam(ctx, t)
		if err != nil {
			return err
		}
		a.say("team %s made; next: export OMNIFLOW_TEAM=%s", team.TeamID, team.TeamID)
		return nil
	})
	return c
}

// required marks flags without which a command makes no sense.
func required(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is not defined: a bug that every run shows
		}
	}
}

// teamFlag adds --team to a command and gives its value when the command runs:
// the flag, OMNIFLOW_TEAM, or the team that the token names.
func (a *app) teamFlag(c *cobra.Command) func() (string, error) {
	flag := c.Flags().String("team", "", "id of the team; default: OMNIFLOW_TEAM, or the token's team")
	return func() (string, error) {
		for _, id := range []string{*flag, a.getenv("OMNIFLOW_TEAM"), teamOf(a.getenv("OMNIFLOW_TOKEN"))} {
			if id != "" {
				return id, nil
			}
		}
		return "", &usageError{"no team: give --team or set OMNIFLOW_TEAM"}
	}
}

// teamOf reads the team out of a member's token without verifying it, which is
// the API's part; "" if there is none.
func teamOf(token string) string {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		return ""
	}
	team, ok := claims["team"].(string)
	if !ok {
		return ""
	}
	return team
}
