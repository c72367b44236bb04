package synthetic

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Prefix is where the images stand: synthetic/<name>, tag latest.
const Prefix = "/v2/synthetic/"

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// A Registry serves made-up images below Prefix and hands everything else on.
type Registry struct {
	next   http.Handler
	images map[string]*image
}

// New serves one image a name, its layer of so many bytes, in front of next. It reads the layers once, which takes a
// second for each gigabyte.
func New(next http.Handler, sizes map[string]int64) *Registry {
	r := &Registry{next: next, images: make(map[string]*image)}
	for name, size := range sizes {
		r.images[name] = newImage(size)
	}
	return r
}

type image struct {
	size             int64
	layer            string // digest
	manifest, config []byte
}

func newImage(size int64) *image {
	sum := sha256.New()
	io.CopyBuffer(sum, struct{ io.Reader }{newLayer(size)}, make([]byte, 1<<20))
	i := &image{size: size, layer: fmt.Sprintf("sha256:%x", sum.Sum(nil))}
	i.config = encode(map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{i.layer}},
	})
	i.manifest = encode(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": map[string]any{"mediaType": configType, "digest": digest(i.config), "size": len(i.config)},
		"layers": []any{map[string]any{"mediaType": layerType, "digest": i.layer, "size": i.size}},
	})
	return i
}

func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps of strings and numbers are encoded here
	}
	return data
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func (s *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok {
		s.next.ServeHTTP(w, r)
		return
	}
	parts := strings.Split(rest, "/")
	found := s.images[parts[0]]
	if found == nil || len(parts) != 3 {
		http.NotFound(w, r)
		return
	}
	switch kind, reference := parts[1], parts[2]; {
	case kind == "manifests" && (reference == "latest" || reference == digest(found.manifest)):
		serve(w, r, manifestType, digest(found.manifest), bytes.NewReader(found.manifest))
	case kind == "blobs" && reference == digest(found.config):
		serve(w, r, "application/octet-stream", reference, bytes.NewReader(found.config))
	case kind == "blobs" && reference == found.layer:
		serve(w, r, "application/octet-stream", reference, newLayer(found.size))
	default:
		http.NotFound(w, r)
	}
}

func serve(w http.ResponseWriter, r *http.Request, mediaType, digest string, body io.ReadSeeker) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("ETag", `"`+digest+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
}
