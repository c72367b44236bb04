package faults

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Count is what one path saw.
type Count struct {
	// Requests counts all of them, whatever their method and outcome.
	Requests int `json:"requests"`
	// Gets, Heads and Ranges count the GET requests, the HEAD requests and those with a Range header.
	Gets   int `json:"gets"`
	Heads  int `json:"heads"`
	Ranges int `json:"ranges"`
	// Open are those being answered now, MostOpen their highest number at one time.
	Open     int `json:"open"`
	MostOpen int `json:"mostOpen"`
	// Bytes of bodies sent.
	Bytes int64 `json:"bytes"`
}

type counts struct {
	mu    sync.Mutex
	paths map[string]*Count
}

// begin notes a request; the function it gives back ends it with the number of bytes sent.
func (c *counts) begin(path string, r *http.Request) func(sent int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paths == nil {
		c.paths = make(map[string]*Count)
	}
	count := c.paths[path]
	if count == nil {
		count = new(Count)
		c.paths[path] = count
	}
	count.Requests++
	switch r.Method {
	case http.MethodGet:
		count.Gets++
	case http.MethodHead:
		count.Heads++
	}
	if r.Header.Get("Range") != "" {
		count.Ranges++
	}
	count.Open++
	count.MostOpen = max(count.MostOpen, count.Open)
	return func(sent int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		count.Open--
		count.Bytes += sent
	}
}

// ServeHTTP: GET the counts by path, DELETE to set them to zero.
func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		if c.paths == nil {
			c.paths = make(map[string]*Count)
		}
		json.NewEncoder(w).Encode(c.paths)
	case http.MethodDelete:
		c.paths = nil
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "GET the counts or DELETE them", http.StatusMethodNotAllowed)
	}
}
