package export

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"guarda/shared/fault"
)

// TestALineThatEndsTheRowsIsRefused however the text is cut into pieces.
func TestALineThatEndsTheRowsIsRefused(t *testing.T) {
	t.Parallel()
	for text, fine := range map[string]bool{
		"a\nb\n": true, "a\\.\n": true, "\\.x\n": true, "\\\\.\n": true, "\\N\n": true, "\\.\t\\.\n": true,
		"\\.\n": false, "a\n\\.\nb\n": false, "a\n\\.\r\n": false, "\\N\n\\.\n": false,
	} {
		for size := 1; size <= len(text); size++ {
			var out bytes.Buffer
			p := &plain{out: &counter{w: &out}}
			p.buf = bufio.NewWriter(p.out)
			c := &copyText{p: p, start: true}
			var err error
			for rest := text; rest != "" && err == nil; {
				n := min(size, len(rest))
				_, err = c.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			_ = p.buf.Flush()
			if fine && (err != nil || out.String() != text) {
				t.Errorf("%q in pieces of %d: %q, %v", text, size, out.String(), err)
			}
			if !fine && (fault.CodeOf(err) != fault.Corrupt || strings.Contains("\n"+out.String(), "\n\\.\n")) {
				t.Errorf("%q in pieces of %d was written: %q, %v", text, size, out.String(), err)
			}
		}
	}
}
