package cold

import (
	"slices"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
)

// Filters are Parquet's split block Bloom filters over the XXH64 (seed 0) of
// each value: with ten bits a value about one in a hundred that is not there
// seems to be.
const (
	bitsPerValue = 10
	maxFilter    = 256 << 10 // bytes; with more values it errs more often, never the other way
)

// filterOf makes the filter of some values.
func filterOf(values map[string]struct{}) []byte {
	blocks := max(1, min(bloom.NumSplitBlocksOf(int64(len(values)), bitsPerValue), maxFilter/bloom.BlockSize))
	f := make(bloom.SplitBlockFilter, blocks)
	for v := range values {
		f.Insert(xxhash.Sum64([]byte(v)))
	}
	return slices.Clone(f.Bytes())
}

// filter answers whether a value may be there. The zero filter says that it may.
type filter []byte

func (f filter) may(value string) bool {
	if len(f) < bloom.BlockSize {
		return true
	}
	return bloom.MakeSplitBlockFilter(f).Check(xxhash.Sum64([]byte(value)))
}

// Values of the filter of keys: what a row is asked for by equality.
func userKey(id uuid.UUID) string    { return "u" + string(id[:]) }
func patternKey(id uuid.UUID) string { return "p" + string(id[:]) }
func sessionKey(s string) string     { return "s" + s }
func memberKey(name string) string   { return "m" + name }
