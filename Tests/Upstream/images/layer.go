package images

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeLayer writes the compressed tar of the packages' files to w and gives the digest of the tar itself.
func writeLayer(w io.Writer, layer Layer, packages string) (diffID string, err error) {
	compressor, err := newCompressor(w, layer.Compression)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	archive := tar.NewWriter(io.MultiWriter(hash, compressor))
	seen := make(map[string]bool)
	for _, name := range layer.Packages {
		if err := addPackage(archive, seen, name, packages); err != nil {
			compressor.Close()
			return "", fmt.Errorf("package %s: %w", name, err)
		}
	}
	if err := errors.Join(archive.Close(), compressor.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", hash.Sum(nil)), nil
}

// addPackage copies the files of the package that packages/<name>_*.deb is.
func addPackage(archive *tar.Writer, seen map[string]bool, name, packages string) error {
	files, err := filepath.Glob(filepath.Join(packages, name+"_*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d files in %s, not one", len(files), packages)
	}
	command := exec.Command("dpkg-deb", "--fsys-tarfile", files[0])
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	copied := copyTar(archive, seen, tar.NewReader(output))
	io.Copy(io.Discard, output) // the padding behind the last entry, or what is left after an error
	return errors.Join(copied, command.Wait())
}

// copyTar copies entries whose names were not seen before: packages share folders, and a layer names each once.
func copyTar(to *tar.Writer, seen map[string]bool, from *tar.Reader) error {
	for {
		header, err := from.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		// Layers name files without the leading "./", which packages write.
		header.Name = strings.TrimPrefix(header.Name, "./")
		if header.Typeflag == tar.TypeLink {
			header.Linkname = strings.TrimPrefix(header.Linkname, "./")
		}
		if header.Name == "" || seen[header.Name] {
			continue
		}
		seen[header.Name] = true
		header.Format = tar.FormatUnknown
		if err := to.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
	}
}

func newCompressor(w io.Writer, name string) (io.WriteCloser, error) {
	if name == "gzip" {
		return gzip.NewWriterLevel(w, 4)
	}
	command := exec.Command(name, "--quiet", "-3", "--stdout")
	command.Stdout, command.Stderr = w, os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &processWriter{input, command}, command.Start()
}

// processWriter is the input of a program whose end is waited for.
type processWriter struct {
	io.WriteCloser
	command *exec.Cmd
}

func (p *processWriter) Close() error { return errors.Join(p.WriteCloser.Close(), p.command.Wait()) }
