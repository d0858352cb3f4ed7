package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"

	"guarda/shared/logs"
	"guarda/shared/logs/export"
)

// hostile are texts that break what is careless.
var hostile = []string{
	"plain", "", "=HYPERLINK(\"http://x\")", "+1", "-1", "@x", "\tcell", "\rcell", "'already", "a,b", "say \"hi\"", "two\nlines", "cr\r\nlf",
	"compressão, útil, ñ, ü", "emoji 😀 🚀 ✅ 👩‍💻 ⚠️", "漢字 العربية", "\x01\x1f\x7f", "_x0041_ _x41_ _", "\ufffe", " spaces ", "<b>&amp;</b>", `back\slash`, strings.Repeat("long ", 2000),
}

func rows() []export.Row {
	var out []export.Row
	for i, text := range hostile {
		r := export.Row{
			ID: fmt.Appendf(nil, "00000000-0000-4000-8000-%012d", i), CreatedAt: fmt.Appendf(nil, "2026-11-24T12:00:%02d.123456Z", i),
			Level: []byte(logs.Levels()[i%5]), Source: []byte("api"), Message: []byte(text), Metadata: []byte(`{"a": {"b": 1}, "c": "x"}`),
		}
		if i%2 == 0 {
			r.UserID, r.SessionID = []byte("11111111-1111-4111-8111-111111111111"), []byte(text)
		}
		out = append(out, r)
	}
	return out
}

