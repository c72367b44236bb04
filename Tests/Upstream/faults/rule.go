// Package faults makes an HTTP handler fail on purpose and counts what was asked of it.
package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"sync"
)

// Actions of a Rule.
const (
	// ActionStatus answers Status with Body instead of the real answer.
	ActionStatus = "status"
	// ActionCut sends At bytes of the real body, then closes the connection.
	ActionCut = "cut"
	// ActionReset is ActionCut with a TCP reset.
	ActionReset = "reset"
	// ActionStall sends At bytes of the real body, then nothing until the rule is taken away.
	ActionStall = "stall"
	// ActionSilence accepts the request and sends nothing at all, not even headers, until the rule is taken away.
	ActionSilence = "silence"
	// ActionTrickle sends the real body at BytesPerSecond.
	ActionTrickle = "trickle"
	// ActionCorrupt flips every bit of the byte at offset At.
	ActionCorrupt = "corrupt"
	// ActionReplace sends Body in place of the real body, with the real status.
	ActionReplace = "replace"
	// ActionTruncate sends At bytes of the real body as if they were all of it.
	ActionTruncate = "truncate"
	// ActionRedirect answers 307 to the same path and query below Location, signed as object stores sign.
	ActionRedirect = "redirect"
)

var actions = map[string]bool{
	ActionStatus: true, ActionCut: true, ActionReset: true, ActionStall: true, ActionSilence: true,
	ActionTrickle: true, ActionCorrupt: true, ActionReplace: true, ActionTruncate: true, ActionRedirect: true,
}

// A Rule says what goes wrong for which requests.
type Rule struct {
	// Path is a regular expression that the request's decoded path must match in full.
	Path string `json:"path"`
	// Method, where it is given, is the only one that the rule befalls.
	Method string `json:"method"`
	// Action is one of the Action constants.
	Action string `json:"action"`
	// At is an offset in the body, in bytes.
	At int64 `json:"at"`
	// Status and Body are the answer of ActionStatus; Body also that of ActionReplace.
	Status int    `json:"status"`
	Body   string `json:"body"`
	// Headers go with ActionStatus.
	Headers map[string]string `json:"headers"`
	// Location is a URL without a slash at its end, for ActionRedirect.
	Location string `json:"location"`
	// BytesPerSecond is the pace of ActionTrickle.
	BytesPerSecond int64 `json:"bytesPerSecond"`
	// Times is how many requests the rule befalls; 0 means all of them.
	Times int `json:"times"`

	pattern *regexp.Regexp
	used    int
	lifted  chan struct{} // closed when the rule is taken away
}

func (r *Rule) prepare() error {
	pattern, err := regexp.Compile("^(?:" + r.Path + ")$")
	if err != nil {
		return fmt.Errorf("rule path %q: %w", r.Path, err)
	}
	if !actions[r.Action] {
		return fmt.Errorf("rule for %q: unknown action %q", r.Path, r.Action)
	}
	if r.Action == ActionTrickle && r.BytesPerSecond <= 0 {
		return fmt.Errorf("rule for %q: a trickle needs bytesPerSecond above 0", r.Path)
	}
	if r.Action == ActionStatus && (r.Status < 200 || r.Status > 599) {
		return fmt.Errorf("rule for %q: status %d is outside 200...599", r.Path, r.Status)
	}
	if r.Action == ActionRedirect && r.Location == "" {
		return fmt.Errorf("rule for %q: a redirect needs a location", r.Path)
	}
	r.pattern = pattern
	r.lifted = make(chan struct{})
	return nil
}

// rules is the set in force; the first that matches a request wins.
type rules struct {
	mu   sync.Mutex
	list []*Rule
}

func (s *rules) match(method, path string) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.list {
		if r.pattern.MatchString(path) && (r.Method == "" || r.Method == method) && (r.Times == 0 || r.used < r.Times) {
			r.used++
			return r
		}
	}
	return nil
}

// replace puts list in force and releases everything that the former rules hold.
func (s *rules) replace(list []*Rule) error {
	for _, r := range list {
		if err := r.prepare(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.list {
		close(r.lifted)
	}
	s.list = list
	return nil
}

// ServeHTTP: PUT a JSON list of rules to put it in force, DELETE to lift all rules.
func (s *rules) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var list []*Rule
	switch r.Method {
	case http.MethodPut:
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&list); err != nil {
			http.Error(w, "fault rules: "+err.Error(), http.StatusBadRequest)
			return
		}
	case http.MethodDelete:
	default:
		http.Error(w, "PUT a list of rules or DELETE them", http.StatusMethodNotAllowed)
		return
	}
	if err := s.replace(list); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
