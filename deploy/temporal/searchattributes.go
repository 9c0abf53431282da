package main

import (
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/searchattribute/sadefs"
)

// searchAttribute is one --search-attribute.
type searchAttribute struct {
	name string
	kind enumspb.IndexedValueType
}

// parseSearchAttributes reads values like "TeamId=Keyword". The type is matched
// whatever its case; a name given twice must have one type.
func parseSearchAttributes(values []string) ([]searchAttribute, error) {
	var out []searchAttribute
	for _, v := range values {
		name, kind, found := strings.Cut(v, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--search-attribute %q: want NAME=Type", v)
		}
		a := searchAttribute{name: name, kind: kindOf(kind)}
		if a.kind == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
			return nil, fmt.Errorf("--search-attribute %q: type %q is none of Bool, Datetime, Double, Int, Keyword, KeywordList, Text", v, kind)
		}
		at := slices.IndexFunc(out, func(b searchAttribute) bool { return b.name == name })
		if at >= 0 && out[at].kind != a.kind {
			return nil, fmt.Errorf("--search-attribute %q: given before as %s", v, out[at].kind)
		}
		if at < 0 {
			out = append(out, a)
		}
	}
	return out, nil
}

func kindOf(s string) enumspb.IndexedValueType {
	for name, number := range enumspb.IndexedValueType_shorthandValue {
		if strings.EqualFold(name, s) {
			return enumspb.IndexedValueType(number)
		}
	}
	return enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED
}

// assignColumns gives each wanted attribute a free column of its type. It adds
// to aliases, whose keys are columns ("Keyword01") and whose values are the
// attributes' names, and reports whether it added any. Errors: an attribute
// that exists with another type, or no column of the type left (SQL visibility
// has 10 of Keyword and 3 of every other type).
func assignColumns(aliases map[string]string, wanted []searchAttribute) (changed bool, err error) {
	columns := sadefs.GetDBIndexSearchAttributes(nil).CustomSearchAttributes
	for _, a := range wanted {
		if column, found := columnOf(aliases, a.name); found {
			if columns[column] != a.kind {
				return changed, fmt.Errorf("search attribute %s exists as %s, not %s", a.name, columns[column], a.kind)
			}
			continue
		}
		column, free := freeColumn(columns, aliases, a.kind)
		if !free {
			return changed, fmt.Errorf("search attribute %s: no column of type %s is left", a.name, a.kind)
		}
		aliases[column] = a.name
		changed = true
	}
	return changed, nil
}

func columnOf(aliases map[string]string, name string) (string, bool) {
	for column, alias := range aliases {
		if alias == name {
			return column, true
		}
	}
	return "", false
}

// freeColumn returns the first unused column of kind in name order.
func freeColumn(columns map[string]enumspb.IndexedValueType, aliases map[string]string, kind enumspb.IndexedValueType) (string, bool) {
	var free []string
	for column, k := range columns {
		if _, used := aliases[column]; k == kind && !used {
			free = append(free, column)
		}
	}
	if len(free) == 0 {
		return "", false
	}
	return slices.Min(free), true
}
