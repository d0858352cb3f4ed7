package main

import "github.com/spf13/cobra"

func (a *app) logsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "logs",
		Short: "Search, follow, send, export and erase log entries; mine their patterns",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.logsSearchCommand(), a.logsTailCommand(), a.logsIngestCommand(), a.logsExportCommand(), a.logsForgetCommand(), a.logsMineCommand())
	return c
}
