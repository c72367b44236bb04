#!/bin/bash
# Runs the fuzzers under the address sanitizer: RUNS executions each (10^7 unless set), one after the other, or only
# those named as arguments (FuzzZip ...). A finding stops the script; its input is left in Fuzz/.build/findings.
set -euo pipefail
cd "$(dirname "$0")/../Fuzz"

runs=${RUNS:-10000000}
swift build -c release --sanitize fuzzer --sanitize address
bin=$(swift build -c release --sanitize fuzzer --sanitize address --show-bin-path)
mkdir -p .build/findings

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for folder in Sources/Fuzz*/; do
        name=$(basename "$folder")
        if [ "$name" != FuzzChecks ]; then targets+=("$name"); fi
    done
fi

for target in "${targets[@]}"; do
    name=$(tr '[:upper:]' '[:lower:]' <<<"${target#Fuzz}")
    mkdir -p ".build/corpus/$name"
    echo "== $target: $runs executions"
    # Leaks are looked for by the tests; here the check would stop the process at every time-out. Freed memory is
    # kept from reuse for some dozen executions; for more, fresh pages for it would take most of the time.
    ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8 "$bin/$target" -runs="$runs" -max_len=4096 -print_final_stats=1 \
        -artifact_prefix=".build/findings/$name-" ".build/corpus/$name" "../Tests/Corpus/$name" \
        >".build/findings/$name.log" 2>&1 || {
        tail -n 40 ".build/findings/$name.log"
        echo "$target failed; the input is in Fuzz/.build/findings" >&2
        exit 1
    }
    grep -E '^Done|average_exec_per_sec' ".build/findings/$name.log"
done
