# What a client's credentials opened on one node, on the others. Nodes 1 and 2 may have private content of others, node 3
# may not; sourced by measure-cluster.sh.

private() {
    roles=([1]="--role private" [2]="--role private")
    start_site 3
    roles=()
    declare -A opened=()
    local kind
    for kind in basic bearer; do shielded $kind; done
    end_upstream
    for kind in basic bearer; do
        blob=${opened[$kind]}
        gives "$kind: upstream away, alice gets it from node 2" 200 2 "team/$kind" alice:secret
        gives "$kind: upstream away, nobody without a login does" "401 404 503" 2 "team/$kind"
        gives "$kind: upstream away, nor does bob" "401 404 503" 2 "team/$kind" bob:hidden
        gives "$kind: upstream away, nor does bob as a part of his own repository" "401 404 503" 2 "team/other-$kind" bob:hidden
    done
}

# shielded KIND: a repository that upstream opens to alice, beside one that it opens to bob.
shielded() {
    local kind=$1 app=team/$1 other=team/other-$1 before
    mkdir -p "$work/blobs/private/${app/\//-}" "$work/blobs/private/${other/\//-}"
    echo "$kind alice:secret" >"$work/blobs/private/${app/\//-}/login"
    echo "$kind bob:hidden" >"$work/blobs/private/${other/\//-}/login"
    new_blob 3000000
    mv "$work/blobs/$blob" "$work/blobs/private/${app/\//-}/"
    before=$(sent)
    gives "$kind: nobody without a login gets it from node 1" 401 1 "$app"
    gives "$kind: alice gets it from node 1" 200 1 "$app" alice:secret
    moved "$kind: node 1 fetches it from upstream" 3000000
    gives "$kind: nobody without a login gets it from node 2" 401 2 "$app"
    gives "$kind: a wrong password does not open it on node 2" 401 2 "$app" alice:guess
    gives "$kind: bob does not get it from node 2" 401 2 "$app" bob:hidden
    gives "$kind: bob does not get it from node 2 as a part of his own repository" 404 2 "$other" bob:hidden
    moved "$kind: upstream sends none of it for them" 0
    gives "$kind: alice gets it from node 2" 200 2 "$app" alice:secret
    moved "$kind: it comes from node 1" 0
    gives "$kind: now that node 2 holds it, nobody without a login gets it there" 401 2 "$app"
    gives "$kind: nor does bob as a part of his own repository" 404 2 "$other" bob:hidden
    gives "$kind: alice gets it from node 3, which has no role" 200 3 "$app" alice:secret
    moved "$kind: node 3 fetches it from upstream" 3000000
    opened[$kind]=$blob
}

# gives WHAT STATUSES N REPOSITORY [USER:PASSWORD]: what node N answers to a client on its machine that asks for the blob;
# 200 counts with the right bytes only.
gives() {
    local status
    status=$(inside "$3" curl --silent --max-time 60 ${5:+--user "$5"} --output "$work/got" --write-out '%{http_code}' \
        "http://127.0.0.1:4890/v2/registry.test/$4/blobs/sha256:$blob") || true
    if [ "$status" = 200 ] && [ "$(sha256sum "$work/got" | cut -d ' ' -f 1)" != "$blob" ]; then status="200 with wrong bytes"; fi
    case " $2 " in
    *" $status "*) report "private: $1" ;;
    *) report "private: $1: FAILED (status $status, wanted $2)" ;;
    esac
}

# moved WHAT BYTES: has upstream sent so much since the last time ($before)?
moved() {
    local all
    sleep 0.2
    all=$(sent)
    if [ $((all - before)) = "$2" ]; then report "private: $1"; else report "private: $1: FAILED (upstream sent $((all - before)))"; fi
    before=$all
}
