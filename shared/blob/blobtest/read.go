package blobtest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

func testRanges(t *testing.T, s blob.Store, _ Options) {
	const content = "0123456789"
	put(t, s, "r", content)
	put(t, s, "empty", "")
	for _, c := range []struct {
		offset, length int64
		want           string
	}{
		{0, -1, content}, {0, 10, content}, {0, 11, content}, {0, 1, "0"}, {3, 4, "3456"}, {9, 1, "9"}, {9, 5, "9"},
		{5, -1, "56789"}, {10, -1, ""}, {10, 1, ""}, {11, 3, ""}, {1 << 40, -1, ""}, {0, 0, ""}, {4, 0, ""}, {0, 1<<63 - 1, content}, {7, 1<<63 - 1, "789"},
	} {
		if got := getRange(t, s, "r", c.offset, c.length); got != c.want {
			t.Errorf("get [%d, +%d) = %q, want %q", c.offset, c.length, got, c.want)
		}
	}
	for _, c := range [][2]int64{{0, -1}, {0, 1}, {1, -1}, {0, 0}} {
		if got := getRange(t, s, "empty", c[0], c[1]); got != "" {
			t.Errorf("get %v of the empty object = %q", c, got)
		}
	}
	if _, err := s.Get(t.Context(), "r", -1, 1); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a negative offset: %v", err)
	}
	if _, err := s.Get(t.Context(), "none", 0, 0); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an empty range of no object: %v", err)
	}
	r, err := s.Get(t.Context(), "r", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil { // without reading
		t.Errorf("close: %v", err)
	}
}

func testList(t *testing.T, s blob.Store, _ Options) {
	// In byte order '-', '.' and '+' come before '/', '0' and letters after.
	all := []string{"a+b", "a-b/1", "a.b", "a/1", "a/10", "a/2/x", "a/2/y/z", "a0", "ab/c", "b", "c/d/e/f"}
	for _, k := range slices.Backward(all) {
		put(t, s, k, "content of "+k)
	}
	for prefix, want := range map[string][]string{
		"":      all,
		"a":     all[:9],
		"a/":    {"a/1", "a/10", "a/2/x", "a/2/y/z"},
		"a/1":   {"a/1", "a/10"},
		"a/2":   {"a/2/x", "a/2/y/z"},
		"a/2/":  {"a/2/x", "a/2/y/z"},
		"b":     {"b"},
		"b/":    nil,
		"b/c/d": nil,
		"zz":    nil,
		"z/z/":  nil,
		"c/d/":  {"c/d/e/f"},
	} {
		if got := keys(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("list %q = %q, want %q", prefix, got, want)
		}
	}
	for o, err := range s.List(t.Context(), "a/2/y") {
		if err != nil || o.Key != "a/2/y/z" || o.Size != int64(len("content of a/2/y/z")) || o.Modified.IsZero() || o.Modified.Location() != time.UTC {
			t.Errorf("list gave %+v, %v", o, err)
		}
	}
	for prefix, want := range map[string][]string{
		"":     {"a-b/", "a/", "ab/", "c/"},
		"a/":   {"2/"},
		"a/2/": {"y/"},
		"c/":   {"d/"},
		"b/":   nil,
		"zz/":  nil,
	} {
		if got := folders(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("folders %q = %q, want %q", prefix, got, want)
		}
	}
	for range s.List(t.Context(), "") {
		break // stopping early is fine
	}
	for range s.Folders(t.Context(), "") {
		break
	}
	if err := s.Delete(t.Context(), "c/d/e/f", "a/2/y/z"); err != nil {
		t.Fatal(err)
	}
	if got := folders(t, s, ""); !slices.Equal(got, []string{"a-b/", "a/", "ab/"}) {
		t.Errorf("a folder whose objects are gone is still listed: %q", got)
	}
	if got := folders(t, s, "a/2/"); got != nil {
		t.Errorf("a folder whose objects are gone is still listed: %q", got)
	}
	for _, prefix := range []string{"/", "../", "a//b", "a/../", "a\x00", "ü"} {
		if !invalid(s.List(t.Context(), prefix)) || !invalid(s.Folders(t.Context(), prefix)) {
			t.Errorf("prefix %q is taken", prefix)
		}
	}
	if !invalid(s.Folders(t.Context(), "a")) {
		t.Error("folders of a prefix without a slash at the end are listed")
	}
}

