package fault

// Failure is what is kept of an error, so that it can be shown in the language
// of whoever reads it later. In JSON it has code, message and, if there is one,
// hint; message and hint are Texts.
type Failure struct {
	Code    Code `json:"code"`
	Message Text `json:"message"`
	Hint    Text `json:"hint,omitzero"`
}

// FailureOf makes what is kept of an error. An error that nobody coded is kept
// as defect.
func FailureOf(err error, defect *Error) Failure {
	if f := As(err); f != nil {
		return f.Failure()
	}
	return defect.Failure()
}

// Failure returns what is kept of the error. Its cause is not, since it may hold
// secrets, and neither are its fields; the log has both.
func (e *Error) Failure() Failure {
	f := Failure{Code: e.Code, Message: e.Message, Hint: e.HintText}
	// What a wrapped error adds to the story is lost on people unless its own
	// hint is kept where the outer one has none.
	if inner := As(e.Err); inner != nil && f.Hint.IsZero() {
		f.Hint = inner.HintText
	}
	return f
}

// Err turns the failure back into an error.
func (f Failure) Err() *Error { return &Error{Code: f.Code, Message: f.Message, HintText: f.Hint} }

// FailureView is a failure in somebody's language.
type FailureView struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// In shows the failure in a language.
func (f Failure) In(l Language) FailureView {
	return FailureView{f.Code, f.Message.In(l), f.Hint.In(l)}
}

// Warning is something that a person should know about work that was done
// nonetheless. Make one with Warn.
type Warning struct {
	Code    string `json:"code"`             // machine-readable: "unreadable", "full_instead", …
	Message string `json:"message"`          // in English
	Object  string `json:"object,omitempty"` // what it is about; "" for the work as a whole
	// Text is the message for other languages. It is zero in what was kept
	// before there were texts, and in what In returns.
	Text Text `json:"text,omitzero"`
}

// Warn makes a warning.
func Warn(code, object, format string, args ...any) Warning {
	return Text{format, args}.Warning(code, object)
}

// Warning makes a warning of a text.
func (t Text) Warning(code, object string) Warning { return Warning{code, t.String(), object, t} }

// In returns the warning for somebody to read: its message is in a language,
// and there is no Text. A warning without one is shown in English.
func (w Warning) In(l Language) Warning {
	if !w.Text.IsZero() {
		w.Message, w.Text = w.Text.In(l), Text{}
	}
	return w
}

// WarningsIn returns warnings for somebody to read. It is never nil.
func WarningsIn(l Language, all []Warning) []Warning {
	shown := make([]Warning, len(all))
	for i, w := range all {
		shown[i] = w.In(l)
	}
	return shown
}
