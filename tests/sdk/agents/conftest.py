"""Coding agents, run without a terminal: a real gateway, a scripted model, a folder and a home of their own."""

import json
import os
import pathlib
import subprocess
import sys

import httpx2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import rig  # noqa: E402  (found through the line above)

BIN = pathlib.Path(__file__).with_name("node_modules") / ".bin"
SECONDS = 40
# A closed port instead of a proxy: whatever an agent has to say to its makers stays on the machine.
NOWHERE = "http://127.0.0.1:9"
TASK = "Please write the answer into a file. __script=task"


def agent_program(name):
    """The path of an agent that npm has installed; without it the test is skipped, or fails with CI=true."""
    program = BIN / name
    if program.exists():
        return str(program)
    reason = f"{name} is not installed: run scripts/setup.sh agents"
    if os.environ.get("CI") in ("true", "1"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_agent(command, folder, **env):
    """What it printed, once it has ended well."""
    home = folder.with_name("home")
    home.mkdir(exist_ok=True)
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    proxies = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=inherited | proxies | {"HOME": str(home)} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def gateway():
    with rig.gateway() as gw:
        yield gw


@pytest.fixture
def folder(tmp_path):
    """Where the agent works."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


class Model:
    """The mock provider, as the model that the agent listens to."""

    def __init__(self, url):
        self._http = httpx2.Client(base_url=url, timeout=20)

    def plays(self, *turns):
        """From now on it answers TASK with these turns, each when the calls of those before have results."""
        self.received()
        script = {"name": "task", "when": "__script=task", "turns": turns}
        answer = self._http.post("/__script", json=[script])
        assert answer.status_code == 200, answer.text

    def received(self):
        """The requests since the last look: path and body."""
        entries = self._http.get("/__log").json()
        return [(entry["path"], json.dumps(entry["body"], ensure_ascii=False)) for entry in entries]


@pytest.fixture
def model(gateway):
    return Model(gateway.mock_url)
