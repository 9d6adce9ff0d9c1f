"""What a newcomer does: `make run`, read what it prints, paste the curl; then set keys of providers and ask their models."""

import contextlib
import shlex
import stat
import subprocess

import openai
import pytest
import rig
from conftest import TEXT, TOOLS, ask

BUILD_SECONDS = 900  # `make run` builds first; after `cargo build` that is a look at time stamps


class Run:
    """`make run` with the quickstart configuration on a free port."""

    def __init__(self, folder, more):
        self.data = folder / "data"
        self.port = rig.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = ["make", "--no-print-directory", "run", f"PORT={self.port}"]
        self.process = rig.Process(command, env=rig.clean_env(WEIR_DATA_DIR=str(self.data), **more), cwd=rig.ROOT)
        rig.wait_until_ready(self.url, self.process, BUILD_SECONDS)

    def stop(self):
        # make passes SIGTERM on to what it runs, waits for it, and then ends with an error of its own.
        self.process.stop()

    @property
    def master_key(self):
        return self.process.wait_for(r"\b(sk-[A-Za-z0-9_-]{16,})").group(1)


@contextlib.contextmanager
def make_run(folder, **more):
    """`more`: of its environment."""
    run = Run(folder, more)
    try:
        yield run
    finally:
        run.stop()


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    with make_run(folder) as run:
        key = run.master_key
        run.process.wait_for(r"curl ", 5)
        yield run, key


@pytest.fixture(scope="module")
def client(started):
    run, key = started
    return openai.OpenAI(base_url=f"{run.url}/v1", api_key=key, max_retries=0, timeout=20)


@pytest.mark.timeout(BUILD_SECONDS + 60)
def test_the_demo_model_answers_without_a_provider_key(client):
    answer = client.chat.completions.create(model="demo", messages=ask("hi"))
    assert len(answer.choices[0].message.content) > 20


def test_the_demo_model_streams(client):
    plain = client.chat.completions.create(model="demo", messages=ask("hi")).choices[0].message.content
    chunks = list(client.chat.completions.create(model="demo", messages=ask("hi"), stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == plain
    assert len(chunks) > 2


def test_the_demo_model_is_listed(client):
    assert "demo" in [model.id for model in client.models.list()]


def test_a_model_without_its_key_says_so(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=ask("hi"))
    assert "OPENAI_API_KEY" in caught.value.message


def test_the_url_is_printed(started):
    run, _ = started
    assert f":{run.port}" in run.process.output


def test_the_printed_curl_works_as_it_stands(started):
    run, _ = started
    done = subprocess.run(
        ["bash", "-c", printed_curl(run.process.output)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"choices"' in done.stdout or "data: " in done.stdout


def printed_curl(output):
    """From `curl` to where the shell would find the command complete."""
    lines = output[output.index("curl ") :].splitlines()
    for end in range(1, len(lines) + 1):
        command = "\n".join(line.strip() for line in lines[:end])
        with contextlib.suppress(ValueError):  # an open quotation mark: the command goes on
            shlex.split(command)
            if not command.endswith("\\"):
                return command
    raise AssertionError(f"the printed curl command does not end:\n{output}")


def test_p35_the_master_key_is_kept_for_its_owner_only(started):
    run, key = started
    files = [path for path in run.data.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600]


@pytest.mark.timeout(BUILD_SECONDS + 60)
def test_the_master_key_stays_the_same(tmp_path):
    keys = []
    for _ in range(2):
        with make_run(tmp_path) as run:
            keys.append(run.master_key)
    assert keys[0] == keys[1]


# --- with keys of providers, for whom the mock stands in ---

ALIVE = ["gpt-4o", "claude-sonnet-4-5", "azure-gpt-4o"]


def provider_env(mock):
    """What README.md says to set, and where the mock is."""
    keys = {name: "upstream-key" for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_API_KEY")}
    return keys | {"OPENAI_API_BASE": f"{mock}/v1", "ANTHROPIC_API_BASE": mock, "AZURE_API_BASE": mock}


@pytest.fixture(scope="module")
def alive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alive")
    with rig.mock_provider(folder) as mock, make_run(folder, **provider_env(mock)) as run:
        yield openai.OpenAI(base_url=f"{run.url}/v1", api_key=run.master_key, max_retries=0, timeout=20)


@pytest.mark.timeout(BUILD_SECONDS + 60)
@pytest.mark.parametrize("model", ALIVE)
def test_a_model_comes_alive_with_its_key(alive, model):
    answer = alive.chat.completions.create(model=model, messages=ask("hi"))
    assert answer.choices[0].message.content == TEXT
    chunks = alive.chat.completions.create(model=model, messages=ask("hi"), stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT


@pytest.mark.timeout(BUILD_SECONDS + 60)
@pytest.mark.parametrize("model", ALIVE)
def test_its_tools_are_called(alive, model):
    answer = alive.chat.completions.create(model=model, messages=ask("weather in Paris? __tool"), tools=TOOLS)
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"


@pytest.mark.timeout(BUILD_SECONDS + 60)
def test_embeddings_models_and_errors(alive):
    vector = alive.embeddings.create(model="text-embedding-3-small", input="one text").data[0].embedding
    assert vector == pytest.approx([0.1, 0.2, -0.3])
    assert {*ALIVE, "demo"} <= {model.id for model in alive.models.list()}
    with pytest.raises(openai.BadRequestError, match="field x is invalid"):
        alive.chat.completions.create(model="gpt-4o", messages=ask("__err=400"))
