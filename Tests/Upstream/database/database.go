// Package database runs the reference checksum database over a module set, with a key of its own.
package database

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
)

// A Database is a signed, growing log: each version joins it when it is first looked up.
// Its key and the order of its records stand in a directory, so that a restart continues the same log.
type Database struct {
	// Name as in a verifier key; it may hold slashes.
	Name string
	// VerifierKey is what clients put in GOSUMDB.
	VerifierKey string

	*sumdb.TestServer
	server  http.Handler
	mu      sync.Mutex
	known   map[module.Version]bool
	records *os.File
}

// Open opens or begins the database called name in the directory state. gosum gives the go.sum lines of a
// version. A new database starts with seed versions.
func Open(name, state string, seed []module.Version, gosum func(path, version string) ([]byte, error)) (*Database, error) {
	if err := os.MkdirAll(state, 0o777); err != nil {
		return nil, err
	}
	base := filepath.Join(state, strings.ReplaceAll(name, "/", "_"))
	signer, verifier, err := keys(name, base+".key")
	if err != nil {
		return nil, err
	}
	d := &Database{Name: name, VerifierKey: verifier, known: make(map[module.Version]bool)}
	d.TestServer = sumdb.NewTestServer(signer, gosum)
	d.server = sumdb.NewServer(d)

	recorded, err := os.ReadFile(base + ".records")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range bytes.Lines(recorded) {
		path, version, _ := strings.Cut(strings.TrimSpace(string(line)), "@")
		m := module.Version{Path: path, Version: version}
		if _, err := d.TestServer.Lookup(context.Background(), m); err != nil {
			return nil, fmt.Errorf("%s.records: %w", base, err)
		}
		d.known[m] = true
	}
	d.records, err = os.OpenFile(base+".records", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	for _, m := range seed {
		if _, err := d.Lookup(context.Background(), m); err != nil {
			return nil, fmt.Errorf("seed %s: %w", m, err)
		}
	}
	return d, nil
}

// keys reads the key pair of a database, or makes it.
func keys(name, file string) (signer, verifier string, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		signer, verifier, err = note.GenerateKey(rand.Reader, name)
		if err != nil {
			return "", "", err
		}
		return signer, verifier, os.WriteFile(file, []byte(signer+"\n"+verifier+"\n"), 0o600)
	}
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) < 2 || !strings.Contains(lines[1], name+"+") {
		return "", "", fmt.Errorf("%s does not hold the keys of %s: remove it", file, name)
	}
	return lines[0], lines[1], nil
}

// Lookup adds a version at its first lookup. New versions join one at a time, so that the record file has the
// order of the log.
func (d *Database) Lookup(ctx context.Context, m module.Version) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, err := d.TestServer.Lookup(ctx, m)
	if err != nil || d.known[m] {
		return id, err
	}
	d.known[m] = true
	_, err = fmt.Fprintln(d.records, m)
	return id, err
}

// ServeHTTP serves lookup, latest and tiles, and says that it is supported.
func (d *Database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/supported" {
		w.WriteHeader(http.StatusOK)
		return
	}
	d.server.ServeHTTP(w, r)
}
