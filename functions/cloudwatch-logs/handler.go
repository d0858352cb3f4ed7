package main

import (
	"context"
	"log/slog"

	"guarda/shared/lambdafn"
	"guarda/shared/logs"
)

// ownSource is the source of what Guarda's own functions log; the
// specification's examples name it.
const ownSource = "backup_system"

// maxTold is how many rejections of a delivery are logged one by one.
const maxTold = 10

// event is a subscription's: base64 of gzip of JSON.
type event struct {
	AWSLogs struct {
		Data []byte `json:"data"`
	} `json:"awslogs"`
}

type result struct {
	Accepted   int  `json:"accepted"`
	Duplicates int  `json:"duplicates"`
	Rejected   int  `json:"rejected"`
	Spooled    bool `json:"spooled"`
}

// newHandler takes in what a subscription sends. An error makes Lambda send it
// again; then the same entries have the same ids.
func newHandler(in *logs.Ingester, log *slog.Logger) lambdafn.Job[event] {
	return func(ctx context.Context, e event) (any, error) {
		batch, err := logs.CloudWatch(e.AWSLogs.Data, ownSource)
		if err != nil {
			return nil, err
		}
		got, err := in.Take(ctx, batch, logs.Sender{})
		if err != nil {
			return nil, err
		}
		for _, x := range got.Rejections[:min(len(got.Rejections), maxTold)] { // nobody sends them again
			log.WarnContext(ctx, "an entry of a subscription was not taken", "index", x.Index, "field", x.Field, "code", x.Code, "reason", x.Message.String())
		}
		return result{got.Accepted, got.Duplicates, len(got.Rejections), got.Spooled}, nil
	}
}
