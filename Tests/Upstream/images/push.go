package images

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Push uploads all images of a layout to the registry at an http URL.
func Push(layout Layout, registry string) error {
	index, err := layout.Index()
	if err != nil {
		return err
	}
	for _, image := range index.Manifests {
		repository, tag, _ := strings.Cut(image.Annotations[RefName], ":")
		p := pusher{layout, registry + "/v2/" + repository}
		if err := p.manifest(image, tag); err != nil {
			return fmt.Errorf("push of %s: %w", image.Annotations[RefName], err)
		}
	}
	return nil
}

type pusher struct {
	layout Layout
	base   string
}

// manifest uploads what the manifest needs, then itself, under a tag or by its digest.
func (p pusher) manifest(d Descriptor, reference string) error {
	manifest, err := p.layout.Manifest(d.Digest)
	if err != nil {
		return err
	}
	for _, child := range manifest.Manifests {
		if err := p.manifest(child, child.Digest); err != nil {
			return err
		}
	}
	blobs := manifest.Layers
	if manifest.Config != nil {
		blobs = append(blobs, *manifest.Config)
	}
	for _, blob := range blobs {
		if err := p.blob(blob); err != nil {
			return err
		}
	}
	_, err = p.send(http.MethodPut, p.base+"/manifests/"+reference, d.Digest, d.MediaType, http.StatusCreated)
	return err
}

func (p pusher) blob(d Descriptor) error {
	if _, err := p.send(http.MethodHead, p.base+"/blobs/"+d.Digest, "", "", http.StatusOK); err == nil {
		return nil
	}
	location, err := p.send(http.MethodPost, p.base+"/blobs/uploads/", "", "", http.StatusAccepted)
	if err != nil {
		return err
	}
	target, err := url.Parse(location)
	if err != nil {
		return err
	}
	query := target.Query()
	query.Set("digest", d.Digest)
	target.RawQuery = query.Encode()
	_, err = p.send(http.MethodPut, target.String(), d.Digest, "application/octet-stream", http.StatusCreated)
	return err
}

// send makes one request, with a blob as its body where one is named, and gives the answer's Location.
func (p pusher) send(method, url, blob, mediaType string, wanted int) (location string, err error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return "", err
	}
	if blob != "" {
		file, err := os.Open(p.layout.Blob(blob))
		if err != nil {
			return "", err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return "", err
		}
		request.Body, request.ContentLength = file, info.Size()
		request.Header.Set("Content-Type", mediaType)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if answer.StatusCode != wanted {
		return "", fmt.Errorf("%s %s: %s: %s", method, url, answer.Status, text)
	}
	return answer.Header.Get("Location"), err
}
