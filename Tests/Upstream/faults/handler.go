package faults

import (
	"net"
	"net/http"
	"strings"
)

// ControlPrefix is where a Handler answers for itself.
const ControlPrefix = "/_control/"

// A Handler stands in front of another one, counts the requests and makes those fail that a rule names.
//
// GET /_control/requests gives the counts by path, DELETE sets them to zero;
// GET /_control/log gives the requests one by one, DELETE forgets them;
// PUT /_control/faults puts a list of rules in force, DELETE lifts them.
type Handler struct {
	next   http.Handler
	rules  rules
	counts counts
	wire   wireLog
	others map[string]http.Handler // by name below ControlPrefix
}

// NewHandler wraps next.
func NewHandler(next http.Handler) *Handler {
	return &Handler{next: next, others: make(map[string]http.Handler)}
}

// Control lets other answer for ControlPrefix + name; to be called before the first request.
func (h *Handler) Control(name string, other http.Handler) { h.others[name] = other }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, ControlPrefix); ok {
		switch name {
		case "requests":
			h.counts.ServeHTTP(w, r)
		case "faults":
			h.rules.ServeHTTP(w, r)
		case "log":
			h.wire.ServeHTTP(w, r)
		default:
			if other := h.others[name]; other != nil {
				other.ServeHTTP(w, r)
				return
			}
			http.NotFound(w, r)
		}
		return
	}
	path := r.URL.Path // decoded: clients escape differently
	answer := &writer{ResponseWriter: w, request: r, rule: h.rules.match(r.Method, path)}
	done := h.counts.begin(path, r)
	ended := h.wire.begin(r)
	defer func() {
		done(answer.sent)
		ended(answer.status, answer.sent)
	}()
	if answer.rule != nil && !answer.before() {
		return
	}
	h.next.ServeHTTP(answer, r)
}

// breakConnection ends the connection under a response so that its reader sees a reset.
func breakConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	connection.Close()
	panic(http.ErrAbortHandler)
}
