package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"omniflow/internal/apiclient"
)

// pageFlags adds --limit and --after to a command.
func pageFlags(c *cobra.Command) *apiclient.Page {
	var p apiclient.Page
	p.Limit = 50
	c.Flags().Var((*limit)(&p.Limit), "limit", "rows a page, 1 to 200")
	c.Flags().StringVar(&p.After, "after", "", "go on after this page")
	return &p
}

// limit is a number of rows, as the API takes it.
type limit int

// String implements pflag.Value.
func (l *limit) String() string { return strconv.Itoa(int(*l)) }

// Type implements pflag.Value.
func (l *limit) Type() string { return "int" }

// Set implements pflag.Value.
func (l *limit) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 200 {
		return errors.New("limit is 1 to 200")
	}
	*l = limit(n)
	return nil
}
