"""The image's content, put together from a binary: what is in it, LiteLLM's command lines, any user id."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from places import DEPLOY

ROOTFS = DEPLOY / "docker" / "rootfs.sh"


@pytest.fixture(scope="module")
def root(weir, needs, tmp_path_factory):
    needs(shutil.which("cc"), "no C compiler: run scripts/setup.sh build")
    needs(os.geteuid() == 0, "only root may look from inside (chroot)")
    folder = tmp_path_factory.mktemp("image") / "root"
    subprocess.run([ROOTFS, weir, folder], check=True, timeout=60)
    return folder


def inside(root, *command, user="65532:65532", env=None):
    where = {"PATH": "/usr/local/bin:/bin", "WEIR_DATA_DIR": "/var/lib/weir", **(env or {})}
    enter = ["/usr/sbin/chroot", f"--userspec={user}", "--groups=", root, *command]
    return subprocess.run(enter, env=where, cwd="/", capture_output=True, text=True, timeout=60, check=False)


def files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir() or p.is_symlink()}


def p38_what_is_in_it(root):
    there = {name for name in files(root) if not name.startswith("lib")}
    programs = {"usr/local/bin/weir", "usr/local/bin/litellm", "usr/local/bin/python", "usr/local/bin/python3"}
    etc = {"etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/ssl/certs/ca-certificates.crt"}
    assert there == programs | etc | {"app/docker/prod_entrypoint.sh"}
    # The loader and what the binary names; no shell.
    assert len(files(root)) - len(there) <= 6


def test_the_debug_image_has_a_shell(root, weir, needs, tmp_path):
    needs(shutil.which("busybox"), "busybox is not installed: run scripts/setup.sh deploy")
    subprocess.run([ROOTFS, weir, tmp_path / "debug", "--debug"], check=True, timeout=60)
    assert files(root) < files(tmp_path / "debug")
    done = inside(tmp_path / "debug", "sh", "-c", "weir --version | head -1")
    assert done.stdout.startswith("weir "), done.stderr


def test_the_same_content_every_time(root, weir, tmp_path):
    def packed(folder):
        tar = ["tar", "--sort=name", "--numeric-owner", "-c", "-C", folder, "."]
        return subprocess.run(tar, capture_output=True, check=True, timeout=60).stdout

    again = tmp_path / "root"
    subprocess.run([ROOTFS, weir, again], check=True, timeout=60)
    other = tmp_path / "other"
    subprocess.run([ROOTFS, weir, other], check=True, timeout=60)
    assert packed(again) == packed(other)


@pytest.mark.parametrize("user", ["65532:65532", "1000710000:0", "0:0"])
@pytest.mark.parametrize("name", ["weir", "litellm", "/app/docker/prod_entrypoint.sh"])
def test_it_starts_as_any_user_under_litellms_names(root, user, name):
    done = inside(root, name, "--version", user=user)
    assert done.returncode == 0 and done.stdout.startswith("weir "), done.stderr


@pytest.mark.parametrize("how", [("litellm/proxy/proxy_cli.py",), ("-m", "litellm.proxy.proxy_cli")])
def test_python_starts_the_proxy(root, how):
    assert inside(root, "python", *how, "--version").stdout.startswith("weir ")


def p32_litellms_migration_command_migrates(root):
    """On the file that is the ledger without a database; with one it is the same command."""
    command = ("python", "litellm/proxy/prisma_migration.py")
    off = inside(root, *command, env={"DISABLE_SCHEMA_UPDATE": "true"})
    assert off.returncode == 0 and not (root / "var/lib/weir/ledger.db").exists()
    done = inside(root, *command, user="4711:4711", env={"DISABLE_SCHEMA_UPDATE": "false"})
    assert done.returncode == 0, done.stderr
    assert (root / "var/lib/weir/ledger.db").exists()


def test_python_does_nothing_else(root):
    done = inside(root, "python", "-c", "print(1)")
    assert done.returncode == 127 and "no Python" in done.stderr


def p38_it_is_packed_without_an_engine(root, weir, needs, tmp_path):
    needs(shutil.which("buildah"), "buildah is not installed: run scripts/setup.sh deploy")
    subprocess.run([ROOTFS, weir, tmp_path / "rootfs"], check=True, timeout=60)
    store = ["buildah", "--storage-driver", "vfs", "--root", tmp_path / "store", "--runroot", tmp_path / "run"]
    build = ["bud", "--isolation", "chroot", "--timestamp", "0", "-f", DEPLOY / "docker" / "Dockerfile.binary"]
    done = subprocess.run(
        [*store, *build, "-t", "weir:test", tmp_path], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    form = "{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.User}} {{.OCIv1.Config.WorkingDir}}"
    told = subprocess.run(
        [*store, "inspect", "--type", "image", "--format", form, "weir:test"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.strip() == "[weir] 65532:65532 /app"


def p38_the_image_is_weighed_and_started(weir, needs):
    """All of it but the program is a few megabytes; where a release build is beside this one, all of it is below 60. What
    `make bolt` leaves has most of its code twice, and is not what an image is made of."""
    needs(shutil.which("cc"), "no C compiler: run scripts/setup.sh build")

    def weighed(binary, starts):
        command = [DEPLOY / "docker" / "measure.py", binary, "--starts", starts]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0 and "ready after" in done.stdout, done.stdout + done.stderr
        return float(re.search(r"^([0-9.]+) MB in ", done.stdout, re.MULTILINE)[1])

    assert weighed(weir, "1") - os.stat(weir).st_size / 1e6 < 8
    release = pathlib.Path(weir).resolve().parent.parent / "release" / "weir"
    if release.exists() and not any(mark in release.read_bytes() for mark in (b".bolt.org.text", b".rela.text")):
        assert weighed(release, "1") < 60


def test_an_image_is_packed_to_the_same_bytes_twice(weir, needs):
    needs(shutil.which("buildah"), "buildah is not installed: run scripts/setup.sh deploy")
    command = [DEPLOY / "docker" / "reproduce.sh", "--binary", weir]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0 and done.stdout.count("sha256:") == 2, done.stdout + done.stderr
