# The demo's part with container images; sourced by demo.sh, whose `work`, `port` and `release` it uses.

registry_name=registry.demo.test
image=$registry_name/library/workbench:1.0
programs=$cache/clients
# Root has containerd and podman unpack the image; skopeo copies it without rights to anything.
if [ "$(id -u)" = 0 ]; then clients="containerd and podman"; else clients="skopeo"; fi

# start_registry: docker-registry with the images, and a relay before it that counts what is asked; sets `wire_url`.
start_registry() {
    local port
    port=$(free_port)
    cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $cache/images/registry}, maintenance: {readonly: {enabled: true}}}
http: {addr: "127.0.0.1:$port"}
YAML
    "$programs/usr/bin/docker-registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
    registry=$!
    until_true "docker-registry" curl --silent --fail --output /dev/null "http://127.0.0.1:$port/v2/"
    "$cache/bin/$release/relay" -target "http://127.0.0.1:$port" >"$work/wire.json" 2>"$work/wire.log" &
    wire=$!
    until_true "the relay before docker-registry" test -s "$work/wire.json"
    wire_url=http://$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["address"])' "$work/wire.json")
}

# client FOLDER PROGRAM ARGUMENT...: turns the shell that calls it into a container client, which sees no other settings
# and leaves nothing but in FOLDER.
client() {
    local folder=$1 program=$2
    shift 2
    local settings=(
        PATH="$programs/usr/bin:$programs/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin" HOME="$folder"
        LD_LIBRARY_PATH="$programs/usr/lib/x86_64-linux-gnu:$programs/lib/x86_64-linux-gnu"
        CONTAINERS_CONF="$folder/containers.conf" CONTAINERS_REGISTRIES_CONF="$folder/registries.conf"
        CONTAINERS_STORAGE_CONF="$folder/storage.conf" REGISTRY_AUTH_FILE="$folder/auth.json"
    )
    if [ "$(id -u)" = 0 ]; then
        # shellcheck disable=SC2016
        exec unshare --mount --propagation private /bin/sh -c \
            'for place in /run /var/lib /dev/shm; do mount -t tmpfs tmpfs $place || exit; done; exec "$@"' - \
            env -i "${settings[@]}" "$programs/usr/bin/$program" "$@"
    else
        exec env -i "${settings[@]}" "$programs/usr/bin/$program" "$@"
    fi
}

# write_settings FOLDER: what tells the clients of the mirror, as `edgenode client-config` and their manuals say it.
write_settings() {
    local folder=$1
    mkdir -p "$folder/hosts.d/$registry_name"
    cat >"$folder/hosts.d/$registry_name/hosts.toml" <<TOML
server = "$wire_url"
[host."http://127.0.0.1:$port"]
capabilities = ["pull", "resolve"]
TOML
    cat >"$folder/registries.conf" <<TOML
[[registry]]
prefix = "$registry_name"
location = "${wire_url#http://}"
insecure = true
[[registry.mirror]]
location = "127.0.0.1:$port/$registry_name"
insecure = true
TOML
    cat >"$folder/containerd.toml" <<TOML
version = 2
root = "$folder/containerd"
state = "$folder/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "$folder/containerd.sock"
TOML
    cat >"$folder/containers.conf" <<TOML
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
TOML
    cat >"$folder/storage.conf" <<TOML
[storage]
driver = "overlay"
runroot = "$folder/run"
graphroot = "$folder/storage"
TOML
    echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$folder/policy.json"
    echo '{}' >"$folder/auth.json"
}

# pull NAME: the image for this platform and for another one, by clients that have never pulled anything. What they
# pulled is thrown away again. skopeo leaves the other platform out: its folders know no sha512, which names a layer.
pull() {
    local folder=$work/$1 start
    mkdir -p "$folder"
    write_settings "$folder"
    start=$(date +%s.%N)
    if [ "$(id -u)" = 0 ]; then
        with_containerd "$folder" images pull --hosts-dir "$folder/hosts.d" --platform linux/amd64 "$image"
        quietly "$folder" podman pull --signature-policy "$folder/policy.json" --arch amd64 "$image"
        quietly "$folder" podman pull --signature-policy "$folder/policy.json" --arch arm64 "$image"
    else
        quietly "$folder" skopeo --policy "$folder/policy.json" --registries-conf "$folder/registries.conf" \
            --override-arch amd64 copy "docker://$image" "dir:$folder/image"
    fi
    echo "$start $(date +%s.%N)" >"$work/$1.times"
    rm -rf "$folder"
}

# quietly FOLDER PROGRAM ARGUMENT...: a client whose words are shown when it fails.
quietly() {
    (client "$@") >"$work/client.log" 2>&1 || {
        tail -n 20 "$work/client.log" "$work/node$number.log" >&2
        fail "$2 could not pull; its words and the node's stand above."
    }
}

# with_containerd FOLDER ARGUMENT...: ctr with these words, and a containerd for as long as it takes.
with_containerd() {
    local folder=$1
    shift
    client "$folder" containerd --config "$folder/containerd.toml" >"$work/containerd.log" 2>&1 &
    containerd=$!
    until_true "containerd" test -S "$folder/containerd.sock"
    quietly "$folder" ctr --address "$folder/containerd.sock" "$@"
    finish "$containerd"
    containerd=
}
