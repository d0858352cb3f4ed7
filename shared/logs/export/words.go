package export

import (
	"strconv"

	"guarda/shared/logs"
)

// words are the texts of a PDF in one language.
type words struct {
	language                                string
	title, made, from, to, entries, atLeast string
	limited, leftOut, cut, boxed            string
	shortened, page                         string
	nothing                                 string
	moment, clock                           string // layouts of times
	separator                               string // of thousands
	columns                                 map[Column]string
	levels                                  map[logs.Level]string
}

func wordsOf(language string) words {
	if language == "en" {
		return words{
			language: "en", title: "Logs", made: "Made", from: "From", to: "to", entries: "entries", atLeast: "at least",
			limited: "A PDF holds the first %s of them; CSV, JSON, XLSX and Parquet hold all.",
			leftOut: "%s further entries match and are not in this file. Export as CSV, JSON, XLSX or Parquet for all of them.",
			cut:     "%s fields were cut after %d lines.",
			boxed:   "Fields with characters that this PDF cannot show, drawn as boxes: %s. CSV, JSON, XLSX and Parquet hold them.", shortened: "[…]", page: "%d of %d", nothing: "No entry matches.",
			moment: "2006-01-02 15:04:05", clock: "2006-01-02 15:04:05.000", separator: ",",
			columns: map[Column]string{CreatedAt: "Time", Level: "Level", Source: "Source", Message: "Message", Metadata: "Metadata", UserID: "User", SessionID: "Session", PatternID: "Pattern", ID: "Id"},
			levels:  map[logs.Level]string{logs.Debug: "debug", logs.Info: "info", logs.Warn: "warning", logs.Error: "error", logs.Critical: "critical"},
		}
	}
	return words{
		language: "pt-BR", title: "Logs", made: "Gerado em", from: "De", to: "a", entries: "registros", atLeast: "pelo menos",
		limited: "Um PDF contém os primeiros %s; CSV, JSON, XLSX e Parquet contêm todos.",
		leftOut: "Outros %s registros correspondem e não estão neste arquivo. Exporte em CSV, JSON, XLSX ou Parquet para ter todos.",
		cut:     "%s campos foram cortados depois de %d linhas.",
		boxed:   "Campos com caracteres que este PDF não consegue mostrar, desenhados como quadros: %s. CSV, JSON, XLSX e Parquet os contêm.", shortened: "[…]", page: "%d de %d", nothing: "Nenhum registro corresponde.",
		moment: "02/01/2006 15:04:05", clock: "02/01/2006 15:04:05.000", separator: ".",
		columns: map[Column]string{CreatedAt: "Horário", Level: "Nível", Source: "Fonte", Message: "Mensagem", Metadata: "Metadados", UserID: "Usuário", SessionID: "Sessão", PatternID: "Padrão", ID: "Id"},
		levels:  map[logs.Level]string{logs.Debug: "depuração", logs.Info: "info", logs.Warn: "aviso", logs.Error: "erro", logs.Critical: "crítico"},
	}
}

// number writes a count with its thousands apart.
func (w *words) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + w.separator + s[i:]
	}
	return s
}
