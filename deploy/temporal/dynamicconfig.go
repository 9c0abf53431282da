package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.temporal.io/server/common/dynamicconfig"
)

// unlimited is a request rate that one machine does not reach. The shipped
// limits (matching 1,200/s, frontend 2,400/s) throttle a single node long
// before its database does.
const unlimited = 1_000_000

// forwardedAtOnce is how many tasks or polls are on their way together from one
// partition of a queue to another.
const forwardedAtOnce = 32

// defaultDynamicConfig is what this server sets before --dynamic-config-value.
// onSQLite adds what only a throw-away server should have.
func defaultDynamicConfig(onSQLite bool) dynamicconfig.StaticClient {
	c := dynamicconfig.StaticClient{
		dynamicconfig.FrontendRPS.Key():                                                        unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                                 unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():                       1_000,
		dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(): 100,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key():                20_000,
		dynamicconfig.HistoryRPS.Key():                                                         unlimited,
		dynamicconfig.MatchingRPS.Key():                                                        unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                                          unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                                           unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                                          unlimited,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                                            unlimited,
		// A queue's partitions pass tasks and polls to each other ten a second each
		// as shipped. Here all partitions are in this process.
		dynamicconfig.MatchingForwarderMaxRatePerSecond.Key():    unlimited,
		dynamicconfig.MatchingForwarderMaxOutstandingTasks.Key(): forwardedAtOnce,
		dynamicconfig.MatchingForwarderMaxOutstandingPolls.Key(): forwardedAtOnce,
		// The SQL schema holds IDs in VARCHAR(255).
		dynamicconfig.MaxIDLengthLimit.Key():                                      255,
		dynamicconfig.MatchingEnableFairness.Key():                                true,
		dynamicconfig.WorkflowPauseEnabled.Key():                                  true,
		dynamicconfig.EnableServerVersionCheck.Key():                              false,
		dynamicconfig.MakeKey("history.enableStandaloneActivityOperatorCommands"): true,
	}
	if onSQLite {
		// A test that adds a search attribute reads it in the next call.
		c[dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key()] = true
	}
	return c
}

// addDynamicConfig puts values of the form KEY=JSON over c. JSON is the value
// itself, or a list of {"value":…, "constraints":{"namespace":…,
// "taskQueueName":…}} as in the server's own files. A key the server does not
// know is set all the same and told on warn; a value of the wrong type is an
// error.
func addDynamicConfig(c dynamicconfig.StaticClient, values []string, warn io.Writer) error {
	for _, v := range values {
		name, text, found := strings.Cut(v, "=")
		if !found || name == "" {
			return fmt.Errorf("--dynamic-config-value %q: want KEY=JSON", v)
		}
		list, err := constrainedList(text)
		if err != nil {
			return fmt.Errorf("--dynamic-config-value %q: %w", v, err)
		}
		var loader dynamicconfig.YamlLoader
		key := dynamicconfig.MakeKey(name)
		loader.LoadValue(key, list)
		if err := judge(&loader, warn); err != nil {
			return fmt.Errorf("--dynamic-config-value %q: %w", v, err)
		}
		c[key] = []dynamicconfig.ConstrainedValue(loader.Map[key])
	}
	return nil
}

// constrainedList returns text as the list the server's loader reads.
func constrainedList(text string) ([]byte, error) {
	if !json.Valid([]byte(text)) {
		return nil, errors.New("the value is not JSON (a text needs its quotes)")
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err == nil && len(list) > 0 {
		constrained := true
		for _, entry := range list {
			_, has := entry["value"]
			constrained = constrained && has
		}
		if constrained {
			return []byte(text), nil
		}
	}
	return []byte(`[{"value":` + text + `}]`), nil
}

func judge(loader *dynamicconfig.YamlLoader, warn io.Writer) error {
	faults := loader.Errors
	for _, w := range loader.Warnings {
		if strings.HasPrefix(w.Error(), "unregistered key") {
			fmt.Fprintln(warn, "temporal-server: --dynamic-config-value:", w)
			continue
		}
		faults = append(faults, w)
	}
	return errors.Join(faults...)
}
