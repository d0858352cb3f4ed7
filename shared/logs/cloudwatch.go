package logs

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"guarda/shared/fault"
)

// CloudWatch reads what a CloudWatch Logs subscription sends (the user guide,
// "Log group-level subscription filters"): gzip of a JSON document. Control
// messages have no entries.
//
// An entry's id is made from CloudWatch's, so a delivery that comes twice is
// stored once. The source is the log group's last part, unless the line is a
// line of JSON, as structured loggers write them: then its level, message and
// time are the entry's, and the rest of it metadata. own is the source of
// lines of Guarda's own functions, which name the function.
func CloudWatch(data []byte, own string) (*Batch, error) {
	body, err := Decode(data, "gzip")
	if err != nil {
		return nil, err
	}
	var d struct {
		MessageType string `json:"messageType"`
		Owner       string `json:"owner"`
		LogGroup    string `json:"logGroup"`
		LogStream   string `json:"logStream"`
		LogEvents   []struct {
			ID        string `json:"id"`
			Timestamp int64  `json:"timestamp"` // milliseconds since 1970
			Message   string `json:"message"`
		} `json:"logEvents"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fault.New(fault.BadRequest, "the event is not one of a CloudWatch Logs subscription").Because(err)
	}
	b := &Batch{Sent: len(d.LogEvents)}
	if d.MessageType == "CONTROL_MESSAGE" {
		b.Sent = 0
		return b, nil
	}
	all := sha256.New()
	place, _ := json.Marshal(map[string]string{"log_group": d.LogGroup, "log_stream": d.LogStream})
	for i, ev := range d.LogEvents {
		message := strings.ReplaceAll(strings.ToValidUTF8(strings.TrimRight(ev.Message, "\r\n"), "\uFFFD"), "\x00", "\uFFFD")
		sum := sha256.Sum256([]byte(strings.Join([]string{d.Owner, d.LogGroup, d.LogStream, ev.ID}, "\x00")))
		all.Write(sum[:])
		e := Entry{ID: nameID(sum), GivenID: true, CreatedAt: time.UnixMilli(ev.Timestamp).UTC(), Level: Info, Source: lastPart(d.LogGroup), Message: message, Metadata: place, index: i}
		e.structured(place, own)
		if len(e.Message) > MaxMessage { // a subscription cannot send it again
			e.Message = strings.ToValidUTF8(e.Message[:MaxMessage], "")
		}
		if e.Message == "" {
			e.Message = " "
		}
		b.Entries = append(b.Entries, e)
	}
	b.ID = nameID([32]byte(all.Sum(nil)))
	return b, nil
}

func nameID(sum [32]byte) (id uuid.UUID) {
	copy(id[:], sum[:16])
	id[6], id[8] = 0x80|id[6]&0x0f, 0x80|id[8]&0x3f // version 8: made by rules of our own
	return id
}

// lastPart of /aws/lambda/name is name.
func lastPart(group string) string {
	name := group[strings.LastIndexByte(group, '/')+1:]
	if name == "" || len(name) > MaxSource {
		return "cloudwatch"
	}
	return name
}

// structured takes a line of JSON apart.
func (e *Entry) structured(place []byte, own string) {
	raw := []byte(e.Message)
	s := scanner{b: raw}
	if len(raw) == 0 || raw[0] != '{' || len(raw) > MaxMetadata {
		return
	}
	message, level := "", Level("")
	ours := false
	rest := bytes.TrimSuffix(bytes.Clone(place), []byte("}"))
	end, ok := s.object(0, 0, func(key, value []byte) {
		switch string(key) {
		case `"msg"`, `"message"`:
			if value[0] == '"' && message == "" {
				message = unquote(value)
				return
			}
		case `"level"`, `"severity"`:
			if value[0] == '"' {
				if level = LevelOf(unquote(value)); level != "" {
					return
				}
			}
		case `"time"`, `"timestamp"`:
			if value[0] == '"' {
				if t, ok := ParseTime(unquote(value)); ok {
					e.CreatedAt = t.Truncate(time.Microsecond)
					return
				}
			}
		case `"function"`:
			ours = value[0] == '"'
		case `"log_group"`, `"log_stream"`:
			return
		}
		rest = append(append(append(append(rest, ','), key...), ':'), value...)
	})
	if !ok || end != len(raw) || message == "" || s.numbers || s.depth > MaxDepth || strings.IndexByte(message, 0) >= 0 {
		return
	}
	cleaned, ok := clean(append(rest, '}'))
	if !ok {
		return
	}
	e.Message, e.Metadata = message, cleaned
	if level != "" {
		e.Level = level
	}
	if ours && own != "" {
		e.Source = own
	}
}
