# Nodes whose clocks are a year off (clock.c); sourced by measure-cluster.sh.

skew() {
    local first second
    local compiler wrong year=31536000
    compiler=$(command -v clang || command -v cc) || fail "Wrong clocks need a C compiler." "The one of the Swift toolchain does."
    "$compiler" -shared -fPIC -O1 -o "$work.clock.so" "$root/scripts/cluster/clock.c"
    wrong="LD_PRELOAD=$work.clock.so CLOCK_OFFSET="
    # Who joins with a clock ahead finds the token too old; one behind the build's day counts as that day.
    clocks=([4]="$wrong-$year")
    start_site 4
    end_node 3
    clocks[3]="$wrong$year"
    run_node 3
    until_true "a node that is a year ahead comes back" all_met
    report "skew: nodes a year ahead and a year behind meet the others"
    new_blob 5000000 && first=$blob
    new_blob 5000000 && second=$blob
    expect "skew: node 4, a year behind, fetches from upstream" 4 "$first" yes
    expect "skew: node 3, a year ahead, does, too" 3 "$second" yes
    end_upstream
    expect "skew: node 1 takes what node 4 holds" 1 "$first" yes
    expect "skew: node 3 takes it from them" 3 "$first" yes
    expect "skew: node 4 takes what node 3 holds" 4 "$second" yes
    expect "skew: node 2 takes it from them" 2 "$second" yes
    run_upstream

    says 1 0 "clocks .*that of $(address_of 3):4891 is 31[0-9]* s ahead" "node 1 says whose clock is ahead"
    says 1 0 "clocks .*that of $(address_of 4):4891 is 31[0-9]* s behind" "node 1 says whose clock is behind"
    says 3 1 "PROBLEM  clocks .*this node's is 31[0-9]* s ahead of most others'" "node 3 says that it is its own"
    says 4 1 "PROBLEM  clock .*before this version was made" "node 4 says that its own cannot be right"
    says 4 1 "PROBLEM  clocks .*this node's is 31[0-9]* s behind most others'" "node 4 says so of the others' words, too"
    all_met || report "skew: members lost each other: FAILED"
    clocks=()
    rm "$work.clock.so"
}
