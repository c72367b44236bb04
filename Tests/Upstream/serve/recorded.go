package serve

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// partialTile is the path of a tile of hashes that is not full yet: .../tile/8/<level>/<number>.p/<width>.
var partialTile = regexp.MustCompile(`^(.*/tile/8/[0-9]+/(?:x[0-9]{3}/)*[0-9]{3})\.p/([0-9]+)$`)

const hashSize = 32

// Recorded serves the recorded files of a checksum database. As the database itself would, it also answers for the
// narrower states that a recorded tile once had, which are its beginning.
type Recorded struct{ files *Files }

// NewRecorded serves the directory root.
func NewRecorded(root string) *Recorded { return &Recorded{NewFiles(root)} }

func (d *Recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := os.Stat(d.files.Path(r.URL.Path)); err != nil {
		if match := partialTile.FindStringSubmatch(r.URL.Path); match != nil {
			width, _ := strconv.Atoi(match[2])
			if tile := d.widest(match[1]); width > 0 && width*hashSize <= len(tile) {
				serveBytes(w, r, tile[:width*hashSize])
				return
			}
		}
	}
	d.files.ServeHTTP(w, r)
}

// widest is the full tile, or the widest part of it that was recorded.
func (d *Recorded) widest(tile string) []byte {
	if full, err := os.ReadFile(d.files.Path(tile)); err == nil {
		return full
	}
	parts, _ := filepath.Glob(d.files.Path(tile+".p") + "/*")
	var best []byte
	for _, part := range parts {
		if data, err := os.ReadFile(part); err == nil && len(data) > len(best) {
			best = data
		}
	}
	return best
}
