#!/usr/bin/env bash
# Builds the release binary twice, admin UI included, in two folders whose names differ in length, packs an image of each, and
# compares: same source, same compilers, same bytes.
#
#   deploy/docker/reproduce.sh [COMMIT]          HEAD by default; takes two release builds
#   deploy/docker/reproduce.sh --binary FILE     packs the image of a binary that is there twice, and compares only that
#
# Images are compared where buildah is installed.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

export SOURCE_DATE_EPOCH=0

build() { # NAME
    local source=$WORK/$1
    git clone --quiet --no-hardlinks "$ROOT" "$source"
    git -C "$source" checkout --quiet --detach "$COMMIT"
    "$HERE/build.sh" "$source" >"$WORK/$1.log" || { tail -20 "$WORK/$1.log" >&2; exit 1; }
    install -m 0755 "$source/target/release/weir" "$WORK/$1.weir"
    rm -rf "$source"
}

# The id of an image is the hash of all that is in it and is said of it.
image() { # NAME BINARY
    local folder=$WORK/$1.image
    "$HERE/rootfs.sh" "$2" "$folder/rootfs"
    buildah --storage-driver vfs --root "$WORK/$1.store" --runroot "$WORK/$1.run" \
        bud --isolation chroot --timestamp 0 --quiet --iidfile "$folder/id" -f "$HERE/Dockerfile.binary" "$folder" >/dev/null
    cat "$folder/id"
}

same() { # WHAT FIRST SECOND
    printf '%s  first %s\n%s  second %s\n' "$2" "$1" "$3" "$1"
    [[ $2 == "$3" ]] || { echo "they differ"; exit 1; }
}

images() { # BINARY BINARY
    if ! command -v buildah >/dev/null; then echo "images are not compared: there is no buildah"; return; fi
    local first second
    first=$(image first "$1")
    second=$(image second "$2")
    same image "$first" "$second"
}

if [[ ${1:-} == --binary ]]; then
    images "$2" "$2"
    echo "the two images of $2 are the same"
    exit
fi

COMMIT=$(git -C "$ROOT" rev-parse "${1:-HEAD}")
(cd "$ROOT" && "${RUSTC:-rustc}" --version && cc --version | head -1)
build first
build second
same binary "$(sha256sum <"$WORK/first.weir" | cut -d' ' -f1)" "$(sha256sum <"$WORK/second.weir" | cut -d' ' -f1)"
images "$WORK/first.weir" "$WORK/second.weir"
echo "the two builds of $COMMIT are the same"
