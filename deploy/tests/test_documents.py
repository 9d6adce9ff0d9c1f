"""The commands of the documents and examples: blocks marked `sh run`, section by section, against a real gateway. Those that
cannot run here, or do something else each time, at least name what there is."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import uuid

import pytest
from commands import EXAMPLES, TEXTS, known, of_comments, of_documents
from guide import text as guide_text
from places import DEPLOY, ROOT
from test_pods import sql

BLOCK = re.compile(r"^( *)```sh run\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OURS = ("RUNBOOKS.md", "SCALING.md", "GUIDE.md", "README.md", "examples/README.md", "docker/README.md")
DOCUMENTS = [ROOT / "README.md", *(DEPLOY / name for name in OURS)]
# Where a newcomer's gateway is.
USUAL = "http://127.0.0.1:4000"


def label(path):
    return str(path.relative_to(ROOT))


def sections():
    for path in DOCUMENTS:
        for part in path.read_text().split("\n## ")[1:]:
            commands = [textwrap.dedent(block) for _, block in BLOCK.findall(part)]
            if commands:
                yield pytest.param("".join(commands), id=f"{label(path)}: {part.splitlines()[0]}")
    for path, commands in of_comments():
        yield pytest.param(commands, id=label(path))


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
    if os.environ.get("WEIR_BENCH_BIN"):
        (programs / "weir-bench").symlink_to(os.environ["WEIR_BENCH_BIN"])
    with upstream() as api_base:
        slow = {
            "model_name": "qwen-local",
            "litellm_params": {"model": "openai/slow", "api_base": api_base, "api_key": "sk-x"},
        }
        demo = {"model_name": "demo", "litellm_params": {"model": "openai/demo", "mock_response": "Hello from Weir!"}}
        values = {
            "listen": "127.0.0.1",
            "service": {"port": pods.free_port()},
            "db": {"deployStandalone": False},
            "environmentSecrets": ["own"],
            "masterkey": "sk-documents",
            "proxy_config": {"model_list": [slow, demo], "litellm_settings": {"callbacks": ["prometheus"]}},
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
def test_commands(gateway, needs, commands):
    if "weir-bench" in commands:
        needs(os.environ.get("WEIR_BENCH_BIN"), "no weir-bench: set WEIR_BENCH_BIN, as scripts/test.sh does")
    script = f"set -euo pipefail\n{commands.replace(USUAL, gateway['BASE'])}"
    printed, said, code = shell(script, gateway)
    assert code == 0, f"{commands}\n--- printed\n{printed}\n--- said\n{said}"


def shell(script, env):
    """In a group of its own, so that nothing goes on in the background when a command before has failed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(["bash", "-c", script], env=env, cwd=ROOT, start_new_session=True, **pipes) as process:
        try:
            process.wait(90)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return *process.communicate(timeout=20), process.returncode


# Why a block is not run, and by what it is seen to be true.
NEEDS = {
    "a cluster": r"\b(?:kubectl|helm)\b",
    "a container engine": r"\bdocker\b",
    "a registry": r"\b(?:cosign|registry)\b",
    "helm": r"\bhelm\b",
    "minutes": r"\b(?:make|weir-bench tune|target/release|reproduce\.sh)\b",
    "root": r"\bsystemctl\b|/usr/local/bin/",
}


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_blocks_are_run_or_say_why_not(path):
    blocks = re.findall(r"^ *```((?:sh|bash)\b[^\n]*)\n(.*?)^ *```", path.read_text(), re.MULTILINE | re.DOTALL)
    for words, block in blocks:
        if words != "sh run":
            reason = words.removeprefix("sh needs ")
            assert reason in NEEDS and re.search(NEEDS[reason], block), f"{words}\n{block}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (pathlib.Path(path).parent / target).exists(), target