func write(t *testing.T, f export.Format, o export.Options, rows []export.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := export.NewWriter(&b, f, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCSVIsReadBackAndHoldsNoFormula(t *testing.T) {
	t.Parallel()
	got, err := csv.NewReader(bytes.NewReader(write(t, export.CSV, export.Options{}, rows()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(hostile)+1 || strings.Join(got[0], " ") != "created_at level source message metadata user_id session_id pattern_id id" {
		t.Fatalf("%d records, header %q", len(got), got[0])
	}
	for i, text := range hostile {
		want := text
		if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r") {
			want = "'" + text
		}
		want = strings.ReplaceAll(want, "\r\n", "\n") // encoding/csv reads CRLF within quotes as LF
		if got[i+1][3] != want {
			t.Errorf("message %d: %q instead of %q", i, got[i+1][3], want)
		}
	}
}

func TestJSONKeepsEveryText(t *testing.T) {
	t.Parallel()
	check := func(list []map[string]any) {
		t.Helper()
		if len(list) != len(hostile) {
			t.Fatalf("%d entries", len(list))
		}
		for i, text := range hostile {
			if list[i]["message"] != text {
				t.Errorf("message %d: %q", i, list[i]["message"])
			}
			if m, ok := list[i]["metadata"].(map[string]any); !ok || m["c"] != "x" {
				t.Errorf("metadata is no object: %v", list[i]["metadata"])
			}
			if i%2 == 1 && list[i]["user_id"] != nil {
				t.Errorf("no user became %v", list[i]["user_id"])
			}
		}
	}
	var list []map[string]any
	if err := json.Unmarshal(write(t, export.JSON, export.Options{}, rows()), &list); err != nil {
		t.Fatal(err)
	}
	check(list)
	list = nil
	for l := range bytes.Lines(write(t, export.NDJSON, export.Options{}, rows())) {
		var one map[string]any
		if err := json.Unmarshal(l, &one); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		list = append(list, one)
	}
	check(list)
	if err := json.Unmarshal(write(t, export.JSON, export.Options{}, nil), &list); err != nil || len(list) != 0 {
		t.Errorf("no entries: %v, %v", list, err)
	}
}

func TestXLSXHoldsTextsAndNoFormulas(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(write(t, export.XLSX, export.Options{}, rows())))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetRows("Logs 1")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range hostile {
		if message := got[i+1][3]; message != text {
			t.Errorf("message %d: %q instead of %q", i, message, text)
		}
		if formula, err := f.GetCellFormula("Logs 1", fmt.Sprintf("D%d", i+2)); err != nil || formula != "" {
			t.Errorf("message %d is the formula %q (%v)", i, formula, err)
		}
	}
}

func TestXLSXCutsWhatACellDoesNotTake(t *testing.T) {
	t.Parallel()
	r := export.Row{ID: []byte("x"), CreatedAt: []byte("2026-11-24T12:00:00.000000Z"), Level: []byte("info"), Source: []byte("s"), Message: []byte(strings.Repeat("😀", 20_000)), Metadata: []byte("{}")}
	f, err := excelize.OpenReader(bytes.NewReader(write(t, export.XLSX, export.Options{Columns: []export.Column{export.Message}}, []export.Row{r})))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetCellValue("Logs 1", "A2")
	if err != nil || !strings.HasSuffix(got, "😀 […]") || len([]rune(got)) > 16_390 {
		t.Errorf("%d characters, ends in %q (%v)", len([]rune(got)), got[max(0, len(got)-20):], err)
	}
}

func TestParquetIsReadBackWithTypes(t *testing.T) {
	t.Parallel()
	type entry struct {
		CreatedAt time.Time `parquet:"created_at,timestamp(microsecond)"`
		Message   string    `parquet:"message"`
		Metadata  string    `parquet:"metadata"`
		UserID    *string   `parquet:"user_id"`
		Level     string    `parquet:"level"`
	}
	b := write(t, export.Parquet, export.Options{}, rows())
	got, err := parquet.Read[entry](bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range hostile {
		if e := got[i]; e.Message != text || e.CreatedAt.UTC() != time.Date(2026, 11, 24, 12, 0, i, 123456000, time.UTC) || (e.UserID == nil) != (i%2 == 1) || e.Level != string(logs.Levels()[i%5]) {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
}

func TestMaskedFilesHoldNothingThatTheRulesFind(t *testing.T) {
	t.Parallel()
	r := rows()[:1]
	r[0].Message, r[0].Metadata = []byte("mail ana@example.com"), []byte(`{"to": ["ana@example.com", 5]}`)
	for _, f := range []export.Format{export.CSV, export.JSON, export.NDJSON} {
		if b := write(t, f, export.Options{Mask: []string{logs.MaskEmail}}, r); bytes.Contains(b, []byte("ana@")) || !bytes.Contains(b, []byte("[email]")) {
			t.Errorf("%s: %s", f, b)
		}
	}
}

func TestPDFKeepsAccentsAndEmojiAndStatesWhatItLeftOut(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("GUARDA_TEST_STRICT") != "" {
			t.Fatal("pdftotext is not installed, and GUARDA_TEST_STRICT is set")
		}
		t.Skip("pdftotext (poppler-utils) is not installed")
	}
	o := export.Options{Language: "pt-BR", Start: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
		Made: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), Filters: []string{"Busca: disco cheio"}, Total: logs.Total{N: 6_000},
		Buckets: []export.Bucket{{Levels: map[logs.Level]int64{logs.Error: 3}}, {Levels: map[logs.Level]int64{logs.Info: 9}}}}
	var b bytes.Buffer
	w, err := export.NewWriter(&b, export.PDF, o)
	if err != nil {
		t.Fatal(err)
	}
	all, n := rows(), 0
	for err = nil; err == nil; n++ {
		r := all[n%(len(all)-1)] // without the longest
		err = w.Write(&r)
	}
	if !errors.Is(err, export.ErrFull) || n-1 != export.MaxPDFRows {
		t.Fatalf("it took %d entries: %v", n-1, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "logs.pdf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-layout", file, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text := string(out)
	for _, want := range []string{"compressão, útil, ñ, ü", "😀 🚀 ✅", "漢字", "Busca: disco cheio", "Outros 1.000 registros", "1 de ", "crítico", "=HYPERLINK"} {
		if !strings.Contains(text, want) {
			t.Errorf("the PDF's text has no %q", want)
		}
	}
}

// What no font of the PDF has is said, by the number of fields, and where to find
// it; what one has is not taken for that.
func TestPDFSaysWhatItCannotShow(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext (poppler-utils) is not installed")
	}
	text := func(messages ...string) string {
		var list []export.Row
		for _, m := range messages {
			r := rows()[0]
			r.Message, r.SessionID = []byte(m), nil
			list = append(list, r)
		}
		file := filepath.Join(t.TempDir(), "logs.pdf")
		if err := os.WriteFile(file, write(t, export.PDF, export.Options{Language: "en"}, list), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, "-layout", file, "-").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	shown := []string{"接続が拒否されました。カタカナ", "简体中文：连接被拒绝", "連線被拒絕", "연결이 거부되었습니다", "Соединение", "Tiếng Việt", "tab\there \x01", "👩\u200d💻 ⚠️"}
	got := text(shown...)
	if strings.Contains(got, "boxes") {
		t.Errorf("it says that it cannot show:\n%s", got)
	}
	for _, s := range shown[:6] {
		if !strings.Contains(got, s) {
			t.Errorf("its text has no %q", s)
		}
	}
	got = text("हिन्दी", "plain", "ภาษาไทย")
	if !strings.Contains(got, "drawn as boxes: 2.") || !strings.Contains(got, "ภาษาไทย") {
		t.Errorf("it does not say what it cannot show:\n%s", got)
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := export.NewWriter(&bytes.Buffer{}, "docx", export.Options{}); err == nil {
		t.Error("it was taken")
	}
}
