package seal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/seal"
)

func keyFile(t *testing.T, text string) (seal.KeyProvider, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return seal.KeyFile(path)
}

func generate(t *testing.T) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "my.key")
	if err := seal.GenerateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(b)
}

func wrap(t *testing.T, p seal.KeyProvider) (*seal.DataKey, seal.WrappedKey) {
	t.Helper()
	key := seal.NewDataKey()
	w, err := p.Wrap(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return key, w
}

func TestAKeyFileIsPrivateAndNeverOverwritten(t *testing.T) {
	t.Parallel()
	path, text := generate(t)
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", st.Mode(), err)
	}
	if err := seal.GenerateKeyFile(path); fault.CodeOf(err) != fault.Conflict || fault.HintOf(err) == "" {
		t.Errorf("writing over it: %v", err)
	}
	if again, _ := os.ReadFile(path); string(again) != text {
		t.Error("it was overwritten")
	}
	if err := seal.GenerateKeyFile(filepath.Join(path, "x")); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a folder that is none: %v", err)
	}
	_, other := generate(t)
	if other == text {
		t.Error("two keys are equal")
	}
	p, err := seal.KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(strings.Split(text, "\n")[1], "# Key id: ")
	if len(id) != 16 || !strings.Contains(p.String(), id) || !strings.Contains(p.String(), path) {
		t.Errorf("the file says %q, the provider is %s", id, p)
	}
}

func TestAKeyFileIsReadWithForgiveness(t *testing.T) {
	t.Parallel()
	path, text := generate(t)
	original, err := seal.KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, wrapped := wrap(t, original)
	line := strings.Split(text, "\n")[3]
	for name, variant := range map[string]string{
		"the line alone":  line,
		"CRLF":            strings.ReplaceAll(text, "\n", "\r\n"),
		"byte order mark": "\xef\xbb\xbf" + text,
		"spaces":          "\n\n  " + strings.Replace(line, " ", "   ", 1) + "  \n\n# end",
	} {
		p, err := keyFile(t, variant)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := p.Unwrap(t.Context(), wrapped); err != nil || *got != *key {
			t.Errorf("%s is another key: %v", name, err)
		}
	}
}

func TestABadKeyFileIsExplainedWithoutShowingTheKey(t *testing.T) {
	t.Parallel()
	_, text := generate(t)
	line := strings.Split(text, "\n")[3]
	value := strings.Fields(line)[1]
	changed := []byte(value)
	changed[5] = map[bool]byte{true: 'B', false: 'A'}[changed[5] == 'A']
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "no line starts with GUARDA-KEY-1"},
		"only comments":   {"# x\n\n", "no line starts with GUARDA-KEY-1"},
		"other text":      {"\nhello " + value, "line 2: a key line starts with"},
		"bare key":        {value, "line 1: a key line starts with"},
		"newer version":   {"# x\nGUARDA-KEY-2 " + value, "line 2: the key is of a version"},
		"not base64":      {"GUARDA-KEY-1 " + value + "!", "line 1: the key is not valid base64"},
		"no value":        {"GUARDA-KEY-1", "line 1: the key has 0 bytes instead of 36"},
		"short":           {"GUARDA-KEY-1 " + value[:len(value)-4], "line 1: the key has 33 bytes instead of 36"},
		"mistyped":        {"GUARDA-KEY-1 " + string(changed), "line 1: the key's check digits are wrong"},
		"two keys":        {text + "\n" + line, "line 6: a key file holds one key, and line 4"},
		"a large file":    {strings.Repeat("# x\n", 5000), "more than 16384 bytes"},
		"a binary file":   {"\x00\x01\x02" + string(noise(1, 100)), "line 1"},
		"a private key":   {"-----BEGIN PRIVATE KEY-----\n" + value, "line 1: a key line starts with"},
		"two on one line": {line + " " + value, "line 1: the key is not valid base64"},
	} {
		_, err := keyFile(t, c.text)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), c.want) || fault.HintOf(err) == "" || !strings.Contains(fmt.Sprint(err), "my.key") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error()+fault.HintOf(err), value[:8]) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	if _, err := seal.KeyFile(t.TempDir() + "/none"); fault.CodeOf(err) != fault.NotFound || !strings.Contains(fault.HintOf(err), "guarda keygen") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := seal.KeyFile(t.TempDir()); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("a folder: %v", err)
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add("# Key id: x\nGUARDA-KEY-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
	f.Add("GUARDA-KEY-1\x00")
	f.Add("\xef\xbb\xbfGUARDA-KEY-9 \r\n")
	path := filepath.Join(f.TempDir(), "my.key")
	if err := seal.GenerateKeyFile(path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := keyFile(t, text)
		if err != nil {
			if fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		key, wrapped := wrap(t, p)
		if got, err := p.Unwrap(t.Context(), wrapped); err != nil || *got != *key {
			t.Errorf("%q: a key that does not unwrap what it wrapped: %v", text, err)
		}
	})
}

func TestTheWrongKeyIsNamed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	mine, err := seal.KeyFromBytes(noise(1, 32), "")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := seal.KeyFromBytes(noise(2, 32), "")
	if err != nil {
		t.Fatal(err)
	}
	phrase, err := seal.Passphrase([]byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	wrongPhrase, err := seal.Passphrase([]byte("open barley"))
	if err != nil {
		t.Fatal(err)
	}
	_, byMine := wrap(t, mine)
	_, byPhrase := wrap(t, phrase)
	for name, c := range map[string]struct {
		p    seal.KeyProvider
		w    seal.WrappedKey
		want []string
	}{
		"another key":      {theirs, byMine, []string{seal.KeyID(noise(1, 32)), seal.KeyID(noise(2, 32))}},
		"key for phrase":   {theirs, byPhrase, []string{"passphrase", seal.KeyID(noise(2, 32))}},
		"phrase for key":   {phrase, byMine, []string{"key-file", seal.KeyID(noise(1, 32)), "a passphrase"}},
		"another phrase":   {wrongPhrase, byPhrase, []string{"passphrase"}},
		"a kind of future": {mine, seal.WrappedKey{Provider: "hpke", KeyID: "x"}, []string{"hpke"}},
	} {
		_, err := c.p.Unwrap(ctx, c.w)
		if fault.CodeOf(err) != fault.Forbidden || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%s: %q is not in %v", name, want, err)
			}
		}
	}
}

