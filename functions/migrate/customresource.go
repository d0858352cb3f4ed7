package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"guarda/shared/fault"
)

// resourceEvent is what CloudFormation sends for a custom resource, and
// resourceAnswer what it wants at ResponseURL
// (AWS CloudFormation User Guide, "Custom resource request/response objects").
type resourceEvent struct {
	RequestType        string `json:"RequestType"`
	ResponseURL        string `json:"ResponseURL"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
}

type resourceAnswer struct {
	Status             string         `json:"Status"`
	Reason             string         `json:"Reason,omitempty"`
	PhysicalResourceID string         `json:"PhysicalResourceId"`
	StackID            string         `json:"StackId"`
	RequestID          string         `json:"RequestId"`
	LogicalResourceID  string         `json:"LogicalResourceId"`
	Data               map[string]any `json:"Data,omitempty"`
}

// maxReason keeps the answer under CloudFormation's 4096 bytes.
const maxReason = 1000

// customResource migrates on Create and Update. Delete leaves the database as
// it is: the data in it is not the stack's. Whatever happens CloudFormation
// gets an answer, else the deployment hangs.
func (d Deps) customResource(ctx context.Context, raw json.RawMessage) error {
	var e resourceEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		return fault.New(fault.Invalid, "the event cannot be read").Because(err)
	}
	a := resourceAnswer{Status: "SUCCESS", PhysicalResourceID: "guarda-migration", StackID: e.StackID, RequestID: e.RequestID, LogicalResourceID: e.LogicalResourceID}
	if e.PhysicalResourceID != "" {
		a.PhysicalResourceID = e.PhysicalResourceID
	}
	if e.RequestType != "Delete" {
		// Some time is left to answer when the migration takes too long.
		work, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok {
			work, cancel = context.WithDeadline(ctx, deadline.Add(-15*time.Second))
		}
		result, err := d.migrate(work, order{})
		cancel()
		if err != nil {
			d.Log.ErrorContext(ctx, "migration failed", "error", err.Error(), "hint", fault.HintOf(err))
			a.Status, a.Reason = "FAILED", reason(err)
		} else {
			a.Data = map[string]any{"Version": result.Version, "AdminCreated": result.AdminCreated}
		}
	}
	return answer(ctx, e.ResponseURL, a)
}

func reason(err error) string {
	s := err.Error()
	if f := fault.As(err); f != nil {
		s = f.Message.String()
		for _, field := range f.Fields {
			s += "; " + field.Name + " " + field.Message.String()
		}
		if h := f.HintText.String(); h != "" {
			s += " (" + h + ")"
		}
	}
	return s[:min(len(s), maxReason)]
}

// answer puts the document to the signed URL; the signature covers an empty
// content type.
func answer(ctx context.Context, url string, a resourceAnswer) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the answer to CloudFormation: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "CloudFormation's address for the answer cannot be used").Because(err)
	}
	req.Header["Content-Type"] = []string{""}
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "CloudFormation could not be told how the migration went").Because(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fault.New(fault.Unavailable, "CloudFormation refused the answer: %s", resp.Status)
	}
	return nil
}
