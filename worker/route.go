package main

import (
	"context"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// route finds the account that an event is about. A provider may post the
// events of all accounts of one app to the address of one of them; what is of
// another team's account must not be filed under this one. An id that no
// account has is taken for another name of the account it was posted to: an
// Instagram account has two.
func (r *relay) route(item omniflow.InboxItem, externalID string) (omniflow.InboxItem, bool) {
	index := r.index.Load()
	if index == nil || externalID == "" {
		return item, true
	}
	ref, ok := (*index)[string(item.Channel)+"/"+externalID]
	if !ok || ref.ID == item.ChannelAccountID {
		return item, true
	}
	item.ChannelAccountID = ref.ID
	return item, ref.TeamID == item.TeamID
}

// readAccounts brings the index of accounts up to date.
func (r *relay) readAccounts(ctx context.Context) (int, error) {
	index, err := r.store.AccountIndex(ctx)
	if err == nil {
		r.index.Store(&index)
	}
	return 0, err
}

type accountIndex = map[string]postgres.AccountRef
