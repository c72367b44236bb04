package images

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A Descriptor points at a blob, as the OCI image specification writes it.
type Descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *Platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Platform is what a manifest of an index is for.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// RefName is the annotation that names an image in a layout.
const RefName = "org.opencontainers.image.ref.name"

// A Manifest is an index (Manifests) or an image (Config and Layers).
type Manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *Descriptor  `json:"config,omitempty"`
	Layers        []Descriptor `json:"layers,omitempty"`
	Manifests     []Descriptor `json:"manifests,omitempty"`
}

// A Layout is a directory in the OCI image layout.
type Layout struct{ root string }

// NewLayout names a directory, which need not exist yet.
func NewLayout(root string) Layout { return Layout{root} }

// Blob is where a blob stands.
func (l Layout) Blob(digest string) string {
	return filepath.Join(l.root, "blobs", strings.Replace(digest, ":", "/", 1))
}

// Index lists the images.
func (l Layout) Index() (index Manifest, err error) {
	data, err := os.ReadFile(filepath.Join(l.root, "index.json"))
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	return index, err
}

// Manifest reads a manifest or an index.
func (l Layout) Manifest(digest string) (manifest Manifest, err error) {
	data, err := os.ReadFile(l.Blob(digest))
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	return manifest, err
}

// Make builds the images out of the packages' files in a new layout.
func Make(list []Image, packages, root string) error {
	m := maker{layout: NewLayout(root), packages: packages, layers: make(map[string]*madeLayer)}
	for _, algorithm := range []string{"sha256", "sha512"} {
		if err := os.MkdirAll(filepath.Join(root, "blobs", algorithm), 0o755); err != nil {
			return err
		}
	}
	if err := m.makeLayers(list); err != nil {
		return err
	}
	top := Manifest{SchemaVersion: 2, MediaType: ociIndex}
	for _, image := range list {
		index, err := m.makeImage(image)
		if err != nil {
			return fmt.Errorf("image %s: %w", image.Name, err)
		}
		index.Annotations = map[string]string{RefName: image.Name}
		top.Manifests = append(top.Manifests, index)
	}
	if err := writeJSON(filepath.Join(root, "index.json"), top); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

type maker struct {
	layout   Layout
	packages string
	layers   map[string]*madeLayer // by key
}

type madeLayer struct {
	digest, diffID string
	size           int64
	err            error
}

// makeLayers writes every layer once, two at a time.
func (m *maker) makeLayers(list []Image) error {
	var all sync.WaitGroup
	slots := make(chan struct{}, 2)
	for _, image := range list {
		for _, layer := range image.Layers {
			if m.layers[layer.key()] != nil {
				continue
			}
			made := new(madeLayer)
			m.layers[layer.key()] = made
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				made.digest, made.size, made.err = m.put(layer.Algorithm, func(w io.Writer) (err error) {
					made.diffID, err = writeLayer(w, layer, m.packages)
					return err
				})
			})
		}
	}
	all.Wait()
	for _, made := range m.layers {
		if made.err != nil {
			return made.err
		}
	}
	return nil
}

// put keeps what `write` writes as a blob.
func (m *maker) put(algorithm string, write func(io.Writer) error) (digest string, size int64, err error) {
	file, err := os.CreateTemp(m.layout.root, "blob")
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	var sum hash.Hash = sha256.New()
	if algorithm == "sha512" {
		sum = sha512.New()
	}
	if err := write(io.MultiWriter(file, sum)); err != nil {
		return "", 0, err
	}
	if size, err = file.Seek(0, io.SeekCurrent); err != nil {
		return "", 0, err
	}
	digest = fmt.Sprintf("%s:%x", algorithm, sum.Sum(nil))
	if err := file.Chmod(0o644); err != nil {
		return "", 0, err
	}
	return digest, size, os.Rename(file.Name(), m.layout.Blob(digest))
}

func (m *maker) putJSON(mediaType string, value any) (*Descriptor, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	digest, size, err := m.put("sha256", func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
	return &Descriptor{MediaType: mediaType, Digest: digest, Size: size}, err
}
