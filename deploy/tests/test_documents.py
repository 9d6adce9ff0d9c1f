"""The commands of the documents: blocks marked `sh run`, section by section, against a real gateway."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap
import uuid

import pytest
from places import DEPLOY, ROOT
from test_pods import sql

BLOCK = re.compile(r"^( *)```sh run\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
DOCUMENTS = [
    DEPLOY / name for name in ("RUNBOOKS.md", "SCALING.md", "GUIDE.md", "README.md", "examples/README.md", "docker/README.md")
]


def label(path):
    return str(path.relative_to(DEPLOY))


def sections():
    for path in DOCUMENTS:
        for part in path.read_text().split("\n## ")[1:]:
            commands = [textwrap.dedent(block) for _, block in BLOCK.findall(part)]
            if commands:
                yield pytest.param("".join(commands), id=f"{label(path)}: {part.splitlines()[0]}")


@pytest.fixture(scope="module")
def gateway(weir, needs, tmp_path_factory):
    """One for all sections: what is needed to run a command of theirs, as an environment."""
    server = needs(os.environ.get("WEIR_TEST_POSTGRES_URL"), "no PostgreSQL: run scripts/test.sh deploy")
    folder = tmp_path_factory.mktemp("documents")
    names = [f"documents_{uuid.uuid4().hex}", f"restored_{uuid.uuid4().hex}"]
    urls = [re.sub(r"/[^/]*$", f"/{name}", server) for name in names]
    for name in names:
        sql(server, f"CREATE DATABASE {name}")
    yield from running(weir, folder, urls)
    for name in names:
        sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def running(weir, folder, urls):
    import chart
    import pods
    from upstream import upstream

    programs = folder / "bin"
    programs.mkdir()
    (programs / "weir").symlink_to(weir)
    with upstream() as api_base:
        slow = {
            "model_name": "qwen-local",
            "litellm_params": {"model": "openai/slow", "api_base": api_base, "api_key": "sk-x"},
        }
        values = {
            "listen": "127.0.0.1",
            "service": {"port": pods.free_port()},
            "db": {"deployStandalone": False},
            "environmentSecrets": ["own"],
            "masterkey": "sk-documents",
            "proxy_config": {"model_list": [slow], "litellm_settings": {"callbacks": ["prometheus"]}},
        }
        cluster = pods.Cluster(weir, chart.manifests(values), {"own": {"DATABASE_URL": urls[0]}}, folder)
        with cluster.pod() as pod:
            pod.start()
            yield {
                "PATH": f"{programs}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
                "BASE": pod.url,
                "KEY": pod.key,
                "MASTER_KEY": pod.key,
                "MODEL": "qwen-local",
                "WORK": str(folder),
                "DATABASE_URL": urls[0],
                "RESTORED_URL": urls[1],
                "LITELLM_MASTER_KEY": pod.key,
                "WEIR_DATA_DIR": str(folder / "commands"),
                "NO_PROXY": "127.0.0.1",
            }


@pytest.mark.parametrize("commands", list(sections()))
def test_commands(gateway, commands):
    script = f"set -euo pipefail\n{commands}"
    done = subprocess.run(
        ["bash", "-c", script], env=gateway, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, f"{commands}\n--- printed\n{done.stdout}\n--- said\n{done.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (pathlib.Path(path).parent / target).exists(), target
