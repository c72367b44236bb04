package gate

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"regexp"
	"time"
)

// scope is what a client asks a token for.
var scope = regexp.MustCompile(`^repository:([^:]+):(?:.*,)?pull(?:,.*)?$`)

// issue is the token service: anybody gets a token, which is good for what they may pull.
func (g *Gate) issue(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _, claims := r.BasicAuth()
	user := g.isUser(r)
	if claims && !user {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	seconds := g.settings.Seconds
	if seconds == 0 {
		seconds = 300
	}
	t := &token{until: time.Now().Add(time.Duration(seconds) * time.Second), uses: g.settings.Uses}
	if t.uses == 0 {
		t.uses = -1
	}
	for _, text := range r.URL.Query()["scope"] {
		match := scope.FindStringSubmatch(text)
		if match != nil && (user || !g.private.MatchString(match[1])) {
			t.repositories = append(t.repositories, match[1])
		}
	}
	value := rand.Text()
	if g.tokens == nil {
		g.tokens = make(map[string]*token)
	}
	g.tokens[value] = t
	name := "token"
	if g.settings.AccessToken {
		name = "access_token"
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{name: value, "expires_in": seconds})
}
