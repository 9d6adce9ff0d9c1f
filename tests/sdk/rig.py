#!/usr/bin/env python3
"""A running gateway over mock providers, on free ports and with a throw-away data directory.

As a module:    with rig.gateway() as gw: print(gw.url)
As a command:   rig.py -- node --test sdk.test.mjs      the command finds WEIR_URL, WEIR_MASTER_KEY, WEIR_MOCK_URL

The programs come from WEIR_BIN and WEIR_BENCH_BIN, else from cargo's debug folder. Python's standard library only, so that
the tests of every language can use it. All suites meet the same configuration (CONFIG) and the same scripts (SCRIPTS).

WEIR_TEST_DIRECT=1 leaves the gateway out: clients talk to the mock. What fails then is a fault of the test or the mock.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MASTER_KEY = "sk-sdk-test-master"
START_SECONDS = 30
STOP_SECONDS = 30  # longer than the drain delay and the grace period together

# One provider's API each; the address of the mock goes in where it says %(mock)s.
PROVIDERS = {
    "openai": {"model": "openai/gpt-4o", "api_base": "%(mock)s/v1", "api_key": "sk-upstream-openai"},
    "anthropic": {"model": "anthropic/claude-sonnet-4-5", "api_base": "%(mock)s", "api_key": "sk-upstream-anthropic"},
    "bedrock": {
        "model": "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "aws_bedrock_runtime_endpoint": "%(mock)s",
        "aws_region_name": "us-east-1",
        "aws_access_key_id": "AKIAUPSTREAM",
        "aws_secret_access_key": "upstream-secret",
    },
    "ollama": {"model": "ollama_chat/qwen3", "api_base": "%(mock)s"},
    "gemini": {"model": "gemini/gemini-2.5-pro", "api_base": "%(mock)s", "api_key": "upstream-gemini"},
    "cohere": {"model": "cohere_chat/command-r-plus-08-2024", "api_base": "%(mock)s", "api_key": "upstream-cohere"},
}
# Model on-X has provider X behind it. Agents ask for more of a model whose name they know.
NAMES = ["on-%s", "claude-sonnet-4-5-on-%s", "gpt-5.5-on-%s"]
CONFIG = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: "%(mock)s/v1", api_key: sk-upstream-openai}
  - model_name: azure-gpt4
    litellm_params: {model: azure/gpt-4-deployment, api_base: "%(mock)s", api_key: az-upstream, api_version: "2024-10-21"}
  - model_name: emb-small
    litellm_params: {model: openai/text-embedding-3-small, api_base: "%(mock)s/v1", api_key: sk-upstream-openai}
  - model_name: gpt-realtime
    litellm_params: {model: openai/gpt-realtime, api_base: "%(mock)s/v1", api_key: sk-upstream-openai}
  - model_name: demo
    litellm_params: {model: openai/demo, mock_response: "Hello from the demo model."}
%(models)s
litellm_settings:
  callbacks: [prometheus]
  num_retries: 0
router_settings:
  disable_cooldowns: true
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
# For what is passed through below a provider's prefix.
environment_variables:
  OPENAI_API_BASE: "%(mock)s/v1"
  OPENAI_API_KEY: sk-environment-openai
  ANTHROPIC_API_BASE: "%(mock)s"
  ANTHROPIC_API_KEY: sk-environment-anthropic
  GEMINI_API_BASE: "%(mock)s"
  GEMINI_API_KEY: environment-gemini
"""

# What the mock says to a request that contains `__script=NAME`, see bench/src/mock/script.rs. The member `when` keeps a
# script from every other request.
SCRIPTS = [
    {
        "name": "weather",
        "when": "__script=weather",
        "turns": [
            {
                "thinking": "Both cities at once.",
                "text": "I will look.",
                "calls": [
                    {"name": "get_weather", "arguments": {"city": "Paris"}},
                    {"name": "get_weather", "arguments": {"city": "Zürich", "days": [1, 2], "note": 'a "quoted" \\ word\n'}},
                ],
            },
            {"text": "Paris has 18 degrees, Zürich is unknown."},
        ],
    },
    {"name": "answer", "when": "__script=answer", "turns": [{"text": '{"answer":42}'}]},
]


@dataclasses.dataclass(frozen=True)
class Gateway:
    url: str  # without /v1
    master_key: str
    mock_url: str


# --- programs and ports ---


