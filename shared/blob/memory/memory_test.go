package memory_test

import (
	"testing"

	"guarda/shared/blob"
	"guarda/shared/blob/blobtest"
	"guarda/shared/blob/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(*testing.T) blob.Store { return memory.New() }, blobtest.Options{})
}
