package modtree

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/mod/zip"
)

// zipFile is a file of a module zip: bytes in memory or a file on disk.
type zipFile struct {
	path string
	disk string
	data []byte
}

func (f zipFile) Path() string { return f.path }

func (f zipFile) Lstat() (fs.FileInfo, error) {
	if f.data == nil {
		return os.Lstat(f.disk)
	}
	return memoryInfo{f}, nil
}

func (f zipFile) Open() (io.ReadCloser, error) {
	if f.data == nil {
		return os.Open(f.disk)
	}
	return io.NopCloser(bytes.NewReader(f.data)), nil
}

type memoryInfo struct{ file zipFile }

func (i memoryInfo) Name() string     { return filepath.Base(i.file.path) }
func (i memoryInfo) Size() int64      { return int64(len(i.file.data)) }
func (memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (memoryInfo) ModTime() time.Time { return time.Time{} }
func (memoryInfo) IsDir() bool        { return false }
func (memoryInfo) Sys() any           { return nil }

// moduleFiles lists the files that belong into the zip of the module in the directories, without its go.mod.
func moduleFiles(dirs []string) ([]zip.File, error) {
	seen := make(map[string]bool)
	var list []zip.File
	for _, dir := range dirs {
		checked, err := zip.CheckDir(dir)
		if err != nil {
			return nil, err
		}
		for _, disk := range checked.Valid {
			relative, err := filepath.Rel(dir, disk)
			if err != nil {
				return nil, err
			}
			name := filepath.ToSlash(relative)
			if name == "go.mod" || seen[name] {
				continue
			}
			seen[name] = true
			list = append(list, zipFile{path: name, disk: disk})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path() < list[j].Path() })
	return list, nil
}
