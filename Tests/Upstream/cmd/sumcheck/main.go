// Sumcheck is a checksum database client: the reference implementation over HTTP with nothing remembered at its start.
// For each line module@version (or module@version/go.mod) of a file it prints the go.sum lines that the database
// vouches for, and it fails when a signature, an inclusion or the consistency of two trees does not hold.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb"
)

func main() {
	url := flag.String("url", "", "`URL` of the database, below which lookup/ and tile/ stand")
	key := flag.String("key", "", "verifier `key` of the database")
	list := flag.String("list", "/dev/stdin", "`file` of module versions, one a line")
	flag.Parse()
	file, err := os.Open(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sumcheck:", err)
		os.Exit(1)
	}
	client := sumdb.NewClient(&operations{url: *url, key: *key, stored: make(map[string][]byte)})
	scanner := bufio.NewScanner(file)
	failed := false
	for scanner.Scan() {
		path, version, _ := strings.Cut(scanner.Text(), "@")
		lines, err := client.Lookup(path, version)
		if err != nil {
			fmt.Fprintf(os.Stderr, "sumcheck: %s: %v\n", scanner.Text(), err)
			failed = true
			continue
		}
		for _, line := range lines {
			fmt.Println(line)
		}
	}
	if err := scanner.Err(); err != nil || failed {
		os.Exit(1)
	}
}

// operations keeps configuration and cache in memory.
type operations struct {
	url, key string
	mu       sync.Mutex
	stored   map[string][]byte
}

func (o *operations) ReadRemote(path string) ([]byte, error) {
	response, err := http.Get(o.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, bytes.TrimSpace(body))
	}
	return body, err
}

func (o *operations) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(o.key), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stored[file], nil // a client that knows nothing yet has an empty latest tree
}

func (o *operations) WriteConfig(file string, old, new []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !bytes.Equal(o.stored[file], old) {
		return sumdb.ErrWriteConflict
	}
	o.stored[file] = new
	return nil
}

func (o *operations) ReadCache(file string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, ok := o.stored["cache/"+file]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func (o *operations) WriteCache(file string, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stored["cache/"+file] = data
}

func (o *operations) Log(msg string) { fmt.Fprintln(os.Stderr, "sumcheck:", msg) }

func (o *operations) SecurityError(msg string) {
	fmt.Fprintln(os.Stderr, "sumcheck:", errors.New(msg))
	os.Exit(2)
}
