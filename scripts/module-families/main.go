// Command module-families packs directories as module zips, the way Go's module proxies do, and keeps the zips
// of several versions together in one file in which every deflate stream stands once.
//
//	module-families zips   OUT MODULE VERSION=DIR...   one zip per version below OUT
//	module-families family OUT MODULE VERSION=DIR...   the versions' manifest OUT.txt and streams OUT.bin
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("usage: module-families zips|family OUT MODULE VERSION=DIR...")
	}
	kind, out, module := os.Args[1], os.Args[2], os.Args[3]
	var versions, dirs []string
	for _, argument := range os.Args[4:] {
		version, dir, ok := strings.Cut(argument, "=")
		if !ok {
			log.Fatalf("%q is not VERSION=DIR", argument)
		}
		versions, dirs = append(versions, version), append(dirs, dir)
	}
	switch kind {
	case "zips":
		for i, version := range versions {
			name := strings.ReplaceAll(module, "/", "_") + "@" + version + ".zip"
			check(os.WriteFile(filepath.Join(out, name), pack(module, version, dirs[i]), 0o666))
		}
	case "family":
		writeFamily(out, module, versions, dirs)
	default:
		log.Fatalf("%q is neither zips nor family", kind)
	}
}

// pack writes the files of dir, sorted, as golang.org/x/mod/zip does: Create gives method 8, sizes in a
// descriptor, no date.
func pack(module, version, dir string) []byte {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	check(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := writer.Create(module + "@" + version + "/" + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		return err
	}))
	check(writer.Close())
	return buffer.Bytes()
}

// writeFamily keeps of each zip its entries (name, CRC-32, sizes, which stream) and its SHA-256, from which the
// zip is made again byte for byte.
func writeFamily(out, module string, versions, dirs []string) {
	manifest, err := os.Create(out + ".txt")
	check(err)
	defer manifest.Close()
	lines := bufio.NewWriter(manifest)
	defer lines.Flush()
	var streams bytes.Buffer
	known := map[[32]byte]int{}
	fmt.Fprintf(lines, "module %s\n", module)
	for i, version := range versions {
		bytesOfZip := pack(module, version, dirs[i])
		fmt.Fprintf(lines, "version %s %d %x\n", version, len(bytesOfZip), sha256.Sum256(bytesOfZip))
		reader, err := zip.NewReader(bytes.NewReader(bytesOfZip), int64(len(bytesOfZip)))
		check(err)
		for _, file := range reader.File {
			start, err := file.DataOffset()
			check(err)
			data := bytesOfZip[start : start+int64(file.CompressedSize64)]
			offset, ok := known[sha256.Sum256(data)]
			if !ok {
				offset = streams.Len()
				known[sha256.Sum256(data)] = offset
				streams.Write(data)
			}
			name := strings.TrimPrefix(file.Name, module+"@"+version+"/")
			fmt.Fprintf(lines, "%s %d %d %d %d\n",
				name, offset, len(data), file.UncompressedSize64, file.CRC32)
		}
	}
	check(os.WriteFile(out+".bin", streams.Bytes(), 0o666))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
