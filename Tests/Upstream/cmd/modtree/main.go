// Modtree builds a module proxy's file tree from Debian's Go sources and from Go distributions.
package main

import (
	"flag"
	"fmt"
	"os"

	"edgenode.test/upstream/modtree"
)

func main() {
	out := flag.String("out", "", "`directory` to build the tree in; it must be empty or absent")
	catalog := flag.String("catalog", "", "`file` that lists the modules of the Debian packages")
	sources := flag.String("sources", "", "`directory` of their unpacked sources")
	var vendors, toolchains list
	flag.Var(&vendors, "vendored", "Go distribution `directory` whose vendored modules are taken (repeatable)")
	flag.Var(&toolchains, "toolchain", "Go distribution `directory` that becomes a toolchain module (repeatable)")
	flag.Parse()
	if err := build(*out, *catalog, *sources, vendors, toolchains); err != nil {
		fmt.Fprintln(os.Stderr, "modtree:", err)
		os.Exit(1)
	}
}

func build(out, catalog, root string, vendors, toolchains list) error {
	if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", out)
	}
	tree := modtree.NewTree(out)
	if catalog != "" {
		listed, err := modtree.ReadCatalog(catalog, root)
		if err != nil {
			return err
		}
		if err := tree.Write(listed); err != nil {
			return err
		}
	}
	for _, goroot := range vendors {
		vendored, err := modtree.ReadVendored(goroot)
		if err != nil {
			return err
		}
		if err := tree.Write(vendored); err != nil {
			return err
		}
	}
	for _, goroot := range toolchains {
		if err := tree.WriteToolchain(goroot); err != nil {
			return err
		}
	}
	return tree.Finish()
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return fmt.Sprint(*l) }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
