"""Codex does a task with tools over /v1/responses: OpenAI has that API itself, all others are bridged."""

import json

import pytest
from conftest import TASK, agent_program, run_agent

PATHS = {
    "openai": "/v1/responses",
    "anthropic": "/v1/messages",
    "bedrock": "/model/",  # Claude by InvokeModel, others by Converse
    "ollama": "/api/chat",
    "gemini": ":streamGenerateContent",
}
CONFIG = """
model_provider = "weir"
approval_policy = "never"
sandbox_mode = "danger-full-access"

[model_providers.weir]
name = "Weir"
base_url = "%s/v1"
env_key = "WEIR_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
PATCH = """*** Begin Patch
*** Add File: patched.txt
+forty-two, "quoted" \\ and ünïcode
*** End Patch
"""


def run_codex(gateway, folder, model):
    """The events of the session."""
    home = folder.with_name("codex")
    home.mkdir()
    (home / "config.toml").write_text(CONFIG % gateway.url)
    command = [agent_program("codex"), "exec", "--json", "--skip-git-repo-check", "-m", model, TASK]
    printed = run_agent(command, folder, CODEX_HOME=str(home), WEIR_KEY=gateway.master_key)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def items_of(events, kind):
    done = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item for item in done if item["type"] == kind]


def said(events):
    return [item["text"] for item in items_of(events, "agent_message")]


@pytest.mark.parametrize("upstream", PATHS)
def test_p26_codex_does_a_task_with_tools(gateway, model, folder, upstream):
    model.plays(
        {
            "thinking": "First the file.",
            "text": "I write the file.",
            "calls": [{"name": "exec_command", "arguments": {"cmd": 'printf "%s" "forty-two" > answer.txt'}}],
        },
        {"calls": [{"name": "exec_command", "arguments": {"cmd": "wc -c answer.txt"}}]},
        {"text": "The file is written."},
    )
    events = run_codex(gateway, folder, f"on-{upstream}")
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["output_tokens"] >= 21, "three answers of seven tokens"
    assert said(events) == ["I write the file.", "The file is written."]
    assert [item["exit_code"] for item in items_of(events, "command_execution")] == [0, 0]
    assert (folder / "answer.txt").read_text() == "forty-two"
    requests = [body for path, body in model.received() if PATHS[upstream] in path]
    assert len(requests) == 3, "one request for each turn, none of them twice"
    assert "9 answer.txt" in requests[-1], "what the command printed did not reach the model"


@pytest.mark.parametrize("upstream", PATHS)
def test_p26_codex_changes_files_with_a_tool_of_free_text(gateway, model, folder, upstream):
    # Codex declares `apply_patch` as a custom tool, without a schema, for models whose name it knows.
    call = {"name": "apply_patch", "arguments": PATCH}
    model.plays({"text": "I write the file.", "calls": [call]}, {"text": "The file is written."})
    events = run_codex(gateway, folder, f"gpt-5.5-on-{upstream}")
    assert said(events) == ["I write the file.", "The file is written."]
    assert [item["status"] for item in items_of(events, "file_change")] == ["completed"]
    assert (folder / "patched.txt").read_text() == 'forty-two, "quoted" \\ and ünïcode\n'
    assert "Success" in model.received()[-1][1]


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
def test_p26_codex_runs_commands_in_parallel(gateway, model, folder, upstream):
    commands = [f"printf {name} > {name}.txt; printf {name}-done" for name in ("alpha", "beta")]
    calls = [{"name": "exec_command", "arguments": {"cmd": command}} for command in commands]
    model.plays({"calls": calls}, {"text": "Both ran."})
    events = run_codex(gateway, folder, f"on-{upstream}")
    assert said(events) == ["Both ran."]
    assert sorted(path.name for path in folder.iterdir()) == ["alpha.txt", "beta.txt"]
    last = model.received()[-1][1]
    assert "alpha-done" in last
    assert "beta-done" in last


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
def test_p26_codex_gets_its_reasoning_back_to_the_model(gateway, model, folder, upstream):
    call = {"name": "exec_command", "arguments": {"cmd": "true"}}
    model.plays({"thinking": "Think first.", "calls": [call]}, {"text": "Done."})
    run_codex(gateway, folder, f"gpt-5.5-on-{upstream}")
    # What the mock seals its thoughts with, in either API.
    seal = "sig==" if upstream == "anthropic" else "c2VhbGVk"
    assert seal in model.received()[-1][1]
