// Package blobtest is the conformance suite that every blob.Store passes.
package blobtest

import (
	"testing"

	"guarda/shared/blob"
)

// Options tell the suite what it cannot find out by itself.
type Options struct {
	// Expired returns a link to the key that was valid once and is no more.
	// nil: the store's links are not http links, and links are not tested.
	Expired func(t *testing.T, s blob.Store, key string) string
	// Unfinished lists what interrupted uploads left in the store where List
	// does not show it. nil: there is no such thing.
	Unfinished func(t *testing.T, s blob.Store) []string
}

// Run runs the suite. open returns an empty store each time it is called; the
// tests run in parallel.
func Run(t *testing.T, open func(t *testing.T) blob.Store, o Options) {
	run := func(name string, test func(t *testing.T, s blob.Store, o Options)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t), o)
		})
	}
	run("every size comes back", testSizes)
	run("the hash is that of the bytes", testHash)
	run("put replaces", testReplace)
	run("if-absent keeps the first", testIfAbsent)
	run("of many if-absent puts one wins", testIfAbsentRace)
	run("ranges", testRanges)
	run("list and folders", testList)
	run("more than a page of keys", testManyKeys)
	run("keys with every allowed character", testOddKeys)
	run("invalid keys are refused", testInvalidKeys)
	run("missing objects", testMissing)
	run("a body that fails leaves nothing", testFailingBody)
	run("a canceled put leaves nothing", testCanceledPut)
	run("a canceled context stops every call", testCanceled)
	run("a failed put keeps the old object", testFailedReplace)
	run("readers see whole objects", testWholeObjects)
	if o.Expired != nil {
		run("links read without credentials", testLinks)
	}
}
