// Package images makes container images out of Debian packages, as an OCI image layout, and pushes them.
package images

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// An Image is a line `image` of the catalog with the layers below it.
type Image struct {
	// Name is repository:tag.
	Name string
	// Docker says that manifests carry Docker's media types and not OCI's.
	Docker bool
	Layers []Layer
}

// A Layer is what one tar file holds.
type Layer struct {
	Architecture string
	// Compression is "gzip" or "zstd", Algorithm "sha256" or "sha512".
	Compression, Algorithm string
	Packages               []string
}

// key tells layers of equal bytes.
func (l Layer) key() string {
	return l.Compression + ":" + l.Algorithm + " " + strings.Join(l.Packages, " ")
}

// ReadCatalog reads the images of a file in the form that images.txt describes.
func ReadCatalog(path string) ([]Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var list []Image
	scanner := bufio.NewScanner(file)
	for number := 1; scanner.Scan(); number++ {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 3 {
			return nil, fmt.Errorf("%s:%d: too few words", path, number)
		}
		if words[0] == "image" {
			if words[2] != "docker" && words[2] != "oci" {
				return nil, fmt.Errorf("%s:%d: media types are docker or oci, not %q", path, number, words[2])
			}
			list = append(list, Image{Name: words[1], Docker: words[2] == "docker"})
			continue
		}
		layer := Layer{Architecture: words[0], Packages: words[2:]}
		var named bool
		if layer.Compression, layer.Algorithm, named = strings.Cut(words[1], ":"); !named {
			layer.Algorithm = "sha256"
		}
		if len(list) == 0 || (layer.Compression != "gzip" && layer.Compression != "zstd") ||
			(layer.Algorithm != "sha256" && layer.Algorithm != "sha512") {
			return nil, fmt.Errorf("%s:%d: not a layer of an image: %s", path, number, scanner.Text())
		}
		last := &list[len(list)-1]
		last.Layers = append(last.Layers, layer)
	}
	return list, scanner.Err()
}

// Packages lists the packages of the images, each once.
func Packages(list []Image) []string {
	var names []string
	for _, image := range list {
		for _, layer := range image.Layers {
			names = append(names, layer.Packages...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