func invalid[V any](seq func(func(V, error) bool)) bool {
	for _, err := range seq {
		return fault.CodeOf(err) == fault.Invalid
	}
	return false
}

func testManyKeys(t *testing.T, s blob.Store, _ Options) {
	const n = 1105 // a page of S3 has 1000
	var want, wantFolders []string
	work := make(chan string, n)
	for i := range n {
		folder := fmt.Sprintf("%04d/", i)
		want = append(want, "many/"+folder+"x")
		wantFolders = append(wantFolders, folder)
		work <- "many/" + folder + "x"
	}
	close(work)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for k := range work {
				if _, err := s.Put(t.Context(), k, strings.NewReader(k), blob.PutOptions{}); err != nil {
					t.Errorf("put %s: %v", k, err)
				}
			}
		})
	}
	wg.Wait()
	if got := keys(t, s, "many/"); !slices.Equal(got, want) {
		t.Errorf("listed %d of %d keys, or in another order", len(got), n)
	}
	if got := folders(t, s, "many/"); !slices.Equal(got, wantFolders) {
		t.Errorf("listed %d of %d folders, or in another order", len(got), n)
	}
	if err := s.Delete(t.Context(), append(want[:n-1:n-1], "many/none")...); err != nil {
		t.Fatalf("delete %d keys: %v", n, err)
	}
	if got := keys(t, s, ""); !slices.Equal(got, want[n-1:]) {
		t.Errorf("after deleting all but one there are %d", len(got))
	}
}

// oddKeys use every character that ValidKey allows, and segments that look
// like something else.
var oddKeys = []string{
	"!-_.*'()=+,@/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/0123456789",
	"...", ".hidden", "-", "a/.b/..c/d..", "a=b/c=d,e=f", "x@y+z", "(1)", "'",
	strings.Repeat("a", 200) + "/" + strings.Repeat("b", 200) + "/" + strings.Repeat("c", 200) + "/" + strings.Repeat("d", 200) + "/" + strings.Repeat("e", 96),
}

func testOddKeys(t *testing.T, s blob.Store, _ Options) {
	for _, k := range oddKeys {
		put(t, s, k, "content of "+k)
	}
	for _, k := range oddKeys {
		if got := get(t, s, k); got != "content of "+k {
			t.Errorf("%s holds %q", k, got)
		}
		if got := keys(t, s, k); !slices.Contains(got, k) {
			t.Errorf("list of %s gives %q", k, got)
		}
		if _, err := s.Stat(t.Context(), k); err != nil {
			t.Errorf("stat: %v", err)
		}
	}
	if got := keys(t, s, ""); len(got) != len(oddKeys) || !slices.IsSorted(got) {
		t.Errorf("listed %q", got)
	}
	if err := s.Delete(t.Context(), oddKeys...); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, s, ""); got != nil {
		t.Errorf("after the delete there is %q", got)
	}
}

func testInvalidKeys(t *testing.T, s blob.Store, o Options) {
	for _, k := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../../b", "a b", "a\\b", "a%2fb", "a\x00b", "a\nb", "é", "a:b", "a?b", "a#b", strings.Repeat("a", 901)} {
		_, err := s.Put(t.Context(), k, strings.NewReader("x"), blob.PutOptions{})
		check(t, err, fault.Invalid, "put %q", k)
		_, err = s.Get(t.Context(), k, 0, -1)
		check(t, err, fault.Invalid, "get %q", k)
		_, err = s.Stat(t.Context(), k)
		check(t, err, fault.Invalid, "stat %q", k)
		check(t, s.Delete(t.Context(), "fine", k), fault.Invalid, "delete %q", k)
		_, err = s.SignedURL(t.Context(), k, blob.SignOptions{TTL: time.Minute})
		check(t, err, fault.Invalid, "link to %q", k)
	}
	leavesNothing(t, s, o)
}

func check(t *testing.T, err error, want fault.Code, format string, args ...any) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("%s: got %v, want the code %s", fmt.Sprintf(format, args...), err, want)
	}
}

