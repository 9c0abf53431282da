package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	persistenceclient "go.temporal.io/server/common/persistence/client"
	"go.temporal.io/server/common/persistence/serialization"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/telemetry"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ensureNamespaces writes the namespaces of o, and their search attributes,
// into the database where missing. It runs before the server: whoever reaches
// the frontend finds them.
func ensureNamespaces(ctx context.Context, o options, c *config.Config, logger log.Logger) error {
	serializer := serialization.NewSerializer()
	factory := persistenceclient.DataStoreFactoryProvider(clusterName, resolver.NewNoopResolver(), &c.Persistence, nil,
		logger, metrics.NoopMetricsHandler, telemetry.NoopTracerProvider, serializer)
	defer factory.Close()
	store, err := factory.NewMetadataStore()
	if err != nil {
		return fmt.Errorf("open the namespaces: %w", err)
	}
	manager := persistence.NewMetadataManagerImpl(store, serializer, logger, clusterName)
	defer manager.Close()
	for _, name := range o.namespaces {
		if err := ensureNamespace(ctx, manager, name, o); err != nil {
			return fmt.Errorf("create namespace %s: %w", name, err)
		}
	}
	return nil
}

func ensureNamespace(ctx context.Context, m persistence.MetadataManager, name string, o options) error {
	found, err := m.GetNamespace(ctx, &persistence.GetNamespaceRequest{Name: name})
	if missing := new(serviceerror.NamespaceNotFound); errors.As(err, &missing) {
		detail := newNamespace(name, o.retention)
		if _, err := assignColumns(detail.Config.CustomSearchAttributeAliases, o.searchAttributes); err != nil {
			return err
		}
		_, err := m.CreateNamespace(ctx, &persistence.CreateNamespaceRequest{Namespace: detail})
		return err
	}
	if err != nil {
		return err
	}
	return addSearchAttributes(ctx, m, found, o.searchAttributes)
}

// addSearchAttributes adds to a namespace that exists what it has not yet.
func addSearchAttributes(
	ctx context.Context, m persistence.MetadataManager, ns *persistence.GetNamespaceResponse, wanted []searchAttribute,
) error {
	settings := ns.Namespace.Config
	if settings.CustomSearchAttributeAliases == nil {
		settings.CustomSearchAttributeAliases = make(map[string]string)
	}
	changed, err := assignColumns(settings.CustomSearchAttributeAliases, wanted)
	if err != nil || !changed {
		return err
	}
	metadata, err := m.GetMetadata(ctx)
	if err != nil {
		return err
	}
	ns.Namespace.ConfigVersion++
	return m.UpdateNamespace(ctx, &persistence.UpdateNamespaceRequest{
		Namespace:           ns.Namespace,
		IsGlobalNamespace:   ns.IsGlobalNamespace,
		NotificationVersion: metadata.NotificationVersion,
	})
}

func newNamespace(name string, retention time.Duration) *persistencespb.NamespaceDetail {
	return &persistencespb.NamespaceDetail{
		Info: &persistencespb.NamespaceInfo{
			Id:    uuid.NewString(),
			State: enumspb.NAMESPACE_STATE_REGISTERED,
			Name:  name,
		},
		Config: &persistencespb.NamespaceConfig{
			Retention:                    durationpb.New(retention),
			HistoryArchivalState:         enumspb.ARCHIVAL_STATE_DISABLED,
			VisibilityArchivalState:      enumspb.ARCHIVAL_STATE_DISABLED,
			CustomSearchAttributeAliases: make(map[string]string),
		},
		ReplicationConfig: &persistencespb.NamespaceReplicationConfig{
			ActiveClusterName: clusterName,
			Clusters:          []string{clusterName},
		},
		FailoverVersion:             common.EmptyVersion,
		FailoverNotificationVersion: -1,
	}
}
