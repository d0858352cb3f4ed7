package lambdaapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"guarda/cmd/local/internal/runtimeapi"
)

// errNoTopic says that the template has no such topic.
var errNoTopic = errors.New("topic does not exist")

// Publish hands a message to the functions that are subscribed to a topic and
// returns the message's id.
func (a *API) Publish(topic, subject, message string) (string, error) {
	return a.publish(topic, subject, message, nil)
}

type attribute struct {
	Type  string `json:"Type"`
	Value string `json:"Value"`
}

func (a *API) publish(topic, subject, message string, attributes map[string]attribute) (string, error) {
	if !slices.Contains(a.cfg.Topics, topic) {
		return "", fmt.Errorf("%w: %s", errNoTopic, topic)
	}
	id := runtimeapi.NewRequestID()
	heard := false
	for _, s := range a.cfg.Subscriptions {
		if s.TopicARN != topic {
			continue
		}
		heard = true
		body := map[string]any{
			"Type": "Notification", "MessageId": id, "TopicArn": topic, "Subject": nil, "Message": message,
			"Timestamp": a.cfg.Clock.Now().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "1", "Signature": "local",
			"SigningCertUrl": "local", "UnsubscribeUrl": "local", "MessageAttributes": map[string]attribute{},
		}
		if subject != "" {
			body["Subject"] = subject
		}
		if attributes != nil {
			body["MessageAttributes"] = attributes
		}
		payload, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
			"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": s.ARN, "Sns": body,
		}}})
		if err != nil {
			return "", err
		}
		if _, err := a.Enqueue(s.FunctionName, payload); err != nil {
			return "", err
		}
	}
	if !heard {
		a.cfg.Log("", fmt.Sprintf("published to %s, where no function listens: %s", topic, message))
	}
	return id, nil
}

// sns answers the query protocol: a form with Action.
func (a *API) sns(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxAsync)
	if err := r.ParseForm(); err != nil {
		snsError(w, http.StatusBadRequest, "InvalidParameter", err.Error())
		return
	}
	if action := r.PostForm.Get("Action"); action != "Publish" {
		snsError(w, http.StatusBadRequest, "InvalidAction", "the local stack supports Publish only, not "+action)
		return
	}
	topic, message := r.PostForm.Get("TopicArn"), r.PostForm.Get("Message")
	if topic == "" {
		topic = r.PostForm.Get("TargetArn")
	}
	if message == "" || len(message) > 256<<10 {
		snsError(w, http.StatusBadRequest, "InvalidParameter", "Invalid parameter: Message must have 1 to 262144 bytes")
		return
	}
	attributes := map[string]attribute{}
	for i := 1; ; i++ {
		prefix := "MessageAttributes.entry." + strconv.Itoa(i) + "."
		name := r.PostForm.Get(prefix + "Name")
		if name == "" {
			break
		}
		attributes[name] = attribute{r.PostForm.Get(prefix + "Value.DataType"), r.PostForm.Get(prefix + "Value.StringValue")}
	}
	id, err := a.publish(topic, r.PostForm.Get("Subject"), message, attributes)
	switch {
	case errors.Is(err, errNoTopic):
		snsError(w, http.StatusNotFound, "NotFound", err.Error())
		return
	case err != nil:
		snsError(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	type result struct {
		MessageID string `xml:"MessageId"`
	}
	writeXML(w, http.StatusOK, struct {
		XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ PublishResponse"`
		Result    result   `xml:"PublishResult"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{Result: result{id}, RequestID: runtimeapi.NewRequestID()})
}

func snsError(w http.ResponseWriter, status int, code, message string) {
	writeXML(w, status, struct {
		XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{Type: "Sender", Code: code, Message: message, RequestID: runtimeapi.NewRequestID()})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(body)
}
