package kmskey_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"guarda/shared/fault"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/seal"
	"guarda/shared/seal/kmskey"
)

// moto starts moto's KMS and returns its address.
func moto(t *testing.T) string {
	t.Helper()
	if err := exec.Command("python3", "-c", "import moto.server").Run(); err != nil {
		if os.Getenv("GUARDA_TEST_STRICT") != "" {
			t.Fatalf("moto is not on this machine: %v", err)
		}
		t.Skip("moto is not on this machine")
	}
	free, err := pgserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	// The pipe ends it when this program is killed.
	cmd := exec.Command("python3", "-c", `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])`, port)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	address := "http://127.0.0.1:" + port
	for range 6000 { // Python is slow to load it on a busy machine
		if res, err := http.Get(address + "/moto-api/"); err == nil {
			res.Body.Close()
			return address
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatal("moto does not answer")
	return ""
}

func TestAKeyInKMSWrapsDataKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := kmskey.Options{Region: "us-east-1", Endpoint: moto(t), Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	client := kms.New(kms.Options{BaseEndpoint: &o.Endpoint, Region: o.Region, Credentials: o.Credentials})
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/guarda"), TargetKeyId: made.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	o.KeyID = "alias/guarda"
	p, err := kmskey.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	key := seal.NewDataKey()
	wrapped, err := p.Wrap(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	if wrapped.Provider != "aws-kms" || wrapped.KeyID != *made.KeyMetadata.Arn {
		t.Errorf("wrapped by %s %s", wrapped.Provider, wrapped.KeyID)
	}
	// Reading needs no key to be named: the wrapped key names it.
	o.KeyID = ""
	reader, err := kmskey.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reader.Unwrap(ctx, wrapped); err != nil || *got != *key {
		t.Errorf("unwrap: %v", err)
	}
	if _, err := reader.Wrap(ctx, key); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("wrap without a key: %v", err)
	}
	// The encryption context is bound.
	if _, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: wrapped.Ciphertext}); err == nil {
		t.Error("the ciphertext opens without its context")
	}

	damaged := wrapped
	damaged.Ciphertext = append([]byte(nil), wrapped.Ciphertext...)
	damaged.Ciphertext[len(damaged.Ciphertext)-1] ^= 1
	if _, err := p.Unwrap(ctx, damaged); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("a damaged key: %v", err)
	}
	if _, err := p.Unwrap(ctx, seal.WrappedKey{Provider: "key-file", KeyID: "k1"}); fault.CodeOf(err) != fault.Forbidden || !strings.Contains(fmt.Sprint(err), "alias/guarda") {
		t.Errorf("a key of another provider: %v", err)
	}
	o.KeyID = "alias/none"
	other, err := kmskey.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Wrap(ctx, key); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("no such key: %v", err)
	}
}

func TestAKMSThatDoesNotAnswerIsUnavailable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p, err := kmskey.New(t.Context(), kmskey.Options{
		KeyID: "alias/x", Region: "us-east-1", Endpoint: "http://" + l.Addr().String(),
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wrap(t.Context(), seal.NewDataKey()); fault.CodeOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
		t.Errorf("wrap: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wrap(ctx, seal.NewDataKey()); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("wrap, canceled: %v", err)
	}
}

func TestAnswersOfKMSAreExplained(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		code fault.Code
		hint string
	}{
		"DisabledException":          {fault.Conflict, "enable the key"}, // moto lets a disabled key work
		"KMSInvalidStateException":   {fault.Conflict, "cancel its deletion"},
		"AccessDeniedException":      {fault.Forbidden, "kms:Encrypt"},
		"IncorrectKeyException":      {fault.Forbidden, "another copy"},
		"KMSInternalException":       {fault.Unavailable, "try again"},
		"DependencyTimeoutException": {fault.Unavailable, "try again"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amzn-Errortype", code)
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"__type": %q, "message": "said so"}`, code)
			}))
			t.Cleanup(server.Close)
			p, err := kmskey.New(t.Context(), kmskey.Options{
				KeyID: "alias/x", Region: "us-east-1", Endpoint: server.URL,
				Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Wrap(t.Context(), seal.NewDataKey())
			if fault.CodeOf(err) != want.code || !strings.Contains(fault.HintOf(err), want.hint) {
				t.Errorf("%v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}
