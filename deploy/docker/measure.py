#!/usr/bin/env python3
"""How large the image of a binary is, what is in it, and how soon it is ready on an empty ledger of its own (SQLite).

    deploy/docker/measure.py target/release/weir             # tells
    deploy/docker/measure.py target/release/weir --strict    # and fails beyond 60 MB or 300 ms

Nothing but Python is needed. With buildah the image is packed too and weighed as it is sent; as root the program is started
inside of it, as the image's user.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MEGABYTES, MILLISECONDS = 60, 300
USER = "65532:65532"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--strict", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "rootfs")
        subprocess.run([HERE / "rootfs.sh", args.binary, root], check=True)
        size = content(root)
        packed(pathlib.Path(folder))
        ready = [start(root) for _ in range(args.starts)]
    middle = statistics.median(ready)
    print(f"ready after {middle:.0f} ms at the median of {len(ready)} starts ({min(ready):.0f} to {max(ready):.0f})")
    missed = [what for what, is_so in [("larger", size > MEGABYTES), ("later", middle > MILLISECONDS)] if is_so]
    if args.strict and missed:
        sys.exit(f"{' and '.join(missed)} than {MEGABYTES} MB and {MILLISECONDS} ms allow")


def content(root):
    """Every file with its size; the sum in MB."""
    files = sorted(path for path in root.rglob("*") if path.is_file() or path.is_symlink())
    for path in files:
        what = f"→ {path.readlink()}" if path.is_symlink() else f"{path.stat().st_size:>12,}"
        print(f"{what:>12}  /{path.relative_to(root)}")
    size = sum(path.stat().st_size for path in files if not path.is_symlink()) / 1e6
    print(f"{size:.1f} MB in {len(files)} files")
    return size


def packed(folder):
    """The image as it is pushed: its layers are compressed."""
    if not shutil.which("buildah"):
        print("not packed: there is no buildah")
        return
    store = ["buildah", "--storage-driver", "vfs", "--root", folder / "store", "--runroot", folder / "run"]
    build = ["bud", "--isolation", "chroot", "--timestamp", "0", "--quiet", "-f", HERE / "Dockerfile.binary"]
    subprocess.run([*store, *build, "-t", "weir:measured", folder], check=True, stdout=subprocess.DEVNULL)
    archive = folder / "image.tar"
    subprocess.run([*store, "push", "--quiet", "weir:measured", f"oci-archive:{archive}"], check=True)
    print(f"{archive.stat().st_size / 1e6:.1f} MB packed")


def start(root):
    """Milliseconds from starting the program to its being ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inside = os.geteuid() == 0
    enter = ["/usr/sbin/chroot", f"--userspec={USER}", "--groups=", root, "weir"]
    program = enter if inside else [root / "usr/local/bin/weir"]
    with tempfile.TemporaryDirectory(dir=root / "var/lib/weir") as data:
        os.chmod(data, 0o777)
        seen = f"/{pathlib.Path(data).relative_to(root)}" if inside else data
        env = {"PATH": "/usr/local/bin:/bin", "WEIR_DATA_DIR": f"{seen}/data", "LITELLM_MASTER_KEY": "sk-measured"}
        began = time.monotonic()
        process = subprocess.Popen([*program, "--host", "127.0.0.1", "--port", str(port)], env=env, stderr=subprocess.PIPE)
        try:
            wait(process, port)
            return (time.monotonic() - began) * 1000
        finally:
            process.kill()
            process.communicate()


def wait(process, port):
    asks = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with asks.open(f"http://127.0.0.1:{port}/health/readiness", timeout=5):
                return
        time.sleep(0.002)
    sys.exit(f"weir ended:\n{process.stderr.read().decode()}")


if __name__ == "__main__":
    main()
