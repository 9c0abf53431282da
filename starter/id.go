package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// isID marks flags that take ids.
const isID = "id"

// ids marks flags of a command as ids, so that a refusal can name those that
// are none.
func ids(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.Flags().SetAnnotation(name, isID, nil); err != nil {
			panic(err) // the flag is not defined: a bug that every run shows
		}
	}
}

// noIDs are the arguments that are no ids, as usage lines name them.
var noIDs = []string{"FILE", "NUMBER", "[OBJECT]"}

// wrongIDs says which flags and arguments of a command line should be ids and
// are not, "" if none.
func wrongIDs(c *cobra.Command, args []string) string {
	var wrong []string
	check := func(name, value string) {
		if _, err := uuid.Parse(value); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s %q", name, value))
		}
	}
	words := strings.Fields(c.Use)[1:]
	for i, value := range args {
		if word := words[min(i, len(words)-1)]; !slices.Contains(noIDs, word) {
			check(strings.Trim(word, "[.]"), value)
		}
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if _, ok := f.Annotations[isID]; !ok {
			return
		}
		values := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		for _, value := range values {
			check("--"+f.Name, value)
		}
	})
	if len(wrong) == 0 {
		return ""
	}
	return strings.Join(wrong, " and ") + " must be an id such as 01a1f917-f04c-736b-8e47-429ded45f955, not a number or a name"
}
