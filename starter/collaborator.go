package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

// collaboratorCommand is under conversation and under group: a group's
// conversation has the group's id.
func (a *app) collaboratorCommand(noun string) *cobra.Command {
	return group("collaborator", "Who else answers in a "+noun,
		a.collaboratorChangeCommand("add", noun, "Add members, all or none, five at most", (*apiclient.Client).AddCollaborators),
		a.collaboratorChangeCommand("remove", noun, "Remove members, all or none", (*apiclient.Client).RemoveCollaborators),
		a.collaboratorOwnCommand(apiclient.JoinStep, noun, "Join on my own"),
		a.collaboratorOwnCommand(apiclient.LeaveStep, noun, "Leave"))
}

// changeCollaborators adds or removes members of a conversation.
type changeCollaborators func(*apiclient.Client, context.Context, string, []string) (apiclient.Conversation, error)

func (a *app) collaboratorChangeCommand(verb, noun, short string, change changeCollaborators) *cobra.Command {
	c := &cobra.Command{Use: verb + " " + argument(noun) + " MEMBER...", Short: short, Args: cobra.MinimumNArgs(2)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		found, err := change(a.client, ctx, args[0], args[1:])
		return a.sayCollaborators(found, err)
	})
	return c
}

func (a *app) collaboratorOwnCommand(step, noun, short string) *cobra.Command {
	c := &cobra.Command{Use: step + " " + argument(noun), Short: short, Args: cobra.ExactArgs(1)}
	c.RunE = act(func(ctx context.Context, args []string) error {
		found, err := a.client.MarkConversation(ctx, args[0], step)
		return a.sayCollaborators(found, err)
	})
	return c
}

// argument is a noun as usage lines print it.
func argument(noun string) string { return strings.ToUpper(noun) }

func (a *app) sayCollaborators(c apiclient.Conversation, err error) error {
	if err != nil {
		return err
	}
	a.say("conversation %s is %s, followed by %s, collaborators %s", c.ID, c.State, dash(c.FollowerName), dash(strings.Join(c.Collaborators, " ")))
	return nil
}