FOLDERS = "admin|bench|core|dashboards|deploy|examples|fuzz|gateway|ledger|migrations|plugins|scripts|tests"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)(?:::[\w:]+)?`")
MADE = {"bench/out/"}  # by a run


@pytest.mark.parametrize("path", TEXTS, ids=label)
def test_files_that_are_named_are_there(path):
    """`core/src/time.rs`, `gateway/src/run.rs::start`: from the top of the repository, or from where the text lies."""
    for name in set(NAMED.findall(path.read_text())) - MADE:
        assert (ROOT / name).exists() or (path.parent / name).exists(), name


# --- what is not run ---


@pytest.mark.parametrize("command", sorted(set(of_documents())))
def test_what_is_named_is_there(weir, needs, command):
    """Every `weir …`, `weir-bench …`, `make …`, `scripts/…` in the text: subcommands, options, targets, files."""
    programs = {"weir": weir, "weir-bench": os.environ.get("WEIR_BENCH_BIN")}
    program = command.split()[0]
    if program in programs:
        needs(programs[program], f"no {program}: set WEIR_BENCH_BIN, as scripts/test.sh does")
    assert known(command, programs), command


@pytest.mark.parametrize("path", EXAMPLES, ids=label)
def test_examples_can_be_served(weir, path):
    """With every variable that they name set to something."""
    names = re.findall(r"os\.environ/(\w+)", path.read_text())
    addresses = [name for name in names if "_BASE" in name or name.endswith("_URL")]
    env = {"PATH": os.environ["PATH"], **dict.fromkeys(names, "sk-0000")}
    env |= dict.fromkeys(addresses, "https://a.example.com")
    if "DATABASE_URL" in names:
        env["DATABASE_URL"] = "postgresql://localhost/x"
    done = subprocess.run([weir, "check", path], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_configurations_of_the_readme_can_be_served(weir, tmp_path):
    """The first by itself, the others with its models."""
    first, *others = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    models = first.split("\n\n")[0]
    names = ("LITELLM_MASTER_KEY", "OPENROUTER_API_KEY", "WEBHOOK_SECRET")
    env = {"PATH": os.environ["PATH"], **dict.fromkeys(names, "sk-0000")}
    assert others
    for text in (first, *(f"{models}\n{other}" for other in others)):
        whole = tmp_path / "config.yaml"
        whole.write_text(text)
        done = subprocess.run([weir, "check", whole], env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


def test_the_modelled_figures_are_those_of_the_model(needs):
    """The table of 100 replicas in SCALING.md, column by column."""
    bench = needs(os.environ.get("WEIR_BENCH_BIN"), "no weir-bench: set WEIR_BENCH_BIN, as scripts/test.sh does")
    table = (DEPLOY / "SCALING.md").read_text().partition("| | every key meets all replicas |")[2]
    told = {name: rest.split("|") for name, rest in re.findall(r"^\| ([^|]+) \| (.+) \|$", table, re.MULTILINE)}
    fleet = ["--replicas", "100", "--requests-per-minute", "1000000", "--budgets", "1000"]
    for column, spread in enumerate(("100", "2", "1")):
        done = subprocess.run(
            [bench, "scale", *fleet, "--spread", spread], capture_output=True, text=True, timeout=60, check=True
        )
        rows = dict(re.findall(r"^\| (.+?) \| (.+) \|$", done.stdout, re.MULTILINE))
        average, most = (int(number) for number in rows["slices a second, at most"].split(", "))
        expected = {
            "bookings a second, at most": int(rows["bookings a second, at most"].split(", ")[1]),
            "entries in the largest booking": int(rows["entries in the largest booking"]),
            "slices a second, on average": average,
            "slices a second, at most (the first second)": most,
        }
        for name, number in expected.items():
            assert int(told[name][column].replace(",", "")) == pytest.approx(number, rel=0.02), (name, spread)
        assert rows["spent beyond a budget"].split()[0] == "0"


# --- the guide ---


def test_every_heading_of_the_guide_has_its_result(needs):
    """In GUIDE.md by its own name, without what stands in brackets."""
    text = needs(guide_text(), "the guide is not there: set WEIR_SHARED")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{2,4} (.+)|^\*\*(Step \d: .+)\*\*$", prose, re.MULTILINE)
    names = {re.sub(r" \(.*?\)", "", one or other).strip() for one, other in headings}
    left = {"Table of Contents", "References", "Common Issues"}  # lists and links
    told = (DEPLOY / "GUIDE.md").read_text()
    assert [name for name in sorted(names - left) if name not in told] == [] and len(names) > 60


def test_the_guides_configurations_can_be_served(weir, needs, tmp_path):
    """Each block that sets models or callbacks, as it stands there."""
    text = needs(guide_text(), "the guide is not there: set WEIR_SHARED")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks = [block for block in blocks if "model_list:" in block or "_settings:" in block]
    env = {"PATH": os.environ["PATH"], "LITELLM_MASTER_KEY": "sk-0000", "DATABASE_URL": "postgresql://localhost/x"}
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        done = subprocess.run([weir, "check", file], env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    assert len(blocks) >= 6
