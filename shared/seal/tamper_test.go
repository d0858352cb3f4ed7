package seal_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"pgregory.net/rapid"

	"guarda/shared/fault"
	"guarda/shared/seal"
)

// mustNotRead fails the test when damaged bytes read as if they were sound.
func mustNotRead(t interface{ Errorf(string, ...any) }, stored []byte, o seal.Options, plain []byte, what string) {
	got, err := read(stored, o)
	if fault.CodeOf(err) != fault.Corrupt || fault.HintOf(err) == "" {
		t.Errorf("%s encrypted=%t, %s: read %d bytes of %d, error %v", o.Compression, o.Key != nil, what, len(got), len(plain), err)
	}
	if o.Key != nil && !bytes.HasPrefix(plain, got) {
		t.Errorf("%s, %s: bytes that nobody wrote were handed out", o.Compression, what)
	}
}

func TestEveryCutAndEveryFlipOfAnEncryptedStreamIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli, seal.None} {
		for _, n := range []int{0, 100} {
			o := seal.Options{Compression: c, Key: seal.NewDataKey(), AssociatedData: []byte("k")}
			plain := rows(1, n)
			stored, _ := write(t, o, plain)
			for cut := range len(stored) {
				mustNotRead(t, stored[:cut], o, plain, fmt.Sprintf("cut at %d", cut))
			}
			for i := range stored {
				for bit := range 8 {
					if c != seal.None && bit != i%8 {
						continue // below the compressor all streams are alike: all bits once
					}
					damaged := slices.Clone(stored)
					damaged[i] ^= 1 << bit
					mustNotRead(t, damaged, o, plain, fmt.Sprintf("bit %d of byte %d flipped", bit, i))
				}
			}
			mustNotRead(t, append(slices.Clone(stored), 0), o, plain, "a byte added")
			mustNotRead(t, append(slices.Clone(stored), stored...), o, plain, "repeated")
		}
	}
}

func TestEveryCutOfAnUnencryptedStreamIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli} {
		for _, n := range []int{0, 1, 3000} {
			o := seal.Options{Compression: c}
			plain := rows(1, n)
			stored, _ := write(t, o, plain)
			for cut := range len(stored) {
				mustNotRead(t, stored[:cut], o, plain, fmt.Sprintf("cut at %d", cut))
			}
			mustNotRead(t, append(slices.Clone(stored), 'x'), o, plain, "a byte added")
		}
	}
}

// TestAFlipOfACheckedStreamIsSeen: a flipped bit either changes nothing (it
// was in a part of the frame that carries no content, as gzip's time) or is
// an error; zstd and gzip carry a checksum.
func TestAFlipOfACheckedStreamIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []seal.Compression{seal.Zstd, seal.Gzip} {
		o := seal.Options{Compression: c}
		plain := rows(1, 1500)
		stored, _ := write(t, o, plain)
		for i := range stored {
			for bit := range 8 {
				damaged := slices.Clone(stored)
				damaged[i] ^= 1 << bit
				if got, err := read(damaged, o); err == nil && !bytes.Equal(got, plain) {
					t.Errorf("%s, bit %d of byte %d flipped: other bytes were read", c, bit, i)
				}
			}
		}
	}
}

// TestLongStreamsAreAuthenticatedAsAWhole works on streams of several
// segments: cut anywhere (at the segments' ends above all), parts exchanged,
// repeated or left out.
func TestLongStreamsAreAuthenticatedAsAWhole(t *testing.T) {
	t.Parallel()
	const segment = 1 << 20
	o := seal.Options{Compression: seal.None, Key: seal.NewDataKey(), AssociatedData: []byte("data/1")}
	plain := noise(1, 3*segment+12345)
	stored, _ := write(t, o, plain)
	for _, cut := range []int{segment, 2 * segment, 3 * segment} {
		for _, off := range []int{-1, 0, 1, 16} {
			mustNotRead(t, stored[:cut+off], o, plain, fmt.Sprintf("cut at %d", cut+off))
		}
	}
	for name, order := range map[string][]int{"second left out": {0, 2, 3}, "exchanged": {0, 2, 1, 3}, "repeated": {0, 1, 1, 2, 3}, "last left out": {0, 1, 2}} {
		var other []byte
		for _, i := range order {
			other = append(other, stored[i*segment:min(len(stored), (i+1)*segment)]...)
		}
		mustNotRead(t, other, o, plain, name)
	}
	rapid.Check(t, func(r *rapid.T) {
		at := rapid.IntRange(0, len(stored)-1).Draw(r, "at")
		if rapid.Bool().Draw(r, "cut") {
			mustNotRead(r, stored[:at], o, plain, fmt.Sprintf("cut at %d", at))
			return
		}
		bit := byte(1) << rapid.IntRange(0, 7).Draw(r, "bit")
		stored[at] ^= bit
		mustNotRead(r, stored, o, plain, fmt.Sprintf("byte %d changed", at))
		stored[at] ^= bit
	})
}

