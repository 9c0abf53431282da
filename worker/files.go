package main

import (
	"context"

	"github.com/google/uuid"

	"omniflow/activities"
	"omniflow/internal/config"
	"omniflow/internal/media"
	"omniflow/internal/omniflow"
)

// files gives the activities the files of broadcasts.
type files struct {
	store *media.Store
	links media.Links
}

// fileOptions opens the store of files, if one is configured.
func fileOptions(ctx context.Context, cfg config.Worker, noted activities.InboundFiles) (options []activities.Option, closeStore func(), err error) {
	if cfg.BlobURL == "" {
		return nil, func() {}, nil
	}
	store, err := media.OpenStore(ctx, cfg.BlobURL)
	if err != nil {
		return nil, nil, err
	}
	f := files{store: store, links: media.NewLinks(cfg.PublicURL, cfg.Keys)}
	return []activities.Option{activities.WithFiles(f), activities.WithInboundFiles(noted, store)}, func() { _ = store.Close() }, nil
}

// Read is the whole of a file.
func (f files) Read(ctx context.Context, id uuid.UUID) ([]byte, error) { return f.store.Read(ctx, id) }

// Links are the public addresses of a file as ch may show it.
func (f files) Links(ch omniflow.Channel, m omniflow.Media) (link, preview string) {
	v := media.Original
	if ch == omniflow.LINE && m.Kind == omniflow.Image && m.Bytes > media.MaxLINEImage {
		v = media.ForLINE
	}
	link = f.links.URL(m.ID, v)
	if m.Kind == omniflow.Image || m.Kind == omniflow.Video {
		preview = f.links.URL(m.ID, media.Preview)
	}
	return link, preview
}
