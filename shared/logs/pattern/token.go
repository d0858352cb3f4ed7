package pattern

// kind says what a token of a message is to the miner.
type kind uint8

const (
	punct kind = iota // punctuation, one rune class a token: "(", "=", ":", …
	word              // letters: a constant until the statistics say otherwise
	value             // a number, address, time, path, …: never part of a template
	soft              // a name with digits, dots or slashes: "blk_17", "eth0", "a.b.C"
)

// A token is one piece of a message. Its text is line[from:to]; for a value
// that is the unit that follows it ("ms" in "12 ms"), or nothing.
type token struct {
	hash     uint64 // of what the token means for the pattern: see finish
	from, to int32
	kind     kind
	glued    bool // no space before it
	head     bool // first word of the message
	label    bool // names what follows: before "=", ":" or "("
	place    place
}

// place says what stands before a word; it changes how soon differing words at
// that place are believed to be a variable.
type place uint8

const (
	inProse   place = iota
	afterKey        // key=word, "word", key:word
	afterNoun       // "user word": a noun that a name follows
	afterWhat       // level=word, "msg":"word": a key whose value says what happened
)

// Hashes of the kinds that have no text of their own.
const (
	hashValue uint64 = 0x9ae16a3b2f90404f
	hashNone  uint64 = 0xcbf29ce484222325
)

// hashBytes is FNV-1a, 64 bit (Fowler, Noll, Vo): template identifiers come
// from it, so it must give the same result on every machine and release.
func hashBytes(b []byte) uint64 {
	h := hashNone
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}

// placed mixes a token's hash with its position. The hash of a message is the
// sum of its tokens', so that exchanging one token costs two of these. (The
// finaliser is that of MurmurHash3.)
func placed(h uint64, position int) uint64 {
	h += uint64(position+1) * 0x9e3779b97f4a7c15
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// class of a byte of a message.
type class uint8

const (
	space class = 1 << iota
	delim       // always a token of its own
	digit
	hexa  // a to f, in both cases
	alpha // other letters, "_" and every byte beyond ASCII
	dot
	colon
	other // - / \ + * $ % ~ @: part of a name or of a number
)

var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case c <= ' ' || c == 0x7f:
			t[c] = space
		case c >= '0' && c <= '9':
			t[c] = digit
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			t[c] = hexa
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '_', c >= 0x80:
			t[c] = alpha
		default:
			t[c] = delim
		}
	}
	t['.'], t[':'] = dot, colon
	for _, c := range `-/\+*$%~@` {
		t[c] = other
	}
	return t
}()
