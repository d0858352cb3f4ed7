package source_test

import (
	"bytes"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/source"
)

func TestParseDSNTakesBothForms(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]source.Address{
		"postgres://ana:p%40ss@db.example.com/shop":                                   {Host: "db.example.com", Port: 5432, Database: "shop", Username: "ana"},
		"postgresql://ana@[2001:db8::1]:5433/shop?sslmode=require&connect_timeout=5":  {Host: "2001:db8::1", Port: 5433, Database: "shop", Username: "ana"},
		"host=127.0.0.1 port=5434 dbname=shop user=ana password='it''s'":              {},
		`host=127.0.0.1 port=5434 dbname=shop user=ana password='a \' b'`:             {Host: "127.0.0.1", Port: 5434, Database: "shop", Username: "ana"},
		"  host = db  dbname = 'my shop'   user=ana":                                  {Host: "db", Port: 5432, Database: "my shop", Username: "ana"},
		"postgres:///shop?host=db&user=ana":                                           {Host: "db", Port: 5432, Database: "shop", Username: "ana"},
		"postgres://postgres.ref:x@aws-0-sa-east-1.pooler.supabase.com:6543/postgres": {Host: "aws-0-sa-east-1.pooler.supabase.com", Port: 6543, Database: "postgres", Username: "postgres.ref"},
	} {
		got, err := source.ParseDSN(dsn)
		if want == (source.Address{}) {
			if err == nil {
				t.Errorf("%s: %+v", dsn, got)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %+v, %v", dsn, got, err)
		}
	}
}

// The variables that a driver would take what is missing from are set in
// TestMain's place: t.Setenv forbids running in parallel.
func TestParseDSNTakesNothingFromThisMachine(t *testing.T) {
	for _, v := range []string{"PGHOST", "PGUSER", "PGDATABASE", "PGPASSWORD"} {
		t.Setenv(v, "from-environment")
	}
	const password = "hunter2"
	for _, dsn := range []string{
		"", "x", "postgres://", "http://u@h/d", "postgres://u:" + password + "@h:port/d", "host", "host='h",
		"postgres://u:" + password + "@/shop", "postgres://h/shop", "postgres://u@h", "postgres://u@h/",
		"host=h user=u", "host=h dbname=d", "user=u dbname=d password=" + password,
		"postgres:///d?host=/var/run/postgresql&user=u", "host=/tmp dbname=d user=u", "host=@abstract dbname=d user=u",
		"postgres://u@h/d?passfile=/etc/passwd", "host=h user=u dbname=d passfile=/etc/passwd", "postgres://u@h/d?service=x", "host=h user=u dbname=d servicefile=/x",
		"postgres://u@h/d?sslkey=/x&sslcert=/y", "postgres://u@h/d?sslrootcert=/etc/passwd", "host=h user=u dbname=d sslcert = /x",
		"postgres://u@h1,h2/d", "host=h1,h2 user=u dbname=d", "postgres://u@h:99999/d", "postgres://u@h/d?sslmode=perhaps",
	} {
		got, err := source.ParseDSN(dsn)
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %+v, %v", dsn, got, err)
		} else if strings.Contains(err.Error(), password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func FuzzParseDSN(f *testing.F) {
	for _, s := range []string{"postgres://u:p@h:1/d?sslmode=require", "host=h user='u' dbname=d", `a=\`, "host=h passfile =x", "postgres://u@h/d?PASSFILE=x", "='"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		a, err := source.ParseDSN(dsn)
		switch {
		case err != nil && fault.CodeOf(err) != fault.Invalid:
			t.Errorf("%q: %v", dsn, err)
		case err == nil && (a.Host == "" || a.Database == "" || a.Username == "" || a.Port < 1 || a.Port > 65535 || strings.HasPrefix(a.Host, "/")):
			t.Errorf("%q was taken as %+v", dsn, a)
		}
	})
}

func TestSealedDSNOpensOnlyForItsSourceAndKey(t *testing.T) {
	t.Parallel()
	sealer, err := source.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := source.NewSealer(bytes.Repeat([]byte{8}, 32))
	const id, dsn = "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11", "postgres://u:p@h/d"
	sealed := sealer.Seal(id, dsn)
	if bytes.Equal(sealed, sealer.Seal(id, dsn)) || bytes.Contains(sealed, []byte("postgres")) {
		t.Error("it is not sealed with a fresh nonce")
	}
	if got, err := sealer.Open(strings.ToUpper(id), sealed); err != nil || got != dsn {
		t.Errorf("%s, %v", got, err)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if _, err := sealer.Open(id, broken); fault.CodeOf(err) != fault.Corrupt {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if _, err := sealer.Open("7f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11", sealed); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("another source: %v", err)
	}
	if _, err := other.Open(id, sealed); fault.CodeOf(err) != fault.Corrupt || !strings.Contains(fault.HintOf(err), "GUARDA_SECRETS_KEY") {
		t.Errorf("another key: %v", err)
	}
	if _, err := sealer.Open(id, nil); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("nothing: %v", err)
	}
	if _, err := source.NewSealer([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}