def program(variable, name):
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    path = pathlib.Path(os.environ.get(variable) or pathlib.Path(target) / "debug" / name)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run `cargo build`, or set {variable}")
    return str(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config_for(mock):
    named = [(name % provider, params) for provider, params in PROVIDERS.items() for name in NAMES]
    # What is JSON is YAML too.
    models = [f"  - {json.dumps({'model_name': name, 'litellm_params': params})}" for name, params in named]
    return CONFIG.replace("%(models)s", "\n".join(models)) % {"mock": mock}


# --- processes ---


class Process:
    """A child whose output is read all the time: a full pipe would stop it in the middle of a test."""

    def __init__(self, arguments, env=None, cwd=None):
        self._lines = []
        self.child = subprocess.Popen(
            arguments, env=env, cwd=cwd, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            self._lines.append(line)

    @property
    def output(self):
        return "".join(self._lines)

    def wait_for(self, pattern, seconds=START_SECONDS):
        """The first match in what was printed since the start, waited for."""
        deadline = time.monotonic() + seconds
        while True:
            if found := re.search(pattern, self.output):
                return found
            if time.monotonic() > deadline or not self._reader.is_alive():
                raise AssertionError(f"nothing like {pattern!r} within {seconds} s; the output was:\n{self.output}")
            time.sleep(0.02)

    def stop(self):
        """SIGTERM, then the exit code; SIGKILL and an error when it does not go."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM; the output was:\n{self.output}") from None
        finally:
            self._reader.join(5)


def wait_until_ready(url, process, seconds=START_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.child.poll() is not None:
            raise AssertionError(f"ended with {process.child.returncode} while starting:\n{process.output}")
        if status_of(f"{url}/health/readiness") == 200:
            return
        time.sleep(0.05)
    raise AssertionError(f"not ready within {seconds} s:\n{process.output}")


def status_of(url):
    try:
        # No proxy: a machine's HTTP_PROXY is not for the loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def clean_env(**extra):
    """The caller's environment without anything that would change what the gateway does."""
    unwanted = re.compile(r"^(LITELLM_|DATABASE_|REDIS_|OPENAI_|AZURE_|ANTHROPIC_|AWS_|GEMINI_|COHERE_|OLLAMA_|CONFIG_FILE_PATH$|WEIR_DATA_DIR$|HTTPS?_PROXY$)", re.I)
    env = {name: value for name, value in os.environ.items() if not unwanted.match(name)}
    return env | extra


# --- the rig ---


@contextlib.contextmanager
def mock_provider(folder):
    scripts = folder / "scripts.json"
    scripts.write_text(json.dumps(SCRIPTS))
    command = [program("WEIR_BENCH_BIN", "weir-bench"), "mock", "--listen", "127.0.0.1:0", "--dialect", "all"]
    process = Process([*command, "--script", str(scripts)])
    try:
        yield process.wait_for(r"mock listening on (http://\S+)").group(1)
    finally:
        process.stop()


@contextlib.contextmanager
def weir(config_text, folder):
    """Starts `weir serve` in `folder`; yields its URL. Ending other than with exit code 0 is a failure."""
    config = folder / "config.yaml"
    config.write_text(config_text)
    port = free_port()
    command = [program("WEIR_BIN", "weir"), "serve", "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    process = Process(command, env=clean_env(LITELLM_MASTER_KEY=MASTER_KEY, WEIR_DATA_DIR=str(folder / "data")))
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        code = process.stop()
    if code != 0:
        raise AssertionError(f"ended with {code} after SIGTERM:\n{process.output}")


@contextlib.contextmanager
def gateway():
    with tempfile.TemporaryDirectory(prefix="weir-sdk.") as name:
        folder = pathlib.Path(name)
        with mock_provider(folder) as mock:
            if os.environ.get("WEIR_TEST_DIRECT") == "1":
                yield Gateway(url=mock, master_key=MASTER_KEY, mock_url=mock)
                return
            with weir(config_for(mock), folder) as url:
                yield Gateway(url=url, master_key=MASTER_KEY, mock_url=mock)


def main():
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        sys.exit("usage: rig.py -- COMMAND [ARGUMENT...]")
    with gateway() as gw:
        env = os.environ | {"WEIR_URL": gw.url, "WEIR_MASTER_KEY": gw.master_key, "WEIR_MOCK_URL": gw.mock_url}
        code = subprocess.run(command, env=env, check=False).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()
