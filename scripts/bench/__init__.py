"""`make bench`: the node beside what people use instead, on one machine, in alternating rounds. See docs/benchmarking.md."""
