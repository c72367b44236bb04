// Package gate asks who comes to a registry, as public registries do: tokens, passwords and a limit of pulls.
package gate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Settings say what a Gate asks for.
type Settings struct {
	// Scheme is "bearer" or "basic"; empty lets everybody through.
	Scheme string `json:"scheme"`
	// Users by name, with their passwords.
	Users map[string]string `json:"users"`
	// Private is a regular expression; repositories that it matches in full are for users only.
	Private string `json:"private"`
	// Seconds is how long a token is said to be good, and is.
	Seconds int `json:"seconds"`
	// Uses is how many requests a token is really good for; 0 means any number.
	Uses int `json:"uses"`
	// AccessToken names the token so in the token service's answer, and not `token`.
	AccessToken bool `json:"accessToken"`
	// Limit is how many manifests may be fetched before the answer is 429; 0 means any number.
	Limit int `json:"limit"`
	// RetryAfter goes with the 429, in seconds.
	RetryAfter int `json:"retryAfter"`
}

// TokenPath is where a Gate's token service is.
const TokenPath = "/_token"

// resource takes a registry's path apart: repository, kind, reference.
var resource = regexp.MustCompile(`^/v2/(.+)/(blobs|manifests|tags|referrers)/([^/]+)$`)

// A Gate stands in front of a registry. PUT Settings to its ServeControl, DELETE to open it.
type Gate struct {
	next http.Handler

	mu       sync.Mutex
	settings Settings
	private  *regexp.Regexp
	tokens   map[string]*token
	fetched  int // manifests, against the limit
}

// New wraps next with an open gate.
func New(next http.Handler) *Gate { return &Gate{next: next, private: regexp.MustCompile(`^$`)} }

func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == TokenPath {
		g.issue(w, r)
		return
	}
	repository, kind := "", ""
	if match := resource.FindStringSubmatch(r.URL.Path); match != nil {
		repository, kind = match[1], match[2]
	}
	if challenge := g.challenge(r, repository); challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	if kind == "manifests" && !g.countPull(w, r) {
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
		return
	}
	// What stands behind has no gate of its own.
	r.Header.Del("Authorization")
	g.next.ServeHTTP(w, r)
}

// challenge is the WWW-Authenticate header for a request that may not pass, else empty.
func (g *Gate) challenge(r *http.Request, repository string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.settings.Scheme {
	case "basic":
		if g.isUser(r) || (repository != "" && !g.private.MatchString(repository)) {
			return ""
		}
		return `Basic realm="relay.test"`
	case "bearer":
		failure := g.check(r, repository)
		if failure == passes {
			return ""
		}
		challenge := fmt.Sprintf(`Bearer realm="http://%s%s",service="relay.test"`, r.Host, TokenPath)
		if repository != "" {
			challenge += fmt.Sprintf(`,scope="repository:%s:pull"`, repository)
		}
		if failure != noToken {
			challenge += fmt.Sprintf(`,error="%s"`, failure)
		}
		return challenge
	}
	return ""
}

func (g *Gate) isUser(r *http.Request) bool {
	name, password, ok := r.BasicAuth()
	wanted, known := g.settings.Users[name]
	return ok && known && wanted == password
}

// countPull notes a request for a manifest and says how many are left, as Docker Hub does; HEAD is free.
func (g *Gate) countPull(w http.ResponseWriter, r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	limit := g.settings.Limit
	if limit == 0 {
		return true
	}
	if r.Method == http.MethodGet {
		g.fetched++
	}
	w.Header().Set("ratelimit-limit", fmt.Sprintf("%d;w=21600", limit))
	w.Header().Set("ratelimit-remaining", fmt.Sprintf("%d;w=21600", max(0, limit-g.fetched)))
	if g.fetched <= limit {
		return true
	}
	if g.settings.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(g.settings.RetryAfter))
	}
	return false
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}}
	json.NewEncoder(w).Encode(body)
}

// ServeControl: PUT Settings, which forgets all tokens; DELETE opens the gate.
func (g *Gate) ServeControl(w http.ResponseWriter, r *http.Request) {
	var settings Settings
	switch r.Method {
	case http.MethodPut:
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&settings); err != nil {
			http.Error(w, "gate: "+err.Error(), http.StatusBadRequest)
			return
		}
	case http.MethodDelete:
	default:
		http.Error(w, "PUT settings or DELETE them", http.StatusMethodNotAllowed)
		return
	}
	private, err := regexp.Compile("^(?:" + settings.Private + ")$")
	if err != nil {
		http.Error(w, "gate: "+err.Error(), http.StatusBadRequest)
		return
	}
	switch settings.Scheme {
	case "", "basic", "bearer":
	default:
		http.Error(w, "gate: the scheme is bearer, basic or empty", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings, g.private, g.tokens, g.fetched = settings, private, make(map[string]*token), 0
	w.WriteHeader(http.StatusNoContent)
}

// A token lets its holder pull from some repositories for a while.
type token struct {
	repositories []string
	until        time.Time
	uses         int // left; below 0 means any number
}

// The words of RFC 6750 for why a request may not pass.
const (
	passes            = ""
	noToken           = "no token"
	invalidToken      = "invalid_token"
	insufficientScope = "insufficient_scope"
)

func (g *Gate) check(r *http.Request, repository string) string {
	value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return noToken
	}
	t := g.tokens[value]
	if t == nil || t.uses == 0 || time.Now().After(t.until) {
		return invalidToken
	}
	allowed := repository == ""
	for _, name := range t.repositories {
		allowed = allowed || name == repository
	}
	if !allowed {
		return insufficientScope
	}
	t.uses--
	return passes
}
