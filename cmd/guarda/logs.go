package main

import "github.com/spf13/cobra"

func (a *app) logsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "logs",
		Short: "Work with logs",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.logsMineCommand())
	return c
}
