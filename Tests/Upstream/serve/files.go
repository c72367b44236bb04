// Package serve answers the module proxy protocol from a file tree and from the go command's own test modules.
package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Files serves a directory in the layout of a module cache's cache/download, file by file: nothing is made up.
// A file that is not there is 404 with a reason in plain text, as public proxies answer.
type Files struct {
	root string
	mu   sync.Mutex
	tags map[string]string // strong validators by file path
}

// NewFiles serves the directory root.
func NewFiles(root string) *Files {
	return &Files{root: root, tags: make(map[string]string)}
}

// Path is where the file of a URL path below the base stands; it never leaves the root.
func (f *Files) Path(name string) string {
	return filepath.Join(f.root, filepath.Clean("/"+filepath.FromSlash(name)))
}

func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := f.Path(r.URL.Path)
	file, err := os.Open(path)
	if err != nil {
		http.Error(w, "not found: "+r.URL.Path, http.StatusNotFound)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		http.Error(w, "not found: "+r.URL.Path, http.StatusNotFound)
		return
	}
	tag, err := f.tag(path, file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", contentType(r.URL.Path))
	http.ServeContent(w, r, "", info.ModTime(), file)
}

func (f *Files) tag(path string, file io.ReadSeeker) (string, error) {
	f.mu.Lock()
	tag, ok := f.tags[path]
	f.mu.Unlock()
	if ok {
		return tag, nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag = `"` + hex.EncodeToString(hash.Sum(nil)[:16]) + `"`
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags[path] = tag
	return tag, nil
}

// serveBytes answers with data and a strong validator made from it.
func serveBytes(w http.ResponseWriter, r *http.Request, data []byte) {
	sum := sha256.Sum256(data)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.Header().Set("Content-Type", contentType(r.URL.Path))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func contentType(path string) string {
	switch {
	case strings.HasSuffix(path, ".zip"):
		return "application/zip"
	case strings.HasSuffix(path, ".info"), strings.HasSuffix(path, "/@latest"):
		return "application/json"
	case strings.Contains(path, "tile/8/"):
		return "application/octet-stream"
	default:
		return "text/plain; charset=UTF-8"
	}
}
