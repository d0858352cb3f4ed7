package execution

import (
	"errors"

	"guarda/shared/fault"
)

// FailureOf makes what is kept of why a run failed.
func FailureOf(err error) fault.Failure {
	return fault.FailureOf(err, fault.New(fault.Internal, "the run failed by a defect of this program").
		Hint("look for the run's id in the functions' logs; they have the cause"))
}

// Interrupted reports whether err says that a run was stopped, not that it
// failed.
func Interrupted(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == fault.Canceled
}
