package execution

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"

	"guarda/shared/fault"
)

// Failure is why a run failed, kept so that it can be shown in the language
// of whoever reads it later.
type Failure struct {
	Code    fault.Code
	Message fault.Text
	Hint    fault.Text
}

// FailureOf makes what is kept of an error. The cause of an error that nobody
// coded is not kept: it may hold secrets, and the log has it.
func FailureOf(err error) Failure {
	f := fault.As(err)
	if f == nil {
		f = fault.New(fault.Internal, "the run failed by a defect of this program").
			Hint("look for the run's id in the functions' logs; they have the cause")
	}
	out := Failure{Code: f.Code, Message: f.Message, Hint: f.HintText}
	// What a wrapped error adds to the story is lost on people unless its own
	// hint is kept where the outer one has none.
	if inner := fault.As(f.Err); inner != nil && out.Hint.Format == "" {
		out.Hint = inner.HintText
	}
	return out
}

// Err turns the failure back into an error.
func (f Failure) Err() *fault.Error {
	return &fault.Error{Code: f.Code, Message: f.Message, HintText: f.Hint}
}

type keptText struct {
	Format string `json:"format"`
	Args   []any  `json:"args,omitempty"`
}

type keptFailure struct {
	Code    fault.Code `json:"code"`
	Message keptText   `json:"message"`
	Hint    *keptText  `json:"hint,omitempty"`
}

// MarshalJSON keeps formats and arguments apart.
func (f Failure) MarshalJSON() ([]byte, error) {
	k := keptFailure{Code: f.Code, Message: keptText{f.Message.Format, keep(f.Message.Args)}}
	if f.Hint.Format != "" {
		k.Hint = &keptText{f.Hint.Format, keep(f.Hint.Args)}
	}
	return json.Marshal(k)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Failure) UnmarshalJSON(raw []byte) error {
	var k keptFailure
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	*f = Failure{Code: k.Code, Message: fault.Text{Format: k.Message.Format, Args: restore(k.Message.Args)}}
	if k.Hint != nil {
		f.Hint = fault.Text{Format: k.Hint.Format, Args: restore(k.Hint.Args)}
	}
	return nil
}

// keep makes arguments that JSON can hold and that print as before: numbers
// stay numbers, anything that prints itself becomes what it prints.
func keep(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case fmt.Stringer, error:
			out[i] = fmt.Sprint(v)
			continue
		case []byte:
			out[i] = string(v)
			continue
		}
		switch v := reflect.ValueOf(a); v.Kind() {
		case reflect.Bool:
			out[i] = v.Bool()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			out[i] = v.Int()
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			out[i] = v.Uint()
		case reflect.Float32, reflect.Float64:
			out[i] = v.Float()
		case reflect.String:
			out[i] = v.String()
		default:
			out[i] = fmt.Sprint(a)
		}
	}
	return out
}

// restore undoes what JSON does to whole numbers. A floating-point argument
// that happens to be whole becomes one too; messages print floats with %v or
// as text, so nobody sees it.
func restore(args []any) []any {
	for i, a := range args {
		if v, ok := a.(float64); ok && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			args[i] = int64(v)
		}
	}
	return args
}

// Interrupted reports whether err says that a run was stopped, not that it
// failed.
func Interrupted(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == fault.Canceled
}
