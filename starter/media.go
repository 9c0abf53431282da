package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) mediaCommand() *cobra.Command {
	return group("media", "Files for broadcasts and saved replies", a.mediaUploadCommand())
}

func (a *app) mediaUploadCommand() *cobra.Command {
	c := &cobra.Command{Use: "upload FILE", Short: "Upload an image, a video or any other file", Args: cobra.ExactArgs(1)}
	name := c.Flags().String("name", "", "name that customers see; default: the file's own")
	c.RunE = act(func(ctx context.Context, args []string) error {
		data, err := a.readFile(args[0])
		if err != nil {
			return err
		}
		if *name == "" {
			*name = filepath.Base(args[0])
		}
		m, err := a.client.UploadMedia(ctx, *name, data)
		if err != nil {
			return err
		}
		a.say("%s %s: %s, %d bytes", m.Kind, m.ID, m.MIME, m.Bytes)
		return nil
	})
	return c
}
