package images

import "fmt"

// The media types of images, OCI's and Docker's.
const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociConfig      = "application/vnd.oci.image.config.v1+json"
	ociLayer       = "application/vnd.oci.image.layer.v1.tar+"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar."
)

type config struct {
	Architecture string         `json:"architecture"`
	OS           string         `json:"os"`
	Config       map[string]any `json:"config"`
	RootFS       rootFS         `json:"rootfs"`
	History      []history      `json:"history"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	CreatedBy string `json:"created_by"`
}

// makeImage writes the manifests of each platform and the index over them.
func (m *maker) makeImage(image Image) (Descriptor, error) {
	index := Manifest{SchemaVersion: 2, MediaType: pick(image.Docker, dockerIndex, ociIndex)}
	for _, architecture := range []string{"amd64", "arm64"} {
		manifest, err := m.makePlatform(image, architecture)
		if err != nil {
			return Descriptor{}, err
		}
		if manifest != nil {
			manifest.Platform = &Platform{Architecture: architecture, OS: "linux"}
			index.Manifests = append(index.Manifests, *manifest)
		}
	}
	described, err := m.putJSON(index.MediaType, index)
	if err != nil {
		return Descriptor{}, err
	}
	return *described, nil
}

// makePlatform is nil where the image has no layers for the architecture.
func (m *maker) makePlatform(image Image, architecture string) (*Descriptor, error) {
	manifest := Manifest{SchemaVersion: 2, MediaType: pick(image.Docker, dockerManifest, ociManifest)}
	settings := config{
		Architecture: architecture, OS: "linux",
		Config: map[string]any{"Cmd": []string{"/bin/busybox", "sh"}, "Env": []string{"PATH=/usr/bin:/bin"}},
		RootFS: rootFS{Type: "layers"},
	}
	for _, layer := range image.Layers {
		if layer.Architecture != architecture {
			continue
		}
		made := m.layers[layer.key()]
		manifest.Layers = append(manifest.Layers, Descriptor{
			MediaType: pick(image.Docker, dockerLayer, ociLayer) + layer.Compression, Digest: made.digest, Size: made.size,
		})
		settings.RootFS.DiffIDs = append(settings.RootFS.DiffIDs, made.diffID)
		settings.History = append(settings.History, history{CreatedBy: fmt.Sprint(image.Name, " from ", layer.Packages)})
	}
	if manifest.Layers == nil {
		return nil, nil
	}
	var err error
	if manifest.Config, err = m.putJSON(pick(image.Docker, dockerConfig, ociConfig), settings); err != nil {
		return nil, err
	}
	return m.putJSON(manifest.MediaType, manifest)
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