func TestTheCipherIsTinks(t *testing.T) {
	t.Parallel()
	secret := noise(7, 32)
	key, err := seal.DataKeyFromBytes(secret)
	if err != nil {
		t.Fatal(err)
	}
	tink, err := subtle.NewAESGCMHKDF(secret, "SHA256", 32, 1<<20, 0) // AES256_GCM_HKDF_1MB
	if err != nil {
		t.Fatal(err)
	}
	aad := []byte("data/1")
	o := seal.Options{Compression: seal.None, Key: key, AssociatedData: aad}
	for _, n := range []int{0, 1, 1<<20 - 57, 1<<20 - 56, 1<<20 - 55, 3 << 20} {
		plain := noise(1, n)
		stored, _ := write(t, o, plain)
		r, err := tink.NewDecryptingReader(bytes.NewReader(stored), aad)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Tink reads %d of our %d bytes: %v", len(got), n, err)
		}
		var theirs bytes.Buffer
		w, err := tink.NewEncryptingWriter(&theirs, aad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := read(theirs.Bytes(), o); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("we read %d of Tink's %d bytes: %v", len(got), n, err)
		}
	}
}

// TestAHostileStreamNeedsLittleMemory reads frames that ask for more memory
// than we give, and a gigabyte of zeros in a few kilobytes.
//
// It is not parallel: what is allocated is the whole program's.
func TestAHostileStreamNeedsLittleMemory(t *testing.T) {
	// RFC 8878 §3.1.1: magic, no single segment, window 2^(10+20) = 1 GiB, one
	// raw block of one byte.
	huge := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x09, 0x00, 0x00, 'x'}
	if got, err := read(huge, seal.Options{Compression: seal.Zstd}); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("a frame with a window of 1 GiB: %d bytes, %v", len(got), err)
	}
	for _, c := range []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli} {
		var bomb bytes.Buffer
		w, err := seal.NewWriter(&bomb, seal.Options{Compression: c})
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 64 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		stored := bomb.Bytes()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := seal.NewReader(bytes.NewReader(stored), seal.Options{Compression: c})
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, 64<<10))
		runtime.ReadMemStats(&after)
		if err != nil || n != 64<<20 {
			t.Errorf("%s: read %d bytes, %v", c, n, err)
		}
		r.Close()
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes in the store, %d allocated", c, len(stored), allocated)
		if allocated > 20<<20 {
			t.Errorf("%s: reading 64 MiB of zeros allocates %d bytes", c, allocated)
		}
	}
}

func FuzzReader(f *testing.F) {
	for i, c := range []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli, seal.None} {
		stored, _ := write(f, seal.Options{Compression: c}, rows(1, 200))
		f.Add(stored, uint8(i))
	}
	f.Fuzz(func(t *testing.T, stored []byte, which uint8) {
		o := seal.Options{Compression: []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli, seal.None}[which%4]}
		r, err := seal.NewReader(bytes.NewReader(stored), o)
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(r, 64<<20))
			r.Close()
		}
		if err != nil && fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("an error without a code: %v", err)
		}
		o.Key = seal.NewDataKey()
		if _, err := read(stored, o); fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("bytes that nobody encrypted were read: %v", err)
		}
	})
}
