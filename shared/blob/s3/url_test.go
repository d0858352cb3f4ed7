package s3_test

import (
	"testing"

	"guarda/shared/blob/s3"
	"guarda/shared/fault"
)

func TestURLsAreRead(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]s3.Options{
		"s3://b":                       {Bucket: "b"},
		"s3://b/":                      {Bucket: "b"},
		"s3://b/p/q/?region=sa-east-1": {Bucket: "b", Prefix: "p/q", Region: "sa-east-1"},
		"s3://b/p?endpoint=http://127.0.0.1:7070&region=us-east-1&path_style=true": {Bucket: "b", Prefix: "p", Endpoint: "http://127.0.0.1:7070", Region: "us-east-1", PathStyle: true},
		"s3://b?endpoint=https://x.example":                                        {Bucket: "b", Endpoint: "https://x.example", PathStyle: true},
		"s3://b?path_style=false&endpoint=https://x.example":                       {Bucket: "b", Endpoint: "https://x.example"},
		"s3://b?sse=aws:kms&kms_key=alias/x":                                       {Bucket: "b", Encryption: "aws:kms", KMSKey: "alias/x"},
	} {
		if got, err := s3.ParseURL(raw); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("s3://b/p?endpoint=http://127.0.0.1:7070&region=us-east-1&path_style=true")
	f.Add("s3://user:pass@b/%2e%2e/x?x=%zz#f")
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := s3.ParseURL(raw)
		if err != nil && (fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "") {
			t.Errorf("%q: %v", raw, err)
		}
		if err == nil && o.Bucket == "" {
			t.Errorf("%q names no bucket and is taken", raw)
		}
	})
}
