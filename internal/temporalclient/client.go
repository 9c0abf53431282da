// Package temporalclient makes the one Temporal client of a program: its log,
// metrics and payload encryption, and the one way in which runs are started.
package temporalclient

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/keyring"
)

// Input is what Dial needs.
type Input struct {
	Options  client.Options        // address, namespace, TLS, credentials: from package config
	Keys     *keyring.Ring         // encrypts payloads
	Logger   *slog.Logger          // nil: slog's default
	Registry prometheus.Registerer // where the SDK's metrics go; nil: nowhere
	Stopping <-chan struct{}       // closed when the program's workers stop; nil: it has none
}

// Dial makes a client that connects at its first call, so a program starts
// while Temporal is down; Healthy tells. The caller closes the client.
func Dial(in Input) (client.Client, error) {
	options, err := Options(in)
	if err != nil {
		return nil, err
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("make temporal client: %w", err)
	}
	return c, nil
}

// Options is what Dial gives to the SDK, for a caller that connects by itself.
func Options(in Input) (client.Options, error) {
	options := in.Options
	logger := in.Logger
	if logger == nil {
		logger = slog.Default()
	}
	options.Logger = log.NewStructuredLogger(logger)
	options.DataConverter = Converter(in.Keys)
	options.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: options.DataConverter, EncodeCommonAttributes: true,
	})
	if in.Registry != nil {
		handler, err := metricsHandler(in.Registry, logger)
		if err != nil {
			return client.Options{}, err
		}
		options.MetricsHandler = handler
	}
	recoverSoon(&options, in.Stopping)
	return options, nil
}

// Converter writes payloads as every program of ours reads them: encrypted.
func Converter(keys *keyring.Ring) converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), NewCodec(keys))
}

// Healthy says whether Temporal answers within a second.
func Healthy(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("reach temporal: %w", err)
	}
	return nil
}
