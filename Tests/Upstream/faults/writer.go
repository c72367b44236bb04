package faults

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// writer passes a response on and does at the right byte what its rule says.
type writer struct {
	http.ResponseWriter
	request *http.Request
	rule    *Rule
	status  int // 0 as long as no headers were sent
	sent    int64
}

// before does what comes before the real answer; false means that nothing more is to be sent.
func (w *writer) before() bool {
	switch w.rule.Action {
	case ActionStatus:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for name, value := range w.rule.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(w.rule.Status)
		n, _ := io.WriteString(w.ResponseWriter, w.rule.Body)
		w.sent += int64(n)
		return false
	case ActionRedirect:
		w.Header().Set("Location", w.rule.Location+w.request.URL.Path+"?signature=valid")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return false
	case ActionReplace:
		w.status = http.StatusOK
		n, _ := io.WriteString(w.ResponseWriter, w.rule.Body)
		w.sent += int64(n)
		return false
	case ActionSilence:
		w.hold()
	}
	return true
}

// hold waits until the rule is taken away; a client that leaves earlier ends the request.
func (w *writer) hold() {
	select {
	case <-w.rule.lifted:
	case <-w.request.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// WriteHeader notes the status; a body that is to be truncated is announced as such.
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.status = status
	}
	if w.rule != nil && w.rule.Action == ActionTruncate {
		length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
		if err == nil && length > w.rule.At {
			w.Header().Set("Content-Length", strconv.FormatInt(w.rule.At, 10))
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.rule == nil {
		return w.pass(p)
	}
	switch w.rule.Action {
	case ActionCut, ActionReset, ActionStall:
		return w.writeUpTo(p)
	case ActionTruncate:
		if left := max(0, w.rule.At-w.sent); left < int64(len(p)) {
			_, err := w.pass(p[:left])
			return len(p), err
		}
	case ActionTrickle:
		return w.trickle(p)
	case ActionCorrupt:
		if i := w.rule.At - w.sent; i >= 0 && i < int64(len(p)) {
			p = append([]byte(nil), p...)
			p[i] ^= 0xff
		}
	}
	return w.pass(p)
}

func (w *writer) pass(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	return n, err
}

// writeUpTo sends what lies before the rule's byte, then cuts, resets or stalls.
func (w *writer) writeUpTo(p []byte) (int, error) {
	left := w.rule.At - w.sent
	if left < 0 || left >= int64(len(p)) {
		return w.pass(p)
	}
	n, err := w.pass(p[:left])
	if err != nil {
		return n, err
	}
	w.Flush()
	switch w.rule.Action {
	case ActionReset:
		breakConnection(w.ResponseWriter)
	case ActionStall:
		w.hold()
		w.rule = nil
		rest, err := w.pass(p[left:])
		return n + rest, err
	}
	panic(http.ErrAbortHandler) // net/http closes the connection short of Content-Length
}

// trickle sends ten portions a second.
func (w *writer) trickle(p []byte) (int, error) {
	portion := max(1, int(w.rule.BytesPerSecond/10))
	written := 0
	for written < len(p) {
		n, err := w.pass(p[written:min(len(p), written+portion)])
		written += n
		if err != nil {
			return written, err
		}
		w.Flush()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-w.rule.lifted:
			w.rule = nil
			rest, err := w.pass(p[written:])
			return written + rest, err
		case <-w.request.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	return written, nil
}

// Flush lets headers and bytes leave now.
func (w *writer) Flush() {
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Unwrap is how http.ResponseController reaches the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