func TestADamagedWrappedKeyIsCorrupt(t *testing.T) {
	t.Parallel()
	p, err := seal.KeyFromBytes(noise(1, 32), "prod-2026")
	if err != nil {
		t.Fatal(err)
	}
	_, w := wrap(t, p)
	for i := range w.Ciphertext {
		damaged := w
		damaged.Ciphertext = slices.Clone(w.Ciphertext)
		damaged.Ciphertext[i] ^= 1
		if _, err := p.Unwrap(t.Context(), damaged); fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("byte %d changed: %v", i, err)
		}
		damaged.Ciphertext = w.Ciphertext[:i]
		if _, err := p.Unwrap(t.Context(), damaged); fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	// The name is part of what is authenticated: a key of the same bytes and
	// another name does not take it.
	other, err := seal.KeyFromBytes(noise(1, 32), "other")
	if err != nil {
		t.Fatal(err)
	}
	w.KeyID = "other"
	if _, err := other.Unwrap(t.Context(), w); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("renamed: %v", err)
	}
}

func TestHostileParametersOfAPassphraseAreRefused(t *testing.T) {
	t.Parallel()
	p, err := seal.Passphrase([]byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	_, w := wrap(t, p)
	for name, values := range map[string][]string{
		"kdf":     {"", "scrypt"},
		"salt":    {"", "!", "AAAA", strings.Repeat("AAAA", 1000)},
		"time":    {"", "0", "17", "-1", "4294967296", "x"},
		"memory":  {"", "0", "262145", "4294967295", "1e3"},
		"threads": {"", "0", "17", "256", "257"},
	} {
		for _, v := range values {
			hostile := w
			hostile.Params = maps.Clone(w.Params)
			hostile.Params[name] = v
			if _, err := p.Unwrap(t.Context(), hostile); fault.CodeOf(err) != fault.Corrupt || !strings.Contains(fmt.Sprint(err), name) {
				t.Errorf("%s = %.20q: %v", name, v, err)
			}
		}
	}
	if _, err := seal.Passphrase(nil); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an empty passphrase: %v", err)
	}
	if _, w2 := wrap(t, p); bytes.Equal(w.Ciphertext, w2.Ciphertext) || w.Params["salt"] == w2.Params["salt"] {
		t.Error("two wraps are equal")
	}
}

func TestAWrappedKeySurvivesJSON(t *testing.T) {
	t.Parallel()
	p, err := seal.Passphrase([]byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	key, w := wrap(t, p)
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back seal.WrappedKey
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Unwrap(t.Context(), back); err != nil || *got != *key {
		t.Errorf("after JSON: %v", err)
	}
}

func TestADataKeyDoesNotShowItself(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789ABCDEF")
	key, err := seal.DataKeyFromBytes(secret)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.LogAttrs(context.Background(), slog.LevelInfo, "x", slog.Any("pointer", key), slog.Any("value", *key))
	shown := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, key) + fmt.Sprintf(verb, *key) + fmt.Sprintf(verb, struct{ K *seal.DataKey }{key}) + fmt.Sprintf(verb, struct{ K seal.DataKey }{*key})
	}
	for _, leak := range []string{"0123", "ABCDEF", "30313233", "48 49 50", "MDEy"} {
		if strings.Contains(shown, leak) {
			t.Errorf("the key shows as %q in %s", leak, shown)
		}
	}
	if b, err := json.Marshal(key); err == nil {
		t.Errorf("the key turns into JSON: %s", b)
	}
	if _, err := seal.DataKeyFromBytes(secret[:31]); err == nil {
		t.Error("a short key is taken")
	}
	if !bytes.Equal(key.Bytes(), secret) {
		t.Error("the key's bytes are others")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]seal.Compression{"": seal.Auto, "auto": seal.Auto, "zstd": seal.Zstd, "none": seal.None} {
		if got, err := seal.ParseCompression(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := seal.ParseCompression("lzma"); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "zstd") {
		t.Errorf("lzma: %v", err)
	}
	for _, o := range []seal.Options{{Compression: "lzma"}, {Compression: seal.Zstd, Level: 23}, {Compression: seal.Gzip, Level: 10}, {Compression: seal.Brotli, Level: -1}} {
		if _, err := seal.NewWriter(&bytes.Buffer{}, o); fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "" {
			t.Errorf("write with %+v: %v", o, err)
		}
	}
	for _, c := range []seal.Compression{"", seal.Auto, "lzma"} {
		if _, err := seal.NewReader(&bytes.Buffer{}, seal.Options{Compression: c}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("read with %q: %v", c, err)
		}
	}
	for c, levels := range map[seal.Compression][]int{seal.Zstd: {1, 5, 9, 22}, seal.Gzip: {1, 9}, seal.Brotli: {1, 11}} {
		for _, level := range levels {
			plain := rows(1, 20000)
			stored, _ := write(t, seal.Options{Compression: c, Level: level}, plain)
			if got, err := read(stored, seal.Options{Compression: c}); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s level %d: %v", c, level, err)
			}
		}
	}
}