func testMissing(t *testing.T, s blob.Store, _ Options) {
	put(t, s, "a/b", "x")
	for _, k := range []string{"none", "a", "a/none", "a/b/c", "a/b/c/d"} {
		_, err := s.Get(t.Context(), k, 0, -1)
		check(t, err, fault.NotFound, "get %s", k)
		_, err = s.Get(t.Context(), k, 3, 4)
		check(t, err, fault.NotFound, "get a range of %s", k)
		_, err = s.Stat(t.Context(), k)
		check(t, err, fault.NotFound, "stat %s", k)
		if fault.HintOf(err) == "" || !strings.Contains(err.Error(), k) {
			t.Errorf("stat %s: the error %q has no hint or does not name the object", k, err)
		}
		if err := s.Delete(t.Context(), k); err != nil {
			t.Errorf("delete %s: %v", k, err)
		}
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Errorf("delete of nothing: %v", err)
	}
	if got := get(t, s, "a/b"); got != "x" {
		t.Errorf("deleting others changed the object to %q", got)
	}
}

func testCanceled(t *testing.T, s blob.Store, o Options) {
	ctx := canceled()
	_, err := s.Put(ctx, "a", strings.NewReader("x"), blob.PutOptions{})
	check(t, err, fault.Canceled, "put")
	leavesNothing(t, s, o)
	put(t, s, "a/b", "x")
	_, err = s.Get(ctx, "a/b", 0, -1)
	check(t, err, fault.Canceled, "get")
	_, err = s.Stat(ctx, "a/b")
	check(t, err, fault.Canceled, "stat")
	check(t, s.Delete(ctx, "a/b"), fault.Canceled, "delete")
	for _, err = range s.List(ctx, "") {
	}
	check(t, err, fault.Canceled, "list")
	for _, err = range s.Folders(ctx, "") {
	}
	check(t, err, fault.Canceled, "folders")
	if get(t, s, "a/b") != "x" {
		t.Error("the object changed")
	}
}

func testLinks(t *testing.T, s blob.Store, o Options) {
	fetch := func(link string, header ...string) (status int, body string, h http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(header) == 2 {
			req.Header.Set(header[0], header[1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b), res.Header
	}
	for _, key := range append([]string{"plain.txt", "secret"}, oddKeys...) {
		put(t, s, key, "content of "+key)
		link, err := s.SignedURL(t.Context(), key, blob.SignOptions{TTL: time.Minute, FileName: `relatório "final".zst`})
		if err != nil {
			t.Fatal(err)
		}
		status, body, h := fetch(link)
		if status != 200 || body != "content of "+key {
			t.Errorf("%s: status %d, %q", link, status, body)
		}
		if d := h.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") || !strings.Contains(d, "relat%C3%B3rio") {
			t.Errorf("%s: offers the name %q", link, d)
		}
	}
	link, err := s.SignedURL(t.Context(), "plain.txt", blob.SignOptions{TTL: 7 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := fetch(link, "Range", "bytes=2-4"); status != 206 || body != "nte" {
		t.Errorf("a range of a link: status %d, %q", status, body)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	tampered := map[string]string{
		"another key":   strings.Replace(link, "plain.txt", "secret", 1),
		"no parameters": strings.TrimSuffix(link, "?"+u.RawQuery),
	}
	for name := range u.Query() {
		q := u.Query()
		v := q.Get(name)
		if v == "" || strings.EqualFold(name, "x-id") { // x-id says which operation, for logs
			continue
		}
		last := v[len(v)-1]
		q.Set(name, v[:len(v)-2]+string("01"[b2i(v[len(v)-2] == '0')])+string(last))
		tampered["another "+name] = strings.Replace(link, u.RawQuery, q.Encode(), 1)
		q.Del(name)
		tampered["no "+name] = strings.Replace(link, u.RawQuery, q.Encode(), 1)
	}
	tampered["expired"] = o.Expired(t, s, "plain.txt")
	for name, l := range tampered {
		if status, body, _ := fetch(l); status < 400 || status >= 500 || strings.Contains(body, "content of") {
			t.Errorf("%s: status %d, %q\n%s", name, status, body, l)
		}
	}
	for _, ttl := range []time.Duration{-time.Second, 0, 8 * 24 * time.Hour} {
		_, err := s.SignedURL(t.Context(), "plain.txt", blob.SignOptions{TTL: ttl})
		check(t, err, fault.Invalid, "a link for %s", ttl)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
