package temporalserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"omniflow/internal/temporalserver"
	"omniflow/workflows"
)

func TestSearchAttributesAreThoseOfWorkflows(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, []string{
		workflows.TeamIDKey.GetName(), workflows.ConversationIDKey.GetName(), workflows.ChannelKindKey.GetName(),
		workflows.JobKindKey.GetName(), workflows.OutcomeKey.GetName(), workflows.FailureCodeKey.GetName(),
	}, temporalserver.SearchAttributes())
}

func TestSearchAttributesAreKeywords(t *testing.T) {
	t.Parallel()
	typed := temporalserver.TypedSearchAttributes().GetUntypedValues()
	require.Len(t, typed, len(temporalserver.SearchAttributes()))
	for key := range typed {
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, key.GetValueType(), key.GetName())
	}
	require.Equal(t, []string{"--search-attribute", "TeamId=Keyword"}, temporalserver.SearchAttributeFlags()[:2])
}
