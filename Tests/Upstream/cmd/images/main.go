// Images makes the container images of a catalog out of Debian packages:
//
//	images -catalog FILE -list                                 prints the packages that it needs
//	images -catalog FILE -packages DIRECTORY -out DIRECTORY    writes an OCI image layout
//	images -layout DIRECTORY -push URL                         uploads a layout to a registry
package main

import (
	"flag"
	"fmt"
	"os"

	"edgenode.test/upstream/images"
)

func main() {
	catalog := flag.String("catalog", "", "`file` that lists the images")
	list := flag.Bool("list", false, "print the names of the packages")
	packages := flag.String("packages", "", "`directory` of the packages' files")
	out := flag.String("out", "", "`directory` of the layout to write")
	layout := flag.String("layout", "", "`directory` of the layout to push")
	push := flag.String("push", "", "`URL` of the registry to push to")
	flag.Parse()
	if err := run(*catalog, *list, *packages, *out, *layout, *push); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(catalog string, list bool, packages, out, layout, push string) error {
	if push != "" {
		return images.Push(images.NewLayout(layout), push)
	}
	wanted, err := images.ReadCatalog(catalog)
	if err != nil {
		return err
	}
	if list {
		for _, name := range images.Packages(wanted) {
			fmt.Println(name)
		}
		return nil
	}
	return images.Make(wanted, packages, out)
}
