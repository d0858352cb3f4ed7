package logs

// Row is an entry as text, for those who pass entries on without looking into
// them; nil is null. CreatedAt is RFC 3339 in UTC with six digits of the
// second; Metadata is a JSON object. Its bytes are valid until the next row.
type Row struct {
	ID, CreatedAt, Level, Source, Message, Metadata, UserID, SessionID, PatternID []byte
}
