package faults

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxEntries bounds a wire log; what comes later is not noted.
const maxEntries = 20_000

// An Entry is one request as it was seen and answered.
type Entry struct {
	// At and Took are milliseconds: since 1970, and until the answer ended.
	At   float64 `json:"at"`
	Took float64 `json:"took"`
	// Method, Path (decoded), Query and Range are the request's own.
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query"`
	Range  string `json:"range"`
	Agent  string `json:"agent"`
	// Authorization is the scheme of the credentials that came, never the credentials.
	Authorization string `json:"authorization"`
	// Status is 0 where no headers were sent.
	Status int   `json:"status"`
	Bytes  int64 `json:"bytes"`
}

type wireLog struct {
	mu      sync.Mutex
	entries []*Entry
}

// begin notes a request; the function it gives back notes its end.
func (l *wireLog) begin(r *http.Request) func(status int, sent int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	entry := &Entry{
		At: float64(now.UnixMicro()) / 1000, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Range: r.Header.Get("Range"), Agent: r.UserAgent(), Authorization: scheme,
	}
	if len(l.entries) < maxEntries {
		l.entries = append(l.entries, entry)
	}
	return func(status int, sent int64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		entry.Took, entry.Status, entry.Bytes = milliseconds(time.Since(now)), status, sent
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ServeHTTP: GET the entries in the order in which they came, DELETE to begin anew.
func (l *wireLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		if l.entries == nil {
			l.entries = []*Entry{}
		}
		json.NewEncoder(w).Encode(l.entries)
	case http.MethodDelete:
		l.entries = nil
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "GET the log or DELETE it", http.StatusMethodNotAllowed)
	}
}
