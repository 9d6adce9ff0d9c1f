#!/usr/bin/env bash
# Puts together all that is in the image: the binary with the libraries that it loads, certificates, LiteLLM's names.
#
#   deploy/docker/rootfs.sh BINARY FOLDER [--debug]      --debug: a shell as well (needs busybox, statically linked)
#
# The same content every time: no times of building, no package manager. Works without root and without a container
# engine; `buildah` or `docker` only pack FOLDER.
set -euo pipefail

BINARY=$1
OUT=$2
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
EPOCH=${SOURCE_DATE_EPOCH:-0}

folders() {
    mkdir -p "$OUT"/{app/docker,etc/ssl/certs,tmp,usr/local/bin,var/lib/weir}
    # Any user id may run it, with or without a volume.
    chmod 1777 "$OUT/tmp" "$OUT/var/lib/weir"
}

# The libraries where the loader looks for them. glibc's own resolver is in libc.so.6; nothing else is loaded later.
libraries() {
    local file
    ldd "$1" | grep -oE '/[^ ]+' | while read -r file; do install -D -m 0755 "$file" "$OUT$file"; done
}

binary() {
    install -m 0755 "$BINARY" "$OUT/usr/local/bin/weir"
    if ldd "$BINARY" >/dev/null 2>&1; then libraries "$BINARY"; fi
}

# The commands of LiteLLM's image and chart. The first two are Weir, which takes LiteLLM's flags.
litellm_names() {
    "${CC:-cc}" -static -Os -s -Wl,--build-id=none -o "$OUT/usr/local/bin/python" "$HERE/shim.c"
    ln -sf python "$OUT/usr/local/bin/python3"
    ln -sf weir "$OUT/usr/local/bin/litellm"
    ln -sf /usr/local/bin/weir "$OUT/app/docker/prod_entrypoint.sh"
}

etc() {
    install -m 0644 /etc/ssl/certs/ca-certificates.crt "$OUT/etc/ssl/certs/ca-certificates.crt"
    printf 'root:x:0:0:root:/:/sbin/nologin\nweir:x:65532:65532:weir:/app:/sbin/nologin\n' >"$OUT/etc/passwd"
    printf 'root:x:0:\nweir:x:65532:\n' >"$OUT/etc/group"
    printf 'hosts: files dns\n' >"$OUT/etc/nsswitch.conf"
}

shell() {
    local busybox name
    busybox=$(command -v busybox)
    install -D -m 0755 "$busybox" "$OUT/bin/busybox"
    for name in sh ls cat env ps top grep head tail wget nc nslookup vi; do ln -sf busybox "$OUT/bin/$name"; done
}

folders
binary
litellm_names
etc
if [[ ${3:-} == --debug ]]; then shell; fi
find "$OUT" -exec touch --no-dereference --date="@$EPOCH" {} +
