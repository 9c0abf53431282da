package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"omniflow/internal/apiclient"
)

func (a *app) broadcastStartCommand() *cobra.Command {
	c := &cobra.Command{Use: "start", Short: "Start the broadcast that a file describes", Args: cobra.NoArgs}
	c.Long = c.Short + ".\n\nThe file is JSON or YAML, such as:\n\n" + exampleFile
	file := c.Flags().String("file", "", `JSON or YAML file; "-" reads the standard input`)
	watch := c.Flags().Bool("watch", false, "show progress until the end; Ctrl-C stops watching, not the broadcast")
	key := c.Flags().String("idempotency-key", "", "repeating a start with the same key starts nothing new; default: random, printed")
	required(c, "file")
	c.RunE = act(func(ctx context.Context, _ []string) error {
		request, err := a.readBroadcast(*file)
		if err != nil {
			return err
		}
		if *key == "" {
			*key = uuid.NewString()
		}
		// Before the call: the key matters most when no answer comes.
		fmt.Fprintln(a.err, "idempotency key:", *key)
		started, err := a.client.StartBroadcast(ctx, request, *key)
		if err != nil {
			return err
		}
		a.say("broadcast %s %s, workflow %s", started.ID, started.State, started.WorkflowID)
		if !*watch {
			a.say("next: starter broadcast watch %s", started.ID)
			return nil
		}
		return a.watch(ctx, started.ID)
	})
	return c
}

const exampleFile = `  kind: broadcast_message      # or broadcast_template
  name: autumn sale
  audience: {all: true}        # or channels, tags, stores, conversation_ids
  messages:
    - {kind: text, text: "{{system:customer_name}} 您好，秋季新品上市 🍂 https://shop.example/new"}
    - {kind: image, media_id: ID}     # also video, file; of: starter media upload FILE`

// readBroadcast reads a request and refuses fields it does not know: a
// misspelt filter would widen the audience.
func (a *app) readBroadcast(path string) (apiclient.BroadcastRequest, error) {
	var request apiclient.BroadcastRequest
	body, err := a.readFile(path)
	if err != nil {
		return request, fmt.Errorf("read the broadcast: %w", err)
	}
	if filepath.Ext(path) != ".json" { // JSON is YAML too
		var tree any
		if err := yaml.Unmarshal(body, &tree); err != nil {
			return request, fmt.Errorf("read the broadcast in %s: %w", path, err)
		}
		if body, err = json.Marshal(tree); err != nil {
			return request, fmt.Errorf("read the broadcast in %s: %w", path, err)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return request, fmt.Errorf("read the broadcast in %s: %w", path, err)
	}
	return request, nil
}
