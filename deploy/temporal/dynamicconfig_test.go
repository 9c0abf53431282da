package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// read gives the value a server would see, as the server reads it.
func read(c dynamicconfig.Client, key string) []dynamicconfig.ConstrainedValue {
	return c.GetValue(dynamicconfig.MakeKey(key))
}

func TestDefaultsRaiseTheLimits(t *testing.T) {
	t.Parallel()
	c := defaultDynamicConfig(false)
	values := dynamicconfig.NewCollection(c, nil)
	require.Equal(t, 255, dynamicconfig.MaxIDLengthLimit.Get(values)())
	require.Equal(t, unlimited, dynamicconfig.MatchingRPS.Get(values)())
	require.Equal(t, unlimited, dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Get(values)("default"))
	require.Equal(t, 1_000, dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Get(values)("default"))
	fairness := dynamicconfig.MatchingEnableFairness.Get(values)("default", "q", enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	require.True(t, fairness.Value([]byte("any"), time.Time{}))
	require.False(t, dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Get(values)())
	onSQLite := dynamicconfig.NewCollection(defaultDynamicConfig(true), nil)
	require.True(t, dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Get(onSQLite)())
}

func TestAddDynamicConfig(t *testing.T) {
	t.Parallel()
	c := defaultDynamicConfig(true)
	var warnings bytes.Buffer
	require.NoError(t, addDynamicConfig(c, []string{
		"limit.maxIDLength=100",
		"LIMIT.blobSize.error=5",
		"frontend.enableServerVersionCheck=true",
		`matching.numTaskqueueReadPartitions=[{"value":1,"constraints":{"namespace":"default","taskQueueName":"send"}},{"value":2}]`,
		`callback.allowedAddresses=[{"Pattern":"*","AllowInsecure":true}]`,
	}, &warnings))
	require.Empty(t, warnings.String())
	require.Equal(t, 100, read(c, "limit.maxidlength")[0].Value)
	require.Equal(t, 5, read(c, "limit.blobsize.error")[0].Value)
	require.Equal(t, true, read(c, "frontend.enableServerVersionCheck")[0].Value)
	require.Len(t, read(c, "callback.allowedAddresses")[0].Value, 1)

	partitions := read(c, "matching.numTaskqueueReadPartitions")
	require.Len(t, partitions, 2)
	require.Equal(t, dynamicconfig.Constraints{Namespace: "default", TaskQueueName: "send"}, partitions[0].Constraints)
	get := dynamicconfig.MatchingNumTaskqueueReadPartitions.Get(dynamicconfig.NewCollection(c, nil))
	require.Equal(t, 1, get("default", "send", 1))
	require.Equal(t, 2, get("default", "other", 1))
}

func TestAddDynamicConfigWarnsOfAnUnknownKey(t *testing.T) {
	t.Parallel()
	c := defaultDynamicConfig(true)
	var warnings bytes.Buffer
	require.NoError(t, addDynamicConfig(c, []string{"limit.maxIdLenght=1"}, &warnings))
	require.Contains(t, warnings.String(), "limit.maxidlenght")
	require.Equal(t, 1, read(c, "limit.maxIdLenght")[0].Value)
}

func TestAddDynamicConfigRefuses(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"limit.maxIDLength":        "want KEY=JSON",
		"=1":                       "want KEY=JSON",
		"limit.maxIDLength=many":   "not JSON",
		`limit.maxIDLength="many"`: "not int",
		"matching.enableFairness=[{\"value\":\"x\"}]": "validation failed",
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			err := addDynamicConfig(dynamicconfig.StaticClient{}, []string{value}, nil)
			require.ErrorContains(t, err, want)
		})
	}
}
