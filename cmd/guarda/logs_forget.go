package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"guarda/shared/fault"
)

// erasure is an erasure as the API shows it.
type erasure struct {
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Stage       string     `json:"stage"`
	RequestedAt time.Time  `json:"requested_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Deleted     struct {
		Total   int64 `json:"total"`
		Hot     int64 `json:"hot"`
		Cold    int64 `json:"cold"`
		Spooled int64 `json:"spooled"`
	} `json:"deleted"`
	Segments struct {
		Total     int `json:"total"`
		Done      int `json:"done"`
		Rewritten int `json:"rewritten"`
	} `json:"segments"`
	LastError *string `json:"last_error"`
}

func (a *app) logsForgetCommand() *cobra.Command {
	var where apiFlags
	var user, session, reason string
	var wait bool
	c := &cobra.Command{
		Use:   "forget --user-id U|--session-id S --api URL --api-key-file F",
		Short: "Erase a person's log entries, archived ones included",
		Long: `Erase a person's log entries: those in Postgres, those in archived days, and
those that are put aside. With both --user-id and --session-id only entries that
have both are erased. The server carries it out minute by minute; with --wait the
command ends when it is done, which takes at least 20 minutes when archived
entries are among them.`,
		Args: cobra.NoArgs,
	}
	where.add(c)
	c.Flags().StringVar(&user, "user-id", "", "erase the entries of this user")
	c.Flags().StringVar(&session, "session-id", "", "erase the entries of this session")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record, which is kept: do not name the person")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is done")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		if user == "" && session == "" {
			return usageError{fault.New(fault.Invalid, "nobody is named").Hint("give --user-id or --session-id")}
		}
		client, err := where.open()
		if err != nil {
			return err
		}
		e, err := client.forget(ctx, user, session, reason)
		if err != nil {
			return err
		}
		for stage := ""; wait && e.State != "completed"; {
			if e.Stage != stage {
				stage = e.Stage
				fmt.Fprintf(a.err, "%s: %d of %d archived segments, %d entries erased\n", e.Stage, e.Segments.Done, e.Segments.Total, e.Deleted.Total)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Second):
			}
			if err := client.get(ctx, "/api/logs/erasures/"+e.ID, nil, e); err != nil {
				return err
			}
		}
		if a.json {
			return a.printJSON(e)
		}
		fmt.Fprintf(a.out, "erasure %s is %s: %d entries erased (%d in Postgres, %d archived, %d put aside)\n", e.ID, e.State, e.Deleted.Total, e.Deleted.Hot, e.Deleted.Cold, e.Deleted.Spooled)
		return nil
	})
	return c
}

// forget asks for an erasure; sent again after a lost answer it is the same one.
func (c *api) forget(ctx context.Context, user, session, reason string) (*erasure, error) {
	in := map[string]string{}
	for name, v := range map[string]string{"user_id": user, "session_id": session, "reason": reason} {
		if v != "" {
			in[name] = v
		}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	got, err := c.send(ctx, http.MethodPost, "/api/logs/erasures", nil, body, http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {uuid.NewString()}})
	if err != nil {
		return nil, err
	}
	var e erasure
	return &e, decodeAnswer(got, &e)
}
