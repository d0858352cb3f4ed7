package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// The names of the objects in a backup's folder. Further parts of a name say
// what is on the way to the plain bytes: ".zst" to decompress, ".sealed" to
// decrypt (from the right).
const (
	HeaderName   = "header.json"
	manifestName = "manifest.json"
	PlanName     = "plan" // begins the names of what is there only while the run goes on
	RestoreName  = "RESTORE.md"
	SealedSuffix = ".sealed"
)

// Suffix returns the end of a key for an encoding.
func Suffix(encoding string, encrypted bool) string {
	s := map[string]string{"zstd": ".zst", "gzip": ".gz", "brotli": ".br"}[encoding]
	if encrypted {
		s += SealedSuffix
	}
	return s
}

// Key returns the key of the manifest in a folder. It is always compressed
// with zstd.
func Key(folder string, encrypted bool) string {
	return folder + manifestName + Suffix("zstd", encrypted)
}

const folderTime = "20060102T150405Z"

// Folder returns a backup's folder, "<source>/<time>-<id>/".
func Folder(source string, started time.Time, id string) string {
	return source + "/" + started.UTC().Format(folderTime) + "-" + id + "/"
}

var folderPattern = regexp.MustCompile(`^([^/]+)/(\d{8}T\d{6}Z)-([0-9A-Za-z-]+)/$`)

// ParseFolder takes a backup's folder apart; ok is false for other folders.
func ParseFolder(folder string) (source string, started time.Time, id string, ok bool) {
	m := folderPattern.FindStringSubmatch(folder)
	if m == nil {
		return "", time.Time{}, "", false
	}
	started, err := time.Parse(folderTime, m[2])
	return m[1], started, m[3], err == nil
}

var notInSource = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// SourceName makes the store's folder name of a database from its name: the
// name itself where every store takes it, else with '-' for what they do not
// take and a piece of a hash, so that two names never share a folder.
func SourceName(name string) string {
	clean := strings.Trim(notInSource.ReplaceAllString(name, "-"), ".-")
	if len(clean) > 80 {
		clean = clean[:80]
	}
	if clean == name && clean != "" {
		return clean
	}
	sum := sha256.Sum256([]byte(name))
	return strings.TrimLeft(clean+"-"+hex.EncodeToString(sum[:4]), "-")
}
